"""The child's main against the simulated Kraken on loopback: real sockets, real REST, real rings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Flag, Kind
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path
from tests.exchanges.test_captured_books import Book
from tests.feed.loopback import collected

MARKETS = {"spot": (("BTC-USD", "ETH/USD"), ("book", "trade", "bbo"))}


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def test_every_channel_flows_and_a_resync_word_renews_one_book_while_the_others_go_on(tmp_path):
    asked: list[int] = []

    def enough(reader, config) -> bool:
        states = reader.ledger.rows()["state"]
        if not asked and len(states) == 6 and (states == State.FLOWING).all():
            Control(control_path(reader.path)).request_resync(0)
            asked.append(reader.head)
        return bool(asked) and reader.counters["resyncs"] >= 1 and reader.head > asked[0] + 1500

    records, counters, instruments = collected(tmp_path, "kraken", MARKETS, enough)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for zero in ("seq_gaps", "trade_gaps", "rejected", "duplicates", "half_open", "reconnects", "silent_streams"):
        assert counters[zero] == 0, zero
    assert (counters["resyncs_asked"], counters["resyncs"]) == (1, 1)
    assert {i.symbol for i in instruments} == {"BTC/USD", "ETH/USD"}
    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    for instrument in instruments:
        mine = records[records["instrument"] == instrument.number]
        book = Book()
        for row in mine[np.isin(mine["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]:
            book.apply(row, instrument.book_depth)
        assert max(book.levels[1]) < min(book.levels[-1])
        snapshots = np.count_nonzero(mine[mine["kind"] == Kind.BOOK_SNAPSHOT]["flags"] & Flag.CLEAR)
        assert snapshots == (2 if instrument.number == 0 else 1)
        trades = mine[mine["kind"] == Kind.TRADE]
        sent = {t["id"]: t for t in told if t["k"] == "trade" and t["s"] == instrument.symbol}
        assert len(trades) and all(float(sent[int(t["id"])]["p"]) == t["price"] for t in trades)
