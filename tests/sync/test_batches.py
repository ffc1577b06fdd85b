"""Levels taken in together leave the state that they leave one by one: every bit of it, in every mode."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ringcollect.instruments import Instrument
from ringcollect.records import Flag, Kind
from ringcollect.sync import layout as at
from ringcollect.sync.batches import take_levels
from ringcollect.sync.engine import Engine

from .streams import Stream, engine
from .test_window import wandering


def mixed(seed: int, n: int) -> np.ndarray:
    """Two instruments' batches in turn, with late, outlying, replayed, unsynced and torn ones, and trades between."""
    rng = np.random.default_rng(seed)
    pieces = [wandering(seed + k, n, 0.01, 300, off_grid=0.05) for k in range(2)]
    for number, piece in enumerate(pieces):
        piece["instrument"] = number
    ends = [np.flatnonzero(piece["flags"] & Flag.LAST) + 1 for piece in pieces]
    parts = []
    for first, second in itertools.zip_longest(*(np.split(p, e[:-1]) for p, e in zip(pieces, ends, strict=True))):
        parts += [part for part in (first, second) if part is not None]
        if rng.random() < 0.3:
            ts = int(parts[-1]["ts_event"][0])
            parts.append(Stream().trade(ts - int(rng.integers(0, 300)), instrument=int(rng.integers(2))).array())
    for part in parts[4:]:
        chance = rng.random()
        if chance < 0.05:
            part["ts_event"] += 10**12  # an outlier
        elif chance < 0.15:
            part["ts_event"] -= 250  # late
        elif chance < 0.2 and part["kind"][0] == Kind.BOOK_DELTA:
            part["flags"] |= int(Flag.REPLAYED)
        elif chance < 0.22 and part["kind"][0] == Kind.BOOK_DELTA:
            part["flags"] |= int(Flag.UNSYNCED)
        elif chance < 0.25:
            part["flags"][0] |= int(Flag.GAP)
        elif chance < 0.27:
            part["sub"] = 1
    joined = np.concatenate(parts)
    joined["seq"] = np.arange(len(joined))
    return joined


UNITS = {
    "base": {},
    "quote": {"size_unit": "quote"},
    "contract": {"size_unit": "contract", "multiplier": 0.1},
}


def made(mode: str, unit: str, depth: int, **more: int) -> Engine:
    table = {
        number: Instrument(
            number=number, exchange="test", market="inverse" if number else "linear", symbol=f"S{number}",
            tick_size=0.01, book_depth=depth, **UNITS[unit],
        )
        for number in range(2)
    }  # fmt: skip
    return engine(mode=mode, instruments=table, max_row_latency_ns=400, book_levels=150, **more)


def state(one: Engine) -> dict[str, bytes]:
    """Everything a checkpoint holds but the order of free slots, and what a book's addresses are."""
    dumped = {name: array.copy() for name, array in one.dump().items() if name not in ("pool", "books")}
    for side in (at.I_BID, at.I_ASK):
        dumped["ints"][:, side + at.BOOK_WINDOW] = 0
    dumped["shared"][[at.G_CONSUMED, at.G_ROWS, at.G_CODE, at.G_ARGUMENT, at.G_FREE, at.G_FREE_HEAD]] = 0
    books = [one.book(number)[which].tobytes() for number in range(2) for which in range(2)]
    return {name: array.tobytes() for name, array in dumped.items()} | {"book": b"".join(books)}


@pytest.mark.parametrize("mode", ["orderbook", "trade", "external"])
@pytest.mark.parametrize(("unit", "depth"), [("base", 0), ("quote", 0), ("contract", 20)])
def test_levels_taken_together_leave_the_state_they_leave_one_by_one(mode: str, unit: str, depth: int) -> None:
    records = mixed(11, 150)
    together, alone = made(mode, unit, depth), made(mode, unit, depth)
    rows = [together.collect(records), np.concatenate([alone.collect(records[i : i + 1]) for i in range(len(records))])]
    assert len(rows[0]) > 10
    assert rows[0].tobytes() == rows[1].tobytes()
    assert together.counters() == alone.counters()
    ours, theirs = state(together), state(alone)
    assert {name for name in ours if ours[name] != theirs[name]} == set()


@pytest.mark.parametrize("mode", ["orderbook", "external"])
@pytest.mark.parametrize("most", [65_536, 100, 7])
def test_levels_held_together_leave_the_state_they_leave_one_by_one(mode: str, most: int) -> None:
    records = mixed(12, 150)
    more = {"hold_back": 1000, "hold_back_records": most}
    together, alone = made(mode, "base", 0, **more), made(mode, "base", 0, **more)
    rows = [together.collect(records), np.concatenate([alone.collect(records[i : i + 1]) for i in range(len(records))])]
    assert len(rows[0]) > 10
    assert (together.counters()["overruns"] > 0) == (most < 1000)
    assert rows[0].tobytes() == rows[1].tobytes()
    assert together.counters() == alone.counters()
    ours, theirs = state(together), state(alone)
    assert {name for name in ours if ours[name] != theirs[name]} == set()
    assert together.collect_rest().tobytes() == alone.collect_rest().tobytes()


def test_levels_that_wait_are_held_together() -> None:
    levels = [(1, 100.0 - k / 100, 1.0) for k in range(40)] + [(-1, 101.0 + k / 100, 1.0) for k in range(40)]
    stream = Stream().book(1000, (1, 99.0, 1.0)).book(1450, *levels)
    records = stream.array()
    one = made("orderbook", "base", 0, hold_back=1000)
    one.collect(records[:2])
    arrays = one.dump()
    args = tuple(arrays[name] for name in ("ints", "floats", "books", "pool", "params", "shared"))
    assert take_levels(records.view(np.int64).reshape(-1, 8), 1, *args) == 78
    assert arrays["ints"][0, at.I_HELD] == 79
    one.collect(records[80:])
    assert one.collect_rest()["ob_mid_price"][-1] == 100.5
    assert len(one.book(0)[0]) == 41


def test_most_levels_of_a_batch_are_taken_together() -> None:
    levels = [(1, 100.0 - k / 100, 1.0) for k in range(40)] + [(-1, 101.0 + k / 100, 1.0) for k in range(40)]
    stream = Stream().book(1000, (1, 99.0, 1.0)).book(1150, *levels)
    records = stream.array()
    one = made("orderbook", "base", 0)
    one.collect(records[:2])
    words = records.view(np.int64).reshape(-1, 8)
    arrays = one.dump()
    args = tuple(arrays[name] for name in ("ints", "floats", "books", "pool", "params", "shared"))
    assert take_levels(words, 1, *args) == 78, "all but the first, and the last, which closes the batch"
