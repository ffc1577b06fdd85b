"""Snapshot records against the slow reference: what each row holds of book, events and states, in all modes."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import ConfigError
from ringcollect.instruments import Instrument, to_base
from ringcollect.records import Flag, Kind
from ringcollect.sync.engine import Engine
from ringcollect.sync.rows import RowFlag
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import FIELD_MEANING, KIND_MEANING, KINDS_OF_TABLE, ROW_KIND, SNAPSHOT

from .reference import Reference, Venue
from .streams import Stream, engine, instrument
from .test_reference import MODES, random_stream, venues

ALL = tuple(KINDS_OF_TABLE)
LEVELS = 3
Row = tuple[int, int, int, dict[str, list[tuple]]]


class Snapshots(Reference):
    """The reference, keeping for every row what a snapshot of it holds."""

    def __init__(self, levels: int, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.levels = levels
        self.snapshots: list[Row] = []

    def emit(self, v: Venue, extra: int) -> None:
        one = self.instruments[v.number]
        held = self.replay(v, [e for e in v.updates if e.done])[:2]
        trades = [(time, price, base) for time, _, price, base, _ in v.trades]
        forced = [(self.time_of(r), float(r["price"]), float(to_base(r["size"], r["price"], one)), int(r["side"]))
                  for r in v.liquidations]  # fmt: skip
        states = dict(v.states)
        super().emit(v, extra)
        number, close, book_ts, _, _, flags, _ = self.rows[-1]
        content: dict[str, list[tuple]] = {"trades": trades, "liquidations": forced}
        content["orderbooks"] = []
        content["totals"] = [(0.0, 0.0)]
        if flags & RowFlag.HAS_BOOK:
            for sign, side in zip((1, -1), held, strict=True):
                best = sorted(side.items(), reverse=sign > 0)[: self.levels]
                content["orderbooks"] += [
                    (book_ts, sign, i, p, float(to_base(q, p, one))) for i, (p, q) in enumerate(best)
                ]
            content["totals"] = [tuple(sum(float(to_base(q, p, one)) for p, q in side.items()) for side in held)]
        content["fundings"], content["open_interests"] = [], []
        if Kind.FUNDING in states:
            time, r = states[Kind.FUNDING]
            every = int(r["id"]) or one.funding_interval_ns
            content["fundings"] = [(time, float(r["price"]), float(r["size"]), every, int(r["aux"]))]
        if Kind.OPEN_INTEREST in states:
            time, r = states[Kind.OPEN_INTEREST]
            content["open_interests"] = [(time, float(r["price"]), float(r["size"]))]
        mark = states.get(Kind.MARK_PRICE)
        content["mark"] = [(float(mark[1]["price"]) if mark else float("nan"),)]
        self.snapshots.append((number, close, flags, content))


def rows_of(records: np.ndarray) -> list[Row]:
    """Runs of records as rows, in the order in which they close."""
    assert np.array_equal(records["seq"], np.arange(len(records)))
    open_rows: dict[int, list[np.void]] = {}
    rows = []
    for record in records:
        run = open_rows.setdefault(int(record["instrument"]), [])
        run.append(record)
        assert bool(record["flags"] & Flag.LAST) == (record["kind"] == ROW_KIND)
        if record["kind"] != ROW_KIND:
            continue
        close = int(record["ts_ns"])
        assert {int(one["ts_ns"]) for one in run} == {close}
        content: dict[str, list[tuple]] = {table: [] for table in ALL}
        for one in run[:-1]:
            price, size, time = float(one["price"]), float(one["size"]), int(one["ts_event"])
            kind, side, level = int(one["kind"]), int(one["side"]), int(one["level"])
            if kind == Kind.BOOK_SNAPSHOT:
                content["orderbooks"].append((time, side, level, price, size))
            elif kind == Kind.TRADE:
                content["trades"].append((time, price, size))
            elif kind == Kind.LIQUIDATION:
                content["liquidations"].append((time, price, size, side))
            elif kind == Kind.FUNDING:
                content["fundings"].append((time, price, size, int(one["id"]), int(one["aux"])))
            else:
                assert kind == Kind.OPEN_INTEREST
                content["open_interests"].append((time, price, size))
        content["totals"] = [(float(record["price"]), float(record["size"]))]
        content["mark"] = [(float(np.array([record["aux"]]).view("<f8")[0]),)]
        rows.append((int(record["instrument"]), close, int(record["id"]), content))
        del open_rows[int(record["instrument"])]
    return rows


def same(found: Row, expected: Row) -> None:
    assert found[:3] == expected[:3]
    for what, values in expected[3].items():
        if what == "totals":
            np.testing.assert_allclose(found[3][what], values, rtol=1e-12, atol=1e-12)
        else:
            np.testing.assert_array_equal(np.array(found[3][what]), np.array(values), err_msg=what)


def collect(made: Engine, records: np.ndarray, lost: list[int], chunk: int) -> np.ndarray:
    parts: list[np.ndarray] = [np.zeros(0, SNAPSHOT)]

    def keep(found: np.ndarray) -> None:
        parts.append(found.copy())

    edges = [0, *lost, len(records)]
    for begin, end in itertools.pairwise(edges):
        if begin in lost:
            made.lost(1)
        for i in range(begin, end, chunk):
            made.feed(records[i : min(i + chunk, end)], lambda rows: None, keep)
    made.finalize(lambda rows: None, keep)
    return np.concatenate(parts)


def through_checkpoints(
    parameters: Parameters, table: dict[int, Instrument], records: np.ndarray, lost: list[int], rng: random.Random
) -> np.ndarray:
    made = Engine(parameters, table.__getitem__)
    parts: list[np.ndarray] = [np.zeros(0, SNAPSHOT)]
    for i in range(len(records) + 1):
        if i in lost:
            made.lost(1)
        if rng.random() < 0.05:
            state = {name: array.copy() for name, array in made.dump().items()}
            made = Engine(parameters, table.__getitem__)
            assert made.load(state)
        made.feed(records[i : i + 1], lambda rows: None, lambda found: parts.append(found.copy()))
    made.finalize(lambda rows: None, lambda found: parts.append(found.copy()))
    return np.concatenate(parts)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), n=st.integers(0, 120))
def test_snapshots_equal_the_slow_reference_for_any_stream_mode_and_chunking(seed: int, n: int) -> None:
    rng = random.Random(seed)
    mode, table = rng.choice(MODES), venues(rng)
    records, lost = random_stream(rng, n)
    lost = sorted(set(lost))
    hold_back, held, max_gap = rng.choice((0, 50, 333)), rng.choice((1, 20, 65_536)), rng.choice((3, 10_000))
    parameters = Parameters(
        grid_ns=100, mode=mode, hold_back_ns=hold_back, max_gap_fill=max_gap, max_future_skew_ns=1000,
        hold_back_records=held, snapshots=ALL, levels=LEVELS,
    )  # fmt: skip
    model = Snapshots(
        LEVELS, grid=100, hold_back=hold_back, mode=mode, max_gap=max_gap, skew=1000, held=held, instruments=table
    )
    for i, record in enumerate(records):
        if i in lost:
            model.lost()
        model.feed(record)
    if len(records) in lost:
        model.lost()
    model.finalize()
    outcomes = [collect(Engine(parameters, table.__getitem__), records, lost, chunk) for chunk in (1, 1000)]
    outcomes.append(through_checkpoints(parameters, table, records, lost, rng))
    assert outcomes[1].tobytes() == outcomes[2].tobytes() == outcomes[0].tobytes()
    rows = rows_of(outcomes[0])
    assert len(rows) == len(model.snapshots)
    for found, expected in zip(rows, model.snapshots, strict=True):
        same(found, expected)


def busy() -> np.ndarray:
    """Nearly everything waits for a row that comes late, so that thousands of events come out at once."""
    stream = Stream().book(1000, *[(1, 99.0 - i, 1.0) for i in range(40)], *[(-1, 101.0 + i, 2.0) for i in range(40)])
    for i in range(9000):
        stream.trade(1500 + i % 90, price=100.0 + i)
    return stream.trade(50_000).array()


def test_thousands_of_events_of_one_row_come_out_whole_and_in_order() -> None:
    made = engine(mode="trade", max_future_skew_ns=0, snapshots=ALL, levels=20)
    rows = rows_of(collect(made, busy(), [], 20_000))
    assert [price for _, price, _ in rows[0][3]["trades"]] == [100.0 + i for i in range(9000)]
    assert [level for _, _, level, _, _ in rows[0][3]["orderbooks"]] == [*range(20), *range(20)]
    assert rows[0][3]["totals"] == [(40.0, 80.0)]


@pytest.mark.parametrize("tables", [("trades",), ("orderbooks", "fundings"), ("liquidations", "open_interests")])
def test_only_the_tables_that_are_wanted_are_written_and_always_the_end_of_a_row(tables: tuple[str, ...]) -> None:
    records, _ = random_stream(random.Random(5), 400)
    wanted = {int(KINDS_OF_TABLE[table]) for table in tables} | {ROW_KIND}
    everything = collect(engine(mode="external", snapshots=ALL), records, [], 1000)
    some = collect(engine(mode="external", snapshots=tables), records, [], 1000)
    expected = everything[np.isin(everything["kind"], list(wanted))]
    expected["seq"] = np.arange(len(expected))
    assert some.tobytes() == expected.tobytes()
    assert {int(kind) for kind in np.unique(some["kind"])} == wanted


def test_the_rows_are_the_same_with_and_without_snapshots() -> None:
    records, _ = random_stream(random.Random(6), 400)
    bare, full = engine(mode="trade", hold_back=50), engine(mode="trade", hold_back=50, snapshots=ALL)
    assert bare.collect(records).tobytes() == full.collect(records).tobytes()
    assert bare.snapshots_total == 0 < full.snapshots_total


def test_a_liquidation_without_its_price_is_converted_at_the_other_price() -> None:
    table = {0: instrument(0, size_unit="contract", multiplier=10.0, inverse=True)}
    other = int(np.array([200.0]).view(np.int64)[0])
    stream = Stream().trade(1000).liquidation(1050, price=float("nan"), size=4.0, aux=other).trade(1200)
    found = collect(engine(mode="trade", instruments=table, snapshots=("liquidations",)), stream.array(), [], 100)
    (forced,) = found[found["kind"] == Kind.LIQUIDATION]
    assert (forced["size"], forced["side"]) == (4.0 * 10.0 / 200.0, -1)
    assert np.isnan(forced["price"]) and forced["aux"] == other


def test_a_table_nobody_knows_and_levels_out_of_bounds_are_refused() -> None:
    with pytest.raises(ConfigError, match="no table 'quotes'"):
        engine(snapshots=("quotes",))
    with pytest.raises(ConfigError, match="levels: 0"):
        engine(snapshots=("orderbooks",), levels=0)


def test_the_page_about_the_synchronizer_says_what_every_field_and_kind_means() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "synchronizer.md").read_text().splitlines()
    for name in SNAPSHOT.names or ():
        dtype, offset = SNAPSHOT.fields[name][:2]  # type: ignore[index]
        assert f"| {offset} | `{name}` | {dtype.str.lstrip('<|')} | {FIELD_MEANING[name]} |" in lines
    for kind, texts in KIND_MEANING.items():
        name = Kind(kind).name.lower() if kind != ROW_KIND else "row"
        assert f"| {int(kind)} `{name}` | {' | '.join(texts)} |" in lines
