"""What an instrument takes in the synchronizer is what docs/synchronizer.md says, and never more than its bounds."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from ringcollect.errors import ConfigError
from ringcollect.records import Flag
from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import Options
from ringcollect.sync.catalogue.plan import plan
from ringcollect.sync.settings import Parameters

from .streams import Stream, engine, instrument

MS, SECOND, HOUR = 10**6, 10**9, 3600 * 10**9
PAGE = (Path(__file__).parents[2] / "docs" / "synchronizer.md").read_text()


def stated(name: str) -> list[str]:
    """The cells of the row ``name`` of a table of the page."""
    row = re.search(rf"^\| {re.escape(name)} \|(.*)\|$", PAGE, re.MULTILINE)
    assert row, name
    return [cell.strip() for cell in row[1].split("|")]


def spelled(size: int) -> str:
    """Bytes as the page has them."""
    return f"{size / 1e6:.2f} MB" if size >= 10_000 else f"{size} B"


@pytest.mark.parametrize("choice", ["minimal", "core", "full"])
def test_the_state_of_an_instrument_is_as_large_as_stated(choice: str) -> None:
    cells = []
    for grid, horizon in ((100 * MS, 60 * SECOND), (100 * MS, 4 * HOUR), (SECOND, 60 * SECOND), (SECOND, 4 * HOUR)):
        options = Options(horizons_ns=(SECOND, horizon))
        made = plan(tuple(catalogue.select([choice], "test", options)), grid, options)
        cells.append(spelled(8 * made.floats))
    assert stated(f"`{choice}`") == cells


def test_a_waiting_record_a_level_and_an_instrument_take_what_is_stated() -> None:
    made = engine(mode="trade")
    made.collect(Stream().trade(1000).book(1010, (1, 10.0, 1.0), (-1, 12.0, 1.0)).array())
    arrays = made.dump()
    assert stated("a record that waits")[:1] == [f"{arrays['pool'][0].nbytes} B"]
    assert stated("a slot of a book, outside its window")[:1] == [f"{arrays['books'][0].nbytes} B"]
    assert stated("clock, chain, flags")[:1] == [f"{arrays['ints'][0].nbytes} B"]


def test_a_flood_takes_no_more_than_the_bounds_however_many_levels_and_records_come() -> None:
    """Prices off any tick, sides that only grow, updates that all wait for a row that is not due."""
    rng = random.Random(4)
    levels, held = 256, 1000
    made = engine(mode="trade", book_levels=levels, hold_back_records=held, instruments={0: instrument(0)})
    made.collect(Stream().trade(1000).array())
    for begin in range(0, 20_000, 2000):
        stream = Stream()
        for number in range(begin, begin + 2000):
            side = 1 if rng.random() < 0.5 else -1
            stream.book(2000 + number, (side, 100.0 - side * rng.random(), 1.0), flags=0 if number else Flag.CLEAR)
        made.collect(stream.array())
    arrays = made.dump()
    assert arrays["books"].shape[0] <= 4 * levels
    assert len(arrays["pool"]) <= 2 * 1024, "slots come in doublings of 1024"
    assert int(arrays["ints"][0][33]) <= held
    assert made.counters()["overruns"] > 0


def test_a_window_of_two_to_the_twentieth_rows_is_the_longest() -> None:
    most = Options(horizons_ns=((1 << 20) * MS,))
    assert plan(tuple(f.name for f in catalogue.features_with(most) if f.group == "H"), MS, most).floats > 1 << 20
    more = Options(horizons_ns=(((1 << 20) + 1) * MS,))
    with pytest.raises(ConfigError, match=r"sync\.features\.horizons.* rows of sync\.grid .*1048576"):
        plan(tuple(f.name for f in catalogue.features_with(more) if f.group == "H"), MS, more)


@pytest.mark.parametrize("group", "BCDEFGHIJKLMN")
def test_a_grid_of_one_nanosecond_has_group_a_and_flags_and_says_so(group: str) -> None:
    """What a group keeps over rows would be more than any memory; what keeps nothing may be chosen."""
    columns = tuple(f.name for f in catalogue.FEATURES if f.group == group and f.name != "row_flags")
    keeps = bool(next(g for g in catalogue.groups.GROUPS if g.letter == group).reads)
    if not keeps:
        assert Parameters(grid_ns=1, columns=columns).columns == columns
        return
    with pytest.raises(ConfigError, match=r"sync\.grid"):
        engine(grid=1, columns=columns)
    rows = engine(grid=1, mode="trade").collect(Stream().trade(10).trade(12).array())
    assert np.array_equal(rows["ts_ns"], [11, 12])
