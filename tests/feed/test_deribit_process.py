"""The child's main against the simulated Deribit on loopback: real sockets, real REST, real rings."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Flag, Kind, TradeSub
from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path
from tests.exchanges.test_captured_books import Book
from tests.feed.loopback import collected

ALL = ("book", "trade", "bbo", "mark_price", "index_price", "funding", "open_interest")
MARKETS = {"inverse": (("BTC-PERPETUAL",), ALL), "linear": (("ETH_USDC-PERPETUAL",), ALL[:3])}
SYMBOLS = ("BTC-PERPETUAL", "ETH_USDC-PERPETUAL")
BOOKS = (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def check_books(records, instruments) -> None:
    """Whoever applies the ring by the one rule follows the venue's chain to the end."""
    for instrument in instruments:
        book = Book()
        for row in records[np.isin(records["kind"], BOOKS) & (records["instrument"] == instrument.number)]:
            book.apply(row, instrument.book_depth)
        assert max(book.levels[1]) < min(book.levels[-1])


def test_every_channel_flows_and_a_resync_word_renews_one_book_while_the_others_go_on(tmp_path):
    asked: list[int] = []

    def enough(reader, config) -> bool:
        states = reader.ledger.rows()["state"]
        if not asked and len(states) == 10 and (states == State.FLOWING).all():
            Control(control_path(reader.path)).request_resync(0)
            asked.append(reader.head)
        return bool(asked) and reader.counters["resyncs"] >= 1 and reader.head > asked[0] + 1500

    records, counters, instruments = collected(tmp_path, "deribit", MARKETS, enough, symbols=SYMBOLS)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for zero in ("seq_gaps", "trade_gaps", "rejected", "duplicates", "half_open", "reconnects", "silent_streams"):
        assert counters[zero] == 0, zero
    assert (counters["resyncs_asked"], counters["resyncs"]) == (1, 1)
    assert {(i.market, i.symbol) for i in instruments} == {("inverse", SYMBOLS[0]), ("linear", SYMBOLS[1])}
    check_books(records, instruments)
    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    for instrument in instruments:
        mine = records[records["instrument"] == instrument.number]
        snapshots = np.count_nonzero(mine[mine["kind"] == Kind.BOOK_SNAPSHOT]["flags"] & Flag.CLEAR)
        assert snapshots == (2 if instrument.number == 0 else 1)
        trades = mine[mine["kind"] == Kind.TRADE]
        sent = {t["id"]: t for t in told if t["k"] == "trade" and t["s"] == instrument.symbol}
        assert len(trades)
        for row in trades:
            line = sent[int(row["id"])]
            assert (row["price"], row["size"], row["side"]) == (float(line["p"]), float(line["q"]), line["side"])
            assert row["sub"] == (TradeSub.LIQUIDATION if line["forced"] else TradeSub.ORDINARY)


def test_lost_and_swapped_frames_over_real_sockets_leave_whole_books(tmp_path):
    based: set[int] = set()

    def enough(reader, config) -> bool:
        """Gaps enough, and a base for both books (a first snapshot may be lost, too)."""
        records = reader.read(1 << 20).records
        based.update(records[(records["flags"] & Flag.CLEAR) != 0]["instrument"].tolist())
        return reader.counters["resyncs"] >= 3 and reader.head > 4000 and len(based) == 2

    records, counters, instruments = collected(
        tmp_path, "deribit", MARKETS, enough, faults="drop=0.04,dup=0.01,reorder=0.04", symbols=SYMBOLS
    )
    assert counters["seq_gaps"] >= 3 and counters["reconnects"] == 0
    check_books(records, instruments)
