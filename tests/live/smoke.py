"""One short run of one exchange's feed process, and what can be said of it without knowing what the market did."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ringcollect.config import Collector, Config, Market
from ringcollect.config.unified import is_unified
from ringcollect.config.venues import markets_of, venue_of
from ringcollect.exchanges import load
from ringcollect.feed.ledger import REASON_TEXT, Reason, State
from ringcollect.feed.process import run
from ringcollect.records import Channel, Kind
from ringcollect.ring.attach import attach

BUSY = {Channel.BOOK, Channel.TRADE, Channel.BBO}
"""Channels that say something within a minute, if the exchange's largest instrument is asked for."""
_SYMBOLS = {
    ("coinbase", "spot"): "BTC-USD", ("kraken", "spot"): "BTC-USD", ("upbit", "spot"): "KRW-BTC",
    ("deribit", "linear"): "BTC-USDC-PERP",
    ("kraken_futures", "linear"): "BTC-USD-PERP",
}  # fmt: skip
_USUAL = {"spot": "BTC-USDT", "linear": "BTC-USDT-PERP", "inverse": "BTC-USD-PERP"}


@dataclass
class Smoke:
    """What came out: records, counters, and a line for each stream."""

    records: np.ndarray
    counters: dict[str, int]
    rows: list[tuple[str, Channel, State, Reason, int]]

    def report(self) -> str:
        """A table for whoever ran it."""
        lines = [
            f"{symbol:<24} {channel.name.lower():<14} {state.name.lower():<10} {frames:>8} {REASON_TEXT[reason]}"
            for symbol, channel, state, reason, frames in self.rows
        ]
        counted = ", ".join(f"{name} {value:,}" for name, value in self.counters.items() if value)
        return "\n".join([*lines, counted])

    def problems(self) -> list[str]:
        """What must not be; [] if all is well."""
        counted = self.counters
        found = []
        if counted["frames_in"] != sum(counted[name] for name in ("decoded", "control", "ignored", "rejected")):
            found.append("frames do not add up")
        if counted["rejected"]:
            found.append(f"{counted['rejected']} frames were rejected")
        for symbol, channel, state, reason, frames in self.rows:
            if state is State.FAILED or (channel in BUSY and not frames):
                found.append(f"{symbol} {channel.name.lower()}: {state.name.lower()} {REASON_TEXT[reason]}")
        data = self.records[self.records["kind"] != Kind.STATUS]
        prices = data[np.isin(data["kind"], (Kind.TRADE, Kind.BOOK_SNAPSHOT))]["price"]
        if not len(data) or not (prices[~np.isnan(prices)] > 0).all():
            found.append("no records, or prices that are none")
        return found


def configured(exchange: str, folder: Path, **more: Any) -> Config:
    """Every market of ``exchange`` with its largest instrument and every channel; ``more`` are keys of each market."""
    markets = []
    for market in ("spot",) if is_unified(exchange) else markets_of(exchange):
        venue = venue_of(exchange, market)
        assert venue is not None
        symbol = _SYMBOLS.get((exchange, market), _USUAL.get(market, ""))
        markets.append(Market(exchange=exchange, market=market, symbols=(symbol,), channels=venue.channels))
    markets = [msgspec.structs.replace(market, **more) for market in markets]
    collector = Collector(data=str(folder / "data"), runtime_dir=str(folder / "run"))
    return Config(collector=collector, markets=tuple(markets))


def smoke(config: Config, seconds: float) -> Smoke:
    """Run the feed of the configured exchange for ``seconds``, or until every busy stream has said something."""
    [exchange] = config.exchanges()
    venue: Any = load(exchange)
    venue.warm()
    ring = config.runtime_path() / f"{exchange}.rec.ring"
    deadline = time.monotonic() + seconds
    readers: list[Any] = []

    def stop() -> bool:
        if not readers and ring.exists():
            readers.append(attach(ring))
        if not readers:
            return time.monotonic() > deadline
        rows = readers[0].ledger.rows()
        busy = rows[np.isin(rows["channel"], [int(channel) for channel in BUSY])]
        return time.monotonic() > deadline or (len(busy) > 0 and bool((busy["frames"] > 5).all()))

    run(config, exchange, stop)
    reader = attach(ring)
    reader.cursor = 0
    names = {one.number: one.symbol for one in reader.instruments()}
    rows = [
        (
            names[int(row["instrument"])],
            Channel(int(row["channel"])),
            State(int(row["state"])),
            Reason(int(row["reason"])),
            int(row["frames"]),
        )
        for row in reader.ledger.rows()
    ]
    return Smoke(reader.read(1 << 20).records, dict(reader.counters), rows)
