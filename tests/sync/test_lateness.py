"""How many trades of a real capture come too late, against the counts that another model of the rules gave."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from ringcollect.instruments import Instrument
from ringcollect.records import Flag, Kind
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from tests.exchanges.sessions import run

MS = 1_000_000
TRADES = 574
PUBLISHED = {0: 43.7, 50: 16.7, 100: 2.8, 250: 0.0, 500: 0.0, 1000: 0.0}
"""Hold-back in ms -> late trades in percent, orderbook mode, grid 100 ms."""


@pytest.fixture(scope="module")
def capture(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, dict[int, Instrument]]:
    folder = tmp_path_factory.mktemp("lateness")
    made = run(captures / "binance_usdm_2021b.jsonl.gz", "binance", folder)
    lines = (folder / "instruments.jsonl").read_bytes().splitlines()
    table = {one.number: one for line in lines for one in [msgspec.json.decode(line, type=Instrument)]}
    return made.records, table


def late(records: np.ndarray, table: dict[int, Instrument], mode: str, hold_back_ms: int) -> int:
    """Trades dropped as late."""
    made = Engine(Parameters(mode=mode, hold_back_ns=hold_back_ms * MS, max_future_skew_ns=0), table.__getitem__)
    made.collect(records)
    return made.counters()["late_events_dropped"]


def test_late_trades_by_hold_back_are_as_many_as_published(
    capture: tuple[np.ndarray, dict[int, Instrument]],
) -> None:
    """The other model took every depth frame for what drives the clock, also those before there was a base."""
    records, table = capture
    assert (records["kind"] == Kind.TRADE).sum() == TRADES
    is_book = (records["kind"] == Kind.BOOK_DELTA) | (records["kind"] == Kind.BOOK_SNAPSHOT)
    records = records[~(is_book & ((records["flags"] & (Flag.SNAPSHOT | Flag.REPLAYED)) != 0))]
    records["flags"] &= ~np.uint16(Flag.UNSYNCED)
    found = {w: round(100 * late(records, table, "orderbook", w) / TRADES, 1) for w in PUBLISHED}
    assert found == PUBLISHED


def test_no_trade_is_late_for_the_clock_that_trades_drive(capture: tuple[np.ndarray, dict[int, Instrument]]) -> None:
    assert [late(*capture, "trade", w) for w in PUBLISHED] == [0] * len(PUBLISHED)


def test_the_default_hold_back_of_each_mode_loses_next_to_nothing(
    capture: tuple[np.ndarray, dict[int, Instrument]],
) -> None:
    """250 ms in driven modes, where three trades came before a base; 1 s for the external clock: one, as published."""
    for mode, most in (("orderbook", 3), ("external", 1)):
        hold_back = Parameters(mode=mode).resolved_hold_back_ns() // MS
        assert late(*capture, mode, hold_back) <= most
