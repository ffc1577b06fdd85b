"""The kernels against the slow reference, on random streams, in all modes, cut in every way."""

from __future__ import annotations

import itertools
import random
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.instruments import Instrument
from ringcollect.records import Channel, Flag, Kind, Status, TradeSub
from ringcollect.sync.engine import Engine
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.settings import Parameters

from .reference import Reference
from .streams import NAN, Stream, instrument

MODES = ("orderbook", "trade", "liquidation", "external")


def venues(rng: random.Random) -> dict[int, Instrument]:
    """Three instruments with different units and depths."""
    return {
        0: instrument(0, book_depth=rng.choice((0, 0, 3))),
        1: instrument(1, size_unit="contract", multiplier=0.01, funding_interval_ns=4 * 3600 * 10**9),
        2: instrument(2, size_unit="contract", multiplier=10.0, inverse=True, book_depth=rng.choice((0, 2))),
    }


def random_stream(rng: random.Random, n: int) -> tuple[np.ndarray, list[int]]:
    """(records, positions behind which records were lost)."""
    stream = Stream()
    now = rng.randrange(0, 3) * 500 + 20
    skew = rng.choice((-300, 0, 0, 40))  # the host's clock against the venue's
    lost: list[int] = []
    for _ in range(n):
        now += rng.choice((0, 1, 3, 10, 30, 90)) if rng.random() < 0.98 else rng.randrange(200, 3000)
        recv = max(now + skew, 1)
        ts = max(
            now - rng.choice((0, 0, 0, 5, 20, 120, 400)) + (rng.choice((0, 60, 250)) if rng.random() < 0.05 else 0), 1
        )
        if rng.random() < 0.01:
            ts = now + 5000
        if rng.random() < 0.05:
            ts = 0
        number = rng.randrange(3)
        more = {"instrument": number, "recv": recv}
        choice = rng.random()
        price = rng.randrange(95, 106) / 2
        if choice < 0.4:
            levels = [
                (rng.choice((1, -1)), rng.randrange(90, 111) / 2, rng.choice((0.0, rng.randrange(1, 99) / 8)))
                for _ in range(rng.randrange(0, 5))
            ]
            kind, flags, aux = Kind.BOOK_DELTA, 0, None
            draw = rng.random()
            if draw < 0.08:
                kind, flags, aux = Kind.BOOK_SNAPSHOT, Flag.CLEAR | Flag.SNAPSHOT | rng.choice((0, Flag.REST)), -1
            elif draw < 0.14:
                flags = Flag.UNSYNCED
            elif draw < 0.2:
                flags = Flag.REPLAYED
            elif draw < 0.23:
                aux = -7
            elif draw < 0.26:
                flags = Flag.GAP
            elif draw < 0.28:
                more["sub"] = 1
                aux = 12345
            if more.get("sub"):
                stream.add(kind, ts=ts, price=price, size=1.0, side=1, id=5, aux=5, **more)
            else:
                stream.book(ts, *levels, kind=kind, flags=flags, aux=aux, **more)
        elif choice < 0.65:
            flags = Flag.LAST
            if rng.random() < 0.15:
                flags |= rng.choice((Flag.SNAPSHOT, Flag.REPLAYED, Flag.DUPLICATE, Flag.BACKFILLED, Flag.GAP))
            sub = rng.choice((0, 0, 0, 0, TradeSub.LIQUIDATION, TradeSub.BLOCK, TradeSub.ADL_INSURANCE, 16))
            stream.trade(ts, price, rng.randrange(1, 50) / 8, rng.choice((1, -1, 0)), flags=flags, sub=sub, **more)
        elif choice < 0.72:
            stream.liquidation(ts, price, rng.randrange(1, 50) / 8, rng.choice((1, -1)), **more)
        elif choice < 0.76:
            due = rng.choice((0, now + 1000))
            stream.add(
                Kind.FUNDING,
                ts=ts,
                price=rng.random() / 1e3,
                size=NAN,
                id=rng.choice((0, 3600 * 10**9)),
                aux=due,
                **more,
            )
        elif choice < 0.80:
            stream.add(
                Kind.OPEN_INTEREST, ts=ts, price=rng.choice((NAN, 1234.5)), size=rng.randrange(1, 999) / 4, **more
            )
        elif choice < 0.84:
            stream.add(rng.choice((Kind.MARK_PRICE, Kind.INDEX_PRICE)), ts=ts, price=price, size=NAN, **more)
        elif choice < 0.88:
            stream.add(Kind.BBO, ts=ts, price=price, size=1.0, side=1, flags=0, **more)
            stream.add(Kind.BBO, ts=ts, price=price + 1, size=1.0, side=-1, **more)
        elif choice < 0.96:
            stream.status(Status.TICK, recv=recv)
        elif choice < 0.97:
            stream.status(Status.START, recv=recv)
        elif choice < 0.98:
            stream.status(rng.choice((Status.DISCONNECTED, Status.STALE)), channel=Channel.BOOK, **more)
        elif choice < 0.985:
            lost.append(len(stream.rows))
    return stream.array(), lost


def feed(made: Engine, records: np.ndarray, lost: list[int], chunk: int) -> np.ndarray:
    parts = []
    edges = [0, *lost, len(records)]
    for begin, end in itertools.pairwise(edges):
        if begin in lost:
            made.lost(1)
        parts += [made.collect(records[i : min(i + chunk, end)]) for i in range(begin, end, chunk)]
    parts.append(made.collect_rest())
    return np.concatenate(parts)


