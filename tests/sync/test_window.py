"""Where a level stands, in the window of ticks or in the sorted rest, is nobody's business: the book is the dict's."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from ringcollect.instruments import Instrument
from ringcollect.records import Flag, Kind, Status
from ringcollect.sync import layout as at
from ringcollect.sync.engine import Engine
from ringcollect.sync.window import WINDOW
from ringcollect.sync.windows import tick_fraction

from .streams import Stream, engine
from .test_book import assert_same


def made_for(tick: float, **more: object) -> Engine:
    return engine(
        instruments={0: Instrument(number=0, exchange="test", market="spot", symbol="X", tick_size=tick)}, **more
    )


def wandering(seed: int, n: int, tick: float, step: int, off_grid: float = 0.0) -> np.ndarray:
    """A book whose best price walks by up to ``step`` ticks a frame; some levels far away, some off the grid."""
    rng = random.Random(seed)
    stream, middle, ts = Stream(), 5_000_000, 1000
    places: list[int] = []
    for i in range(n):
        ts += rng.choice((0, 10, 130))
        middle = max(200, middle + rng.randrange(-step, step + 1))
        fresh = i == 0 or rng.random() < 0.01
        kind, flags = (Kind.BOOK_SNAPSHOT, Flag.CLEAR | Flag.SNAPSHOT) if fresh else (Kind.BOOK_DELTA, 0)
        levels = []
        for _ in range(rng.randrange(40 if fresh else 0, 200 if fresh else 12)):
            side = rng.choice((1, -1))
            away = rng.choice((5, 60, 3000, 40 * WINDOW)) if rng.random() < 0.9 else -20
            place = max(1, middle - side * rng.randrange(min(away, 0), max(away, 1)))
            if places and rng.random() < 0.5:
                place = rng.choice(places[-400:])
            places.append(place)
            price = float(f"{place * tick:.10g}") if rng.random() >= off_grid else place * tick + tick / 3
            levels.append((side, price, rng.choice((0.0, 0.0, rng.random(), rng.random() * 100))))
        stream.book(ts, *levels, kind=kind, flags=flags)
    return stream.array()


@pytest.mark.parametrize(("tick", "step"), [(0.01, 20), (0.01, 3000), (0.5, 20_000), (5.0, 50), (1e-8, 400)])
@pytest.mark.parametrize("off_grid", [0.0, 0.2])
def test_a_book_that_wanders_out_of_its_window_stays_the_dicts_book(tick: float, step: int, off_grid: float) -> None:
    records = wandering(int(step), 400, tick, step, off_grid)
    made = made_for(tick)
    for i in range(0, len(records), 700):
        made.collect(records[i : i + 700])
    assert_same(made, records)
    row = made.dump()["ints"][0]
    assert row[at.I_BID + at.BOOK_NEAR] > 0, "levels near the best stand in the window"


@pytest.mark.parametrize("limit", [7, 60])
@pytest.mark.parametrize("depth", [0, 10])
def test_rows_are_the_same_bytes_with_a_window_and_without(limit: int, depth: int) -> None:
    records = wandering(3, 500, 0.01, 2000, 0.1)

    def rows(tick: float) -> bytes:
        table = {0: Instrument(number=0, exchange="test", market="spot", symbol="X", tick_size=tick, book_depth=depth)}
        made = engine(instruments=table, book_levels=limit)
        return made.collect(records).tobytes() + made.collect_rest().tobytes() + str(made.counters()).encode()

    assert rows(0.01) == rows(math.nan)


def test_a_checkpoint_brings_the_window_back() -> None:
    records = wandering(5, 300, 0.01, 500)
    half = len(records) // 2
    first = made_for(0.01)
    before = first.collect(records[:half])
    state = {name: array.copy() for name, array in first.dump().items()}
    again = made_for(0.01)
    assert again.load(state)
    assert len(before)
    assert again.collect(records[half:]).tobytes() == first.collect(records[half:]).tobytes()
    for which in range(2):
        assert np.array_equal(again.book(0)[which], first.book(0)[which])
    assert_same(again, records)


def test_a_tick_that_changes_or_is_lost_changes_no_level() -> None:
    records = wandering(8, 300, 0.01, 200)
    table = {0: Instrument(number=0, exchange="test", market="spot", symbol="X", tick_size=0.01)}
    made = engine(instruments=table)
    made.collect(records[: len(records) // 2])
    done = records[: len(records) // 2]
    for tick in (0.05, math.nan, 0.01, 1e-9):
        table[0] = Instrument(number=0, exchange="test", market="spot", symbol="X", tick_size=tick, version=2)
        stream = Stream().status(Status.INSTRUMENT_CHANGED, instrument=0, recv=10**9)
        made.collect(stream.array())
        assert_same(made, done)
    made.collect(records[len(records) // 2 :])
    assert_same(made, records)


@pytest.mark.parametrize(
    ("tick", "expected"),
    [
        (0.01, (100.0, 1.0, 100.0)),
        (0.5, (2.0, 1.0, 2.0)),
        (2.5, (0.4, 5.0, 2.0)),
        (10.0, (0.1, 10.0, 1.0)),
        (1e-8, (1e8, 1.0, 1e8)),
        (math.nan, (0.0, 0.0, 0.0)),
        (0.0, (0.0, 0.0, 0.0)),
        (-1.0, (0.0, 0.0, 0.0)),
        (math.inf, (0.0, 0.0, 0.0)),
        (1e-300, (0.0, 0.0, 0.0)),
    ],
)
def test_a_tick_is_the_fraction_of_its_decimal(tick: float, expected: tuple[float, float, float]) -> None:
    assert tick_fraction(tick) == expected
