"""The channel ``ticker`` of OKX against its simulated venue: off unless asked for, up to six fields a frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringcollect.feed.ledger import State
from ringcollect.records import Kind, TickerField
from ringcollect.sim.okx.venue import OkxVenue
from tests.sim.venues import Desk, scene

SYMBOLS = ("BTC-USDT", "BTC-USDT-SWAP")


def run_of(folder: Path, *channels: str) -> Desk:
    venue = OkxVenue(SYMBOLS, 200.0, scene(folder))
    run = Desk(folder, "okx", venue, {"spot": (SYMBOLS[:1], channels), "linear": (SYMBOLS[1:], channels)})
    run.run(8)
    return run


def test_statistics_of_24_h_come_field_by_field_as_the_venue_has_them(tmp_path: Path) -> None:
    run = run_of(tmp_path, "trade", "ticker")
    assert {state for state, _ in run.ledger().values()} == {State.FLOWING}
    records = run.records()
    for symbol, market, fields in (("BTC-USDT", "spot", 6), ("BTC-USDT-SWAP", "linear", 5)):
        instrument = run.registry.get(market, symbol)
        assert instrument is not None
        mine = records[records["instrument"] == instrument.number]
        tickers, trades = mine[mine["kind"] == Kind.TICKER], mine[mine["kind"] == Kind.TRADE]
        assert (
            tickers["sub"].tolist() == tickers["aux"].tolist() == list(range(1, fields + 1)) * (len(tickers) // fields)
        )
        assert len(tickers) >= 6 * fields and np.isnan(tickers["size"]).all()
        done = trades[trades["ts_event"] <= tickers["ts_event"][-1]]
        last = dict(zip(tickers["sub"][-fields:].tolist(), tickers["price"][-fields:].tolist(), strict=True))
        assert last[TickerField.LAST] == done["price"][-1]
        assert last[TickerField.LOW] <= done["price"].min() <= done["price"].max() <= last[TickerField.HIGH]
        matched = [
            line for line in run.truth("trade") if line["s"] == symbol and line["t"] <= tickers["ts_event"][-1] + 10**6
        ]
        assert (
            abs(last[TickerField.BASE_VOLUME] - sum(float(line["q"]) for line in matched))
            < 1e-6 * last[TickerField.BASE_VOLUME]
        )
        if market == "spot":
            value = sum(float(line["q"]) * float(line["p"]) for line in matched)
            assert abs(last[TickerField.QUOTE_VOLUME] - value) < 1e-6 * value
    assert run.ring.counters["rejected"] == 0


def test_nobody_gets_tickers_who_did_not_ask_for_them(tmp_path: Path) -> None:
    run = run_of(tmp_path, "trade", "bbo", "book")
    assert not np.count_nonzero(run.records()["kind"] == Kind.TICKER)
