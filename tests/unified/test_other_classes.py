"""More of ccxt's classes, each against the simulator of its exchange: nothing of the adapter is Binance's alone."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from ringcollect.feed.ledger import Reason, State
from ringcollect.records import Channel, Kind
from tests.unified.desk import LONG, batches, collected, top_of

pytestmark = [
    pytest.mark.skipif(find_spec("ccxt") is None, reason="not installed: pip install 'ringcollect[ccxt]'"),
    pytest.mark.slow,
    LONG,  # what it promises of every class, test_process.py shows of one
]

CASES = {
    "bybit": (("spot", "BTC-USDT"), ("linear", "BTC-USDT-PERP")),
    "okx": (("spot", "BTC-USDT"), ("linear", "BTC-USDT-PERP")),
    "upbit": (("spot", "BTC-KRW"),),
}
NATIVE = {
    ("bybit", "spot"): "BTCUSDT", ("bybit", "linear"): "BTCUSDT", ("okx", "spot"): "BTC-USDT",
    ("okx", "linear"): "BTC-USDT-SWAP", ("upbit", "spot"): "KRW-BTC",
}  # fmt: skip
CHANNELS = ("book", "trade", "ticker")


@pytest.mark.parametrize("exchange", CASES)
def test_trades_are_the_markets_and_books_are_whole(exchange, tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))

    def enough(reader) -> bool:
        rows = reader.ledger.rows()
        busy = rows[np.isin(rows["channel"], (Channel.BOOK, Channel.TRADE))]
        return len(busy) == 2 * len(CASES[exchange]) and int(busy["frames"].min()) > 15

    markets = {market: ((symbol,), CHANNELS) for market, symbol in CASES[exchange]}
    run = collected(tmp_path, markets, enough, exchange=exchange)
    assert run.counters["frames_in"] == sum(run.counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    assert run.counters["rejected"] == 0
    for market in markets:
        told = {
            (float(t["p"]), float(t["q"]), t["side"]) for t in run.truth("trade") if t["s"] == NATIVE[exchange, market]
        }
        trades = run.of(market, Kind.TRADE)
        assert len(trades) and {(r["price"], r["size"], r["side"]) for r in trades} <= told
        for batch in batches(run.of(market, Kind.BOOK_SNAPSHOT)):
            bids, asks = top_of(batch)
            assert 0 < len(bids) <= 20 and bids == tuple(sorted(bids, reverse=True)) and asks == tuple(sorted(asks))
            assert bids[0][0] < asks[0][0]
    if exchange == "okx":  # the simulator has no tickers: ccxt tells everybody, and only these are refused
        failed = run.ledger[run.ledger["state"] == State.FAILED]
        assert set(failed["channel"]) == {Channel.TICKER} and set(failed["reason"]) == {Reason.REFUSED}
