"""Feeds of exchanges whose pages go back from an id, over sockets that are cut all the time: no trade is missing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ringcollect.config import Websocket
from ringcollect.records import Flag, Kind
from tests.feed.loopback import collected

BACKFILLED = int(Flag.REST | Flag.BACKFILLED)


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


@pytest.mark.parametrize(("exchange", "symbol", "path"), [("okx", "BTC-USDT", ""), ("coinbase", "BTC-USD", "/ws-feed")])
def test_trades_missed_while_reconnecting_are_fetched_in_pages(tmp_path, exchange, symbol, path):
    def enough(reader, config) -> bool:
        return reader.counters["trade_ids_backfilled"] >= 5 and reader.counters["reconnects"] >= 3

    records, counters, _ = collected(
        tmp_path, exchange, {"spot": ((symbol,), ("trade",))}, enough, faults="cut=1s", path=path, rate=1000.0,
        websocket=Websocket(backfill=True, retry_first="100ms", retry_max="100ms"),
    )  # fmt: skip
    trades = records[records["kind"] == Kind.TRADE]
    fetched = trades["flags"] & BACKFILLED == BACKFILLED
    assert np.count_nonzero(fetched) == counters["trade_ids_backfilled"] >= 5
    # Coinbase sends its last match before the acknowledgement: the stream has said it itself, nothing is to be asked
    assert (counters["snapshot_fetches"] > 0) is (exchange == "okx")
    news: dict[int, int] = {}
    known: set[int] = set()
    for row in trades:
        for number in range(int(row["aux"]), int(row["id"]) + 1):
            known.add(number)
            if not row["flags"] & (Flag.SNAPSHOT | Flag.DUPLICATE):
                news[number] = news.get(number, 0) + 1
    assert set(news.values()) == {1}, "nothing came over REST that the stream had, or twice"
    assert set(range(min(known), int(trades["id"][fetched].max()))) <= known
    told = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    sides = {t["id"]: t["side"] for t in told if t["k"] == "trade" and t["s"] == symbol}
    assert all(sides[int(r["id"])] == r["side"] for r in trades[fetched] if int(r["id"]) in sides)


def test_kraken_says_what_its_history_on_subscribing_leaves_out(tmp_path):
    """Fifty prints come again by themselves; with a long outage of a busy market some are missing all the same."""

    def enough(reader, config) -> bool:
        return reader.counters["trade_ids_backfilled"] >= 5 and reader.counters["reconnects"] >= 2

    records, counters, _ = collected(
        tmp_path, "kraken", {"spot": (("BTC/USD",), ("trade",))}, enough, faults="cut=2s", rate=3000.0,
        websocket=Websocket(backfill=True, retry_first="1s", retry_max="1s"),
    )  # fmt: skip
    trades = records[records["kind"] == Kind.TRADE]
    fetched = trades["flags"] & BACKFILLED == BACKFILLED
    assert np.count_nonzero(fetched) == counters["trade_ids_backfilled"] >= 5
    known = set(trades["id"].tolist())
    assert set(range(min(known), int(trades["id"][fetched].max()))) <= known
