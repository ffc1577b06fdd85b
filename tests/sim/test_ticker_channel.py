"""The channel ``ticker`` against simulated venues: off unless asked for, field by field what the venue's day was."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Kind, TickerField
from ringcollect.sim.bybit.venue import BybitVenue
from ringcollect.sim.coinbase.venue import CoinbaseVenue
from ringcollect.sim.deribit.venue import DeribitVenue
from ringcollect.sim.kraken.venue import KrakenVenue
from ringcollect.sim.kraken_futures.venue import KrakenFuturesVenue
from ringcollect.sim.okx.venue import OkxVenue
from ringcollect.sim.upbit.venue import UpbitVenue
from tests.sim.venues import Desk, scene

LAST, OPEN, HIGH, LOW, BASE, QUOTE = TickerField
MS = 1_000_000


USUAL = {LAST: "last", OPEN: "open", HIGH: "high", LOW: "low", BASE: "sizes", QUOTE: "values"}
"""What each field is made of."""


def without(*fields: TickerField) -> dict[TickerField, str]:
    return {field: what for field, what in USUAL.items() if field not in fields}


class Case(NamedTuple):
    """``fields`` by market: what the venue sends, and of which sum or extreme of its trades it is."""

    venue: Callable[[Path], Any]
    symbols: dict[str, str]
    fields: dict[str, dict[TickerField, str]]
    exchange: str = ""
    url: str = ""


BYBIT = {"spot": ("ETHUSDT",), "linear": ("BTCUSDT",), "inverse": ("BTCUSD",)}
CASES = {
    "bybit": Case(
        lambda folder: BybitVenue(BYBIT, 200.0, scene(folder)),
        {market: symbol for market, (symbol,) in BYBIT.items()},
        {"spot": USUAL, "linear": USUAL, "inverse": USUAL | {BASE: "coins", QUOTE: "sizes"}},
    ),
    "coinbase": Case(
        lambda folder: CoinbaseVenue(("BTC-USD",), 100.0, scene(folder)),
        {"spot": "BTC-USD"},
        {"spot": without(OPEN, QUOTE)},
    ),
    "coinbase, Exchange feed": Case(
        lambda folder: CoinbaseVenue(("BTC-USD",), 100.0, scene(folder)),
        {"spot": "BTC-USD"},
        {"spot": without(QUOTE)},
        "coinbase",
        "ws://127.0.0.1:1/ws-feed",
    ),
    "deribit": Case(
        lambda folder: DeribitVenue(("BTC_USDC-PERPETUAL", "BTC-PERPETUAL"), 200.0, scene(folder)),
        {"linear": "BTC_USDC-PERPETUAL", "inverse": "BTC-PERPETUAL"},
        {"linear": without(OPEN, QUOTE), "inverse": without(OPEN, QUOTE) | {BASE: "coins"}},
    ),
    "kraken": Case(
        lambda folder: KrakenVenue(("BTC/USD",), 100.0, scene(folder)),
        {"spot": "BTC/USD"},
        {"spot": without(OPEN, QUOTE)},
    ),
    "kraken_futures": Case(
        lambda folder: KrakenFuturesVenue(("PF_XBTUSD", "PI_XBTUSD"), 200.0, scene(folder)),
        {"linear": "PF_XBTUSD", "inverse": "PI_XBTUSD"},
        {"linear": USUAL, "inverse": USUAL | {QUOTE: "sizes"}},
    ),
    "okx": Case(
        lambda folder: OkxVenue(("BTC-USDT", "BTC-USDT-SWAP"), 200.0, scene(folder)),
        {"spot": "BTC-USDT", "linear": "BTC-USDT-SWAP"},
        {"spot": USUAL, "linear": without(QUOTE)},
    ),
    "upbit": Case(
        lambda folder: UpbitVenue(("KRW-BTC",), 100.0, scene(folder)),
        {"spot": "KRW-BTC"},
        {"spot": without(OPEN, HIGH, LOW)},
    ),
}


def run_of(folder: Path, exchange: str, *channels: str) -> Desk:
    case = CASES[exchange]
    markets = {market: ((symbol,), channels) for market, symbol in case.symbols.items()}
    run = Desk(folder, case.exchange or exchange, case.venue(folder), markets, url=case.url)
    run.run(8)
    return run


def day(run: Desk, symbol: str, ts_event: int) -> dict[str, Decimal]:
    """The statistics as the venue's own list of trades has them; some times are cut to ms."""
    until = ts_event + MS - 1
    done = [(Decimal(x["p"]), Decimal(x["q"])) for x in run.truth("trade") if x["s"] == symbol and x["t"] <= until]
    prices, zero = [price for price, _ in done], Decimal(0)
    return {
        "last": prices[-1], "open": prices[0], "high": max(prices), "low": min(prices),
        "sizes": sum((size for _, size in done), zero), "values": sum((size * price for price, size in done), zero),
        "coins": sum((size / price for price, size in done), zero),
    }  # fmt: skip


@pytest.mark.parametrize("exchange", CASES)
def test_statistics_of_24_h_come_field_by_field_as_the_venue_has_them(tmp_path: Path, exchange: str) -> None:
    run = run_of(tmp_path, exchange, "ticker")
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    records = run.records()
    records = records[records["kind"] != Kind.STATUS]
    assert set(records["kind"].tolist()) == {Kind.TICKER}
    for market, symbol in CASES[exchange].symbols.items():
        fields = CASES[exchange].fields[market]
        instrument = run.registry.get(market, symbol)
        assert instrument is not None
        tickers = records[records["instrument"] == instrument.number]
        assert (tickers["sub"] == tickers["aux"]).all() and np.isnan(tickers["size"]).all()
        assert len(tickers) >= 6 * len(fields)
        last = tickers[-len(fields) :]
        assert last["sub"].tolist() == list(fields)
        assert set(last["ts_event"].tolist()) == {last["ts_event"][0]}
        truth = day(run, symbol, int(last["ts_event"][0]))
        for (field, what), value in zip(fields.items(), last["price"].tolist(), strict=True):
            if what == "coins":  # every fill's are rounded down
                assert value == pytest.approx(float(truth[what]), rel=1e-4)
            else:
                assert value == float(truth[what]), (symbol, field)
    assert run.ring.counters["rejected"] == 0


@pytest.mark.parametrize("exchange", CASES)
def test_nobody_gets_tickers_who_did_not_ask_for_them(tmp_path: Path, exchange: str) -> None:
    run = run_of(tmp_path, exchange, "trade", "bbo", "book")
    assert not np.count_nonzero(run.records()["kind"] == Kind.TICKER)
    assert Channel.TICKER not in {channel for _, channel in run.ledger()}
