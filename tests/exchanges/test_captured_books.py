"""The one rule of the records, for venues whose books come by their stream: a capture's ring gives the oracle's books.

Apply in ring order, skip UNSYNCED, honour CLEAR, follow the chain: nothing else is needed, and nothing of a venue.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from ringcollect.instruments import Instrument
from ringcollect.records import Flag, Kind
from tests.exchanges.frames import lines
from tests.exchanges.sessions import run

CAPTURES = {
    "okx_v5_2022_05": ("okx", 71),
    "okx_v5_2026": ("okx", 5),
    "kraken_futures_2021": ("kraken_futures", 6990),
    "upbit_2021": ("upbit", 430),
    "coinbase_adv_2026": ("coinbase", 900),
    "coinbase_exchange_2021": ("coinbase", 9700),
    "kraken_v2_2026": ("kraken", 2340),
}
"""Capture -> (exchange, frames at least that the kernel finishes by itself)."""


class Book:
    """The rule, slow and obvious."""

    def __init__(self) -> None:
        self.levels: dict[int, dict[float, float]] = {1: {}, -1: {}}
        self.last = -1

    def apply(self, row: np.void, depth: int = 0) -> None:
        """``depth``: the instrument's, beyond which levels are forgotten; 0 = no limit."""
        if row["flags"] & Flag.UNSYNCED or row["kind"] == Kind.BOOK_CHECK:
            return
        if row["flags"] & Flag.CLEAR:
            self.levels = {1: {}, -1: {}}
        elif row["kind"] == Kind.BOOK_DELTA:
            assert row["aux"] == self.last  # the chain is whole
        if row["flags"] & Flag.LAST:
            self.last = int(row["id"])
        if row["side"]:
            side = self.levels[int(row["side"])]
            side[float(row["price"])] = float(row["size"])
            if row["size"] == 0:
                del side[float(row["price"])]
        if row["flags"] & Flag.LAST and depth:
            for sign, side in self.levels.items():
                for price in sorted(side, reverse=sign == 1)[depth:]:
                    del side[price]


@pytest.mark.parametrize("name", CAPTURES)
def test_the_ring_of_a_capture_gives_the_oracles_book_at_every_checkpoint(
    captures: Path, tmp_path: Path, name: str
) -> None:
    exchange, hot = CAPTURES[name]
    made = run(captures / f"{name}.jsonl.gz", exchange, tmp_path)
    assert made.hot >= hot
    books: dict[str, Book] = {}
    records = made.records[np.isin(made.records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA, Kind.BOOK_CHECK))]
    known = (tmp_path / "instruments.jsonl").read_bytes().splitlines()
    versions = [msgspec.json.decode(line, type=Instrument) for line in known]
    done = 0
    for state in lines(captures / "oracle" / f"books_{name}.jsonl.gz"):
        stop = int(np.searchsorted(records["seq"], seq_after(made.records, made.upto[state["i"]])))
        for row in records[done:stop]:
            instrument = at_the_time(versions, row)
            books.setdefault(instrument.symbol, Book()).apply(row, instrument.book_depth)
        done = stop
        book = books[state["s"]].levels
        assert (len(book[1]), len(book[-1])) == (state["nb"], state["na"])
        for side, key in ((1, "b"), (-1, "a")):
            best = sorted(book[side].items(), reverse=side == 1)[:10]
            assert best == [(float(price), float(size)) for price, size in state[key]]
    for zero in ("seq_gaps", "trade_gaps", "duplicates", "dropped_duplicates", "rejected", "resyncs"):
        assert made.counters[zero] == 0, zero
    counted = ("decoded", "control", "ignored", "rejected")
    assert made.counters["frames_in"] == sum(made.counters[outcome] for outcome in counted)


def at_the_time(versions: list[Instrument], row: np.void) -> Instrument:
    """What was known of the record's instrument when it came."""
    return [v for v in versions if v.number == row["instrument"] and v.valid_from_ns <= row["ts_recv"]][-1]


def seq_after(records: np.ndarray, count: int) -> int:
    """Position behind the ``count``-th record that is data."""
    data = records["seq"][records["kind"] != Kind.STATUS]
    return int(data[count - 1]) + 1 if count else 0


@pytest.mark.parametrize("name", CAPTURES)
def test_the_kernel_and_the_typed_path_fill_the_ring_with_the_same_bytes(
    captures: Path, tmp_path: Path, name: str
) -> None:
    exchange, _ = CAPTURES[name]
    fast, slow = (
        run(captures / f"{name}.jsonl.gz", exchange, tmp_path / str(kernel), kernel=kernel) for kernel in (True, False)
    )
    assert slow.hot == 0 < fast.hot
    assert fast.records.tobytes() == slow.records.tobytes()
    assert fast.counters == slow.counters


def test_instruments_of_a_capture_that_mixes_markets_are_put_where_they_belong(captures: Path, tmp_path: Path) -> None:
    """OKX has one URL for all markets; which is which, the captured lists of instruments say."""
    made = run(captures / "okx_v5_2022_05.jsonl.gz", "okx", tmp_path)
    found = {row.symbol: (row.market, row.unified, row.size_unit, row.inverse) for row in made.registry.rows()}
    assert found == {
        "BTC-USDT": ("spot", "BTC-USDT", "base", False),
        "UNI-USD-SWAP": ("inverse", "UNI-USD-PERP", "contract", True),
        "BTC-USD-220527": ("inverse", "BTC-USD-220527", "contract", True),
    }
    history = made.records[(made.records["kind"] == Kind.TRADE) & ((made.records["flags"] & Flag.SNAPSHOT) != 0)]
    assert history["id"].tolist() == [7849, 12883020, 338476307]  # the last trades before we came
