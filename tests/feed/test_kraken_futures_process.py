"""The child's main against the simulated Kraken Futures on loopback: real sockets, real REST, real rings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path
from tests.exchanges.test_bybit_oracle import identity
from tests.exchanges.test_captured_books import Book
from tests.feed.loopback import collected

CHANNELS = ("book", "trade", "liquidation", "bbo", "mark_price", "index_price", "funding", "open_interest")
MARKETS = {"linear": (("BTC-USD-PERP",), CHANNELS), "inverse": (("pi_xbtusd",), CHANNELS)}


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def test_every_channel_flows_and_a_resync_word_renews_one_book_while_the_others_go_on(tmp_path):
    asked: list[int] = []

    def enough(reader, config) -> bool:
        rows = reader.ledger.rows()
        busy = rows[rows["channel"] != Channel.LIQUIDATION]
        if not asked and len(rows) == 16 and (busy["state"] == State.FLOWING).all():
            Control(control_path(reader.path)).request_resync(0)
            asked.append(reader.head)
        return bool(asked) and reader.counters["resyncs"] >= 1 and reader.head > asked[0] + 1500

    records, counters, instruments = collected(tmp_path, "kraken_futures", MARKETS, enough)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for zero in ("seq_gaps", "trade_gaps", "rejected", "duplicates", "half_open", "reconnects", "rest_errors"):
        assert counters[zero] == 0, zero
    assert (counters["resyncs_asked"], counters["resyncs"]) == (1, 1)
    assert {(i.market, i.symbol) for i in instruments} == {("linear", "PF_XBTUSD"), ("inverse", "PI_XBTUSD")}
    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    for instrument in instruments:
        mine = records[records["instrument"] == instrument.number]
        book = Book()
        for row in mine[np.isin(mine["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]:
            book.apply(row)
        assert max(book.levels[1]) < min(book.levels[-1])
        snapshots = np.count_nonzero(mine[mine["kind"] == Kind.BOOK_SNAPSHOT]["flags"] & Flag.CLEAR)
        assert snapshots == (2 if instrument.number == 0 else 1)
        trades = mine[mine["kind"] == Kind.TRADE]
        sent = {t["id"]: t for t in told if t["k"] == "trade" and t["s"] == instrument.symbol}
        assert len(trades) and all(float(sent[identity(t)]["p"]) == t["price"] for t in trades)


def test_lost_and_swapped_frames_over_real_sockets_leave_whole_books(tmp_path):
    def enough(reader, config) -> bool:
        """Gaps enough, and no book that still waits for its renewal."""
        counted = reader.counters
        if counted["seq_gaps"] < 4 or counted["resyncs"] < 4 or reader.head < 4000:
            return False
        reader.cursor = 0
        so_far = reader.read(1 << 20).records
        return not any(broken(so_far, number) for number in range(reader.instrument_count))

    markets = {"linear": (("PF_XBTUSD",), ("book", "trade")), "inverse": (("PI_XBTUSD",), ("book", "trade"))}
    records, counters, instruments = collected(
        tmp_path, "kraken_futures", markets, enough, faults="drop=0.003,dup=0.003,reorder=0.003"
    )
    assert counters["seq_gaps"] >= 4 and counters["reconnects"] == 0
    for instrument in instruments:
        assert not broken(records, instrument.number)


def broken(records: np.ndarray, number: int) -> bool:
    """Whether the book waits for its base."""
    books = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)) & (records["instrument"] == number)]
    book = Book()
    for row in books:
        book.apply(row)
    return not len(books) or bool(books["flags"][-1] & Flag.UNSYNCED)
