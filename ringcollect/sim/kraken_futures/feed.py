"""One Kraken Futures product: its order book model turned into levels, prints and tickers."""

from __future__ import annotations

import uuid
from collections import deque
from random import Random
from typing import Any

from ringcollect.sim.day import Day
from ringcollect.sim.fixed import fixed
from ringcollect.sim.hub import Hub
from ringcollect.sim.kraken_futures import texts
from ringcollect.sim.kraken_futures.specs import is_dated, is_inverse, kraken_futures_spec
from ringcollect.sim.kraken_futures.texts import MILLISECOND, Level, number
from ringcollect.sim.market import SECOND, Event, SymbolMarket
from ringcollect.sim.scene import Scene

FEEDS = ("book", "trade", "ticker", "ticker_lite")
_HISTORY = 100
_HOUR = 3600 * SECOND
_ALL = 1 << 30
_BELOW_ZERO_SHARE = 0.01
_OTHER_TYPES = ((0.005, "block"), (0.007, "assignment"), (0.009, "termination"))


class KrakenFuturesFeed:
    """Sequence numbers, UUIDs and prices are a function of the scene's seed."""

    def __init__(self, symbol: str, frames_per_s: float, hub: Hub, scene: Scene) -> None:
        self.spec = kraken_futures_spec(symbol)
        self.market = "inverse" if is_inverse(symbol) else "linear"
        self.frames = 0
        self.model = SymbolMarket(self.spec, Random(f"{scene.seed}/kraken_futures/{symbol}"), frames_per_s)
        self.sequence = scene.start_ns // MILLISECOND % 100_000_000
        self.trade_sequence = scene.start_ns // SECOND % 1_000_000
        self._rng = Random(f"{scene.seed}/kraken_futures/{symbol}/wire")
        self._hub, self._scene = hub, scene
        self._history: deque[str] = deque(maxlen=_HISTORY)
        self._best: tuple[Level, Level] | None = None
        self._day = Day(self.spec)
        scene.scheduler.add(self.model.next_ns, self._order)
        scene.scheduler.add(scene.scheduler.now_ns // SECOND * SECOND + SECOND, self._second)

    def first(self, feed: str, now_ns: int) -> str:
        """What the venue sends at once on subscribing."""
        symbol = self.spec.symbol
        if feed == "book":
            bids, asks = self.book()
            bids.insert(len(bids) // 2, (bids[len(bids) // 2][0][:-1] + "7", "0.0"))  # a row of nothing, now and then
            return texts.snapshot(symbol, self.sequence, bids, asks, now_ns)
        if feed == "trade":
            return texts.history(symbol, list(self._history))
        return self._ticker(feed, now_ns)

    def skip(self) -> None:
        """A level that nobody is told."""
        self.sequence += 1

    def book(self) -> tuple[list[Level], list[Level]]:
        """Every level, best first."""
        bids = [self._level(*one) for one in self.model.bids.top(_ALL)]
        return bids, [self._level(*one) for one in self.model.asks.top(_ALL)]

    def finish(self) -> None:
        """Note the book as it was told."""
        bids, asks = self.book()
        line = self._scene.truth.line
        line("book", m=self.market, s=self.spec.symbol, u=self.sequence, bids=bids, asks=asks)

    def _level(self, tick: int, lots: int) -> Level:
        return number(self.spec.price(tick)), number(self.spec.size(lots))

    def _tell(self, feed: str, now_ns: int, text: str) -> None:
        self.frames += 1
        self._hub.publish(f"{feed}:{self.spec.symbol}", self.frames, now_ns, lambda _unit: text)

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        now_ns = self._scene.start_ns + event.time_ns
        for side, tick in event.changed:
            levels = (self.model.bids if side > 0 else self.model.asks).levels
            price, size = self._level(tick, levels.get(tick, 0))
            if size == "0.0" and self._rng.random() < _BELOW_ZERO_SHARE:
                size = "-1.0"  # seen by others, rarely: less than nothing
            self.sequence += 1
            self._tell("book", now_ns, texts.delta(self.spec.symbol, side, self.sequence, (price, size), now_ns))
        self._tell_trades(event, now_ns)
        return self.model.next_ns

    def _tell_trades(self, event: Event, now_ns: int) -> None:
        self._day.add(event.fills)
        for fill in event.fills:
            self.trade_sequence += 1
            uid = str(uuid.UUID(int=self._rng.getrandbits(128)))
            chance = self._rng.random()
            kind = next((name for share, name in _OTHER_TYPES if chance < share), "fill")
            kind = "liquidation" if event.liquidation else kind
            level = self._level(fill.tick, fill.lots)
            text = texts.trade(self.spec.symbol, uid, fill.side, kind, self.trade_sequence, level, now_ns)
            self._history.appendleft(text)
            self._scene.truth.line(
                "trade", t=now_ns, m=self.market, s=self.spec.symbol, id=uid, seq=self.trade_sequence, p=level[0],
                q=level[1], side=fill.side, x=kind,
            )  # fmt: skip
            self._tell("trade", now_ns, text)

    def _second(self, due_ns: int) -> int:
        now_ns = self._scene.start_ns + due_ns
        for feed in ("ticker", "ticker_lite"):
            if self._hub.wanted(f"{feed}:{self.spec.symbol}"):
                self._tell(feed, now_ns, self._ticker(feed, now_ns))
        return due_ns + SECOND

    def _ticker(self, feed: str, now_ns: int) -> str:
        spec = self.spec
        bid, ask = self._level(*self.model.bids.top(1)[0]), self._level(*self.model.asks.top(1)[0])
        if feed == "ticker_lite":
            return texts.ticker_lite(spec.symbol, bid[0], ask[0])
        fields = self._values(now_ns) | {
            "bid": bid[0], "ask": ask[0], "bid_size": bid[1], "ask_size": ask[1], **self._statistics(),
            "openInterest": number(spec.size(spec.median_lots * 100_000 + self.trade_sequence % 1000)),
        }  # fmt: skip
        self._scene.truth.line("ticker", t=now_ns, m=self.market, s=spec.symbol, **fields)
        return texts.ticker(spec.symbol, fields, now_ns)

    def _statistics(self) -> dict[str, str]:
        """The 24 h; contracts of an inverse product are dollars already."""
        day = self._day.statistics(lambda units, decimals: number(fixed(units, decimals)))
        value = day.volume if self.market == "inverse" else day.value
        return {
            "last": day.last, "open": day.open, "high": day.high, "low": day.low, "volume": day.volume,
            "volumeQuote": value,
        }  # fmt: skip

    def _values(self, now_ns: int) -> dict[str, Any]:
        """Mark, index and, of perpetuals, funding: small rates have exponents."""
        fair = self.model.fair * self.spec.tick_units / 10**self.spec.price_decimals
        values = {"index": f"{fair - 0.5:.2f}", "markPrice": f"{fair:.11f}"}
        if is_dated(self.spec.symbol):
            return values | {"maturityTime": "1798185600000"}
        coming = (now_ns // _HOUR + 1) * _HOUR
        rate = (now_ns // (60 * SECOND) % 7 - 3) * 1.38e-6 + 2.7e-7
        return values | {
            "funding_rate": repr(rate * 1e-5), "funding_rate_prediction": repr(-rate * 1e-5),
            "relative_funding_rate": repr(rate), "relative_funding_rate_prediction": repr(-rate / 3),
            "next_funding_rate_time": str(coming // MILLISECOND),
        }  # fmt: skip