def feed_through_checkpoints(
    parameters: Parameters, table: dict[int, Instrument], records: np.ndarray, lost: list[int], rng: random.Random
) -> np.ndarray:
    """As :func:`feed`, but at random points another engine goes on from the state of the one before."""
    made = Engine(parameters, table.__getitem__)
    parts = []
    for i in range(len(records) + 1):
        if i in lost:
            made.lost(1)
        if rng.random() < 0.05:
            state = {name: array.copy() for name, array in made.dump().items()}
            made = Engine(parameters, table.__getitem__)
            assert made.load(state)
        parts.append(made.collect(records[i : i + 1]))
    parts.append(made.collect_rest())
    return np.concatenate(parts)


IDENTITY = ("instrument", "ts_ns", "ts_book_ns", "ts_recv", "input_flags", "row_flags")


class Scene(NamedTuple):
    """A stream, what engine and model are told of it, and what is left of the dice."""

    parameters: Parameters
    chosen: dict[str, int]
    table: dict[int, Instrument]
    records: np.ndarray
    lost: list[int]
    rng: random.Random


def scene(seed: int, n: int) -> Scene:
    rng = random.Random(seed)
    mode = rng.choice(MODES)
    table = venues(rng)
    records, lost = random_stream(rng, n)
    lost = sorted(set(lost))
    chosen = {
        "hold_back": rng.choice((0, 50, 250, 333)),
        "grid": rng.choice((100, 70, 1)) if n < 200 else 100,
        "max_gap": rng.choice((3, 10_000)),
        "skew": rng.choice((0, 1000)),
        "held": rng.choice((1, 4, 20, 65_536)),
        "latency": rng.choice((0, 0, 400)),
    }
    if chosen["grid"] == 1:
        chosen["max_gap"] = 50
    parameters = Parameters(
        grid_ns=chosen["grid"],
        mode=mode,
        hold_back_ns=chosen["hold_back"],
        max_gap_fill=chosen["max_gap"],
        max_future_skew_ns=chosen["skew"],
        hold_back_records=chosen["held"],
        max_row_latency_ns=chosen["latency"],
    )
    return Scene(parameters, chosen, table, records, lost, rng)


def compare(seed: int, n: int) -> int:
    parameters, chosen, table, records, lost, rng = scene(seed, n)
    mode = parameters.mode
    model = Reference(mode=mode, instruments=table, **chosen)
    for i, record in enumerate(records):
        if i in lost:
            model.lost()
        model.feed(record)
    if len(records) in lost:
        model.lost()
    model.finalize()
    outcomes = []
    for chunk, out_rows in ((1, 1024), (7, 5), (1000, 1), (max(len(records), 1), 1024)):
        made = Engine(parameters, table.__getitem__, out_rows=out_rows)
        outcomes.append(feed(made, records, lost, chunk))
    outcomes.append(feed_through_checkpoints(parameters, table, records, lost, rng))
    rows = outcomes[0]
    for other in outcomes[1:]:
        assert other.tobytes() == rows.tobytes()
    where = (seed, mode, chosen)
    names = rows.dtype.names[7:]
    for row, (number, close, book, recv, inputs, flags, columns) in zip(rows, model.rows, strict=False):
        found = [int(row[name]) for name in IDENTITY]
        assert found == [number, close, book, recv, inputs, flags], where
        values = np.array([row[name] for name in names])
        exact = np.delete(np.arange(25), 2)
        np.testing.assert_array_equal(values[exact], np.array(columns)[exact], err_msg=str((where, found)))
        np.testing.assert_allclose(values[2], columns[2], rtol=1e-12, atol=1e-15)
    assert len(rows) == len(model.rows), where
    counters = made.counters()
    assert counters["late_events_dropped"] == model.late, where
    assert counters["late_updates"] == model.late_updates, where
    assert counters["clock_outliers"] == model.outliers, where
    assert counters["overruns"] == model.overruns, where
    assert counters["skipped_rows"] == model.skipped, where
    return len(rows)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(0, 120))
def test_rows_equal_the_slow_reference_for_any_stream_mode_and_chunking(seed: int, n: int) -> None:
    compare(seed, n)


def test_the_streams_reach_every_rule_in_every_mode() -> None:
    """What is compared is worth it: every counter counts, every flag is set, stalled rows are released."""
    reached: dict[str, set[str]] = {mode: set() for mode in MODES}
    for seed in range(240):
        parameters, _, table, records, lost, _ = scene(seed, 120)
        found = reached[parameters.mode]
        made = Engine(parameters, table.__getitem__)
        rows = feed(made, records, lost, 1000)
        found |= {name for name, count in made.counters().items() if count}
        found |= {flag.name or "" for flag in RowFlag if (rows["row_flags"] & flag).any()}
        if parameters.max_row_latency_ns and parameters.mode != "external":
            plain = Engine(msgspec.structs.replace(parameters, max_row_latency_ns=0), table.__getitem__)
            if feed(plain, records, lost, 1000).tobytes() != rows.tobytes():
                found.add("released")
    counters = {
        "rows", "late_events_dropped", "late_updates", "clock_outliers", "overruns", "skipped_rows", "chain_breaks",
        "sync_lost",
    }  # fmt: skip
    for mode, found in reached.items():
        missing = (counters | {str(flag.name) for flag in RowFlag} | {"released"}) - found
        assert missing == ({"clock_outliers", "released"} if mode == "external" else set()), mode


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_long_streams_equal_the_slow_reference(seed: int) -> None:
    assert compare(seed, 600) > 0
