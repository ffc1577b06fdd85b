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
from ringcollect.sim.okx.venue import OkxVenue
from tests.sim.venues import Desk, scene

LAST, OPEN, HIGH, LOW, BASE, QUOTE = TickerField
ALL = tuple(TickerField)


class Case(NamedTuple):
    """``fields`` by market: what the venue sends. ``dollars``: markets whose sizes are quote currency."""

    venue: Callable[[Path], Any]
    symbols: dict[str, tuple[str, ...]]
    fields: dict[str, tuple[TickerField, ...]]
    dollars: tuple[str, ...] = ()


BYBIT = {"spot": ("ETHUSDT",), "linear": ("BTCUSDT",), "inverse": ("BTCUSD",)}
OKX = {"spot": ("BTC-USDT",), "linear": ("BTC-USDT-SWAP",)}
CASES = {
    "bybit": Case(
        lambda folder: BybitVenue(BYBIT, 200.0, scene(folder)), BYBIT, dict.fromkeys(BYBIT, ALL), ("inverse",)
    ),
    "okx": Case(
        lambda folder: OkxVenue(OKX["spot"] + OKX["linear"], 200.0, scene(folder)), OKX,
        {"spot": ALL, "linear": ALL[:-1]},
    ),
}  # fmt: skip


def run_of(folder: Path, exchange: str, *channels: str) -> Desk:
    case = CASES[exchange]
    markets = {market: (symbols, channels) for market, symbols in case.symbols.items()}
    run = Desk(folder, exchange, case.venue(folder), markets)
    run.run(8)
    return run


def day(run: Desk, symbol: str, ts_event: int, *, dollars: bool) -> dict[TickerField, Decimal]:
    """The statistics as the venue's own list of trades has them."""
    done = [(Decimal(x["p"]), Decimal(x["q"])) for x in run.truth("trade") if x["s"] == symbol and x["t"] <= ts_event]
    prices, volume = [price for price, _ in done], sum(size for _, size in done)
    value = sum(size / price if dollars else size * price for price, size in done)
    volumes = (value, volume) if dollars else (volume, value)
    return dict(zip(ALL, (prices[-1], prices[0], max(prices), min(prices), *map(Decimal, volumes)), strict=True))


@pytest.mark.parametrize("exchange", CASES)
def test_statistics_of_24_h_come_field_by_field_as_the_venue_has_them(tmp_path: Path, exchange: str) -> None:
    run = run_of(tmp_path, exchange, "ticker")
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    records = run.records()
    records = records[records["kind"] != Kind.STATUS]
    assert set(records["kind"].tolist()) == {Kind.TICKER}
    for market, (symbol,) in CASES[exchange].symbols.items():
        fields = CASES[exchange].fields[market]
        instrument = run.registry.get(market, symbol)
        assert instrument is not None
        tickers = records[records["instrument"] == instrument.number]
        assert tickers["sub"].tolist() == tickers["aux"].tolist() == list(fields) * (len(tickers) // len(fields))
        assert len(tickers) >= 6 * len(fields) and np.isnan(tickers["size"]).all()
        last = tickers[-len(fields) :]
        assert set(last["ts_event"].tolist()) == {last["ts_event"][0]}
        dollars = market in CASES[exchange].dollars
        expected = day(run, symbol, int(last["ts_event"][0]), dollars=dollars)
        got = dict(zip(fields, last["price"].tolist(), strict=True))
        if dollars:  # every fill's coins are rounded down
            assert got.pop(BASE) == pytest.approx(float(expected[BASE]), rel=1e-4)
        assert got == {field: float(expected[field]) for field in got}
    assert run.ring.counters["rejected"] == 0


@pytest.mark.parametrize("exchange", CASES)
def test_nobody_gets_tickers_who_did_not_ask_for_them(tmp_path: Path, exchange: str) -> None:
    run = run_of(tmp_path, exchange, "trade", "bbo", "book")
    assert not np.count_nonzero(run.records()["kind"] == Kind.TICKER)
    assert Channel.TICKER not in {channel for _, channel in run.ledger()}
