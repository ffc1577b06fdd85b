"""The feed process against the simulated Coinbase over real sockets, on both of its feeds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path
from tests.feed.loopback import collected
from tests.feed.script import BookOf

MARKETS = {"spot": (("BTC-USD", "ETH/USD"), ("book", "trade", "bbo"))}
FEEDS = {"advanced": "", "exchange": "/ws-feed"}


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def flowing(reader) -> bool:
    states = reader.ledger.rows()["state"]
    return len(states) == 6 and bool((states == State.FLOWING).all())


@pytest.mark.parametrize("feed", FEEDS)
def test_every_channel_flows_and_a_resync_word_renews_one_book_while_the_others_go_on(tmp_path, feed):
    asked: list[int] = []

    def enough(reader, config) -> bool:
        if not asked and flowing(reader):
            Control(control_path(reader.path)).request_resync(0)
            asked.append(reader.head)
        return bool(asked) and reader.counters["resyncs"] >= 1 and reader.head > asked[0] + 6000

    records, counters, instruments = collected(tmp_path, "coinbase", MARKETS, enough, path=FEEDS[feed])
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for zero in ("connection_gaps", "rejected", "duplicates", "half_open", "reconnects", "rest_errors", "trade_gaps"):
        assert counters[zero] == 0, zero
    assert (counters["resyncs_asked"], counters["resyncs"]) == (1, 1)
    assert [i.symbol for i in instruments] == ["BTC-USD", "ETH-USD"]
    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    books = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]
    for instrument in instruments:
        mine = books[books["instrument"] == instrument.number]
        assert np.count_nonzero(mine["flags"] & Flag.CLEAR) == (2 if instrument.number == 0 else 1)
        book = BookOf().apply(mine)
        assert not book.broken and max(book.side(+1)) < min(book.side(-1))
        trades = records[(records["kind"] == Kind.TRADE) & (records["instrument"] == instrument.number)]
        matched = {t["id"]: t["side"] for t in told if t["k"] == "trade" and t["s"] == instrument.symbol}
        assert len(trades) and all(matched[int(row["id"])] == row["side"] for row in trades)
    frames = [json.loads(line["f"]) for line in told if line["k"] == "in"]
    assert frames[0]["type"] == "subscribe" and "heartbeat" in json.dumps(frames[0])


def test_a_lost_message_replaces_the_connection_and_the_books_are_whole_again(tmp_path):
    def enough(reader, config) -> bool:
        return reader.counters["connection_gaps"] >= 2 and reader.counters["reconnects"] >= 1 and flowing(reader)

    records, counters, instruments = collected(tmp_path, "coinbase", MARKETS, enough, faults="drop=0.01", rate=200.0)
    assert counters["connection_gaps"] >= 2
    gaps = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.SEQ_GAP)]
    assert set(gaps["side"].tolist()) == {Channel.BOOK, Channel.TRADE, Channel.BBO}
    books = records[np.isin(records["kind"], (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA))]
    for instrument in instruments:
        assert not BookOf().apply(books[books["instrument"] == instrument.number]).broken
