"""The child's main against the simulated Bybit on loopback: real sockets, real REST, real rings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path
from tests.feed.loopback import collected
from tests.feed.script import BookOf

SPOT = ("book", "trade", "bbo")
DERIVATIVE = (*SPOT, "mark_price", "index_price", "funding", "open_interest")
MARKETS = {
    "spot": (("BTCUSDT",), SPOT), "linear": (("BTC-USDC-PERP",), DERIVATIVE), "inverse": (("BTCUSD",), DERIVATIVE),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def flowing(reader) -> bool:
    states = reader.ledger.rows()["state"]
    return len(states) == 17 and bool((states == State.FLOWING).all())


def test_every_channel_flows_and_a_resync_word_renews_one_book_while_the_others_go_on(tmp_path):
    asked: list[int] = []

    def enough(reader, config) -> bool:
        if not asked and flowing(reader):
            Control(control_path(reader.path)).request_resync(0)
            asked.append(reader.head)
        return bool(asked) and reader.counters["resyncs"] >= 1 and reader.head > asked[0] + 2000

    records, counters, instruments = collected(tmp_path, "bybit", MARKETS, enough)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for zero in ("seq_gaps", "rejected", "duplicates", "half_open", "reconnects", "rest_errors", "silent_streams"):
        assert counters[zero] == 0, zero
    assert (counters["resyncs_asked"], counters["resyncs"]) == (1, 1)
    assert {(i.market, i.symbol) for i in instruments} == {
        ("spot", "BTCUSDT"), ("linear", "BTCPERP"), ("inverse", "BTCUSD"),
    }  # fmt: skip
    books = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]
    for instrument in instruments:
        mine = books[books["instrument"] == instrument.number]
        book = BookOf().apply(mine)
        assert not book.broken and max(book.side(+1)) < min(book.side(-1))
        assert np.count_nonzero(mine["flags"] & Flag.CLEAR) == (2 if instrument.number == 0 else 1)
        told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
        trades = records[(records["kind"] == Kind.TRADE) & (records["instrument"] == instrument.number)]
        assert len(trades) and {(float(r["price"]), float(r["size"])) for r in trades} <= {
            (float(t["p"]), float(t["q"])) for t in told if t["k"] == "trade" and t["s"] == instrument.symbol
        }


def test_lost_and_swapped_frames_over_real_sockets_leave_whole_books(tmp_path):
    def enough(reader, config) -> bool:
        """Gaps enough, and no book that still waits for its renewal (a first snapshot may be lost, too)."""
        counted = reader.counters
        if counted["seq_gaps"] < 4 or counted["resyncs"] < 4 or reader.head < 4000:
            return False
        reader.cursor = 0
        records = reader.read(1 << 20).records
        books = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]
        numbers = range(reader.instrument_count)
        return not any(BookOf().apply(books[books["instrument"] == number]).broken for number in numbers)

    records, counters, instruments = collected(
        tmp_path, "bybit", MARKETS, enough, faults="drop=0.02,dup=0.01,reorder=0.02"
    )
    assert counters["seq_gaps"] >= 4 and counters["reconnects"] == 0
    books = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]
    for instrument in instruments:
        assert not BookOf().apply(books[books["instrument"] == instrument.number]).broken
    assert (records[records["kind"] == Kind.STATUS]["side"] == Channel.BOOK).any()
