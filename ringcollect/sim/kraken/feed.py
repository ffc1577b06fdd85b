"""One Kraken pair: its order book model turned into books of every depth, prints and tickers."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.day import Day
from ringcollect.sim.fixed import fixed
from ringcollect.sim.hub import Hub
from ringcollect.sim.kraken import texts
from ringcollect.sim.kraken.texts import Level
from ringcollect.sim.market import Event, SymbolMarket
from ringcollect.sim.scene import Scene
from ringcollect.sim.specs import SymbolSpec, linear_spec, spot_spec

MILLISECOND = 1_000_000
DEPTHS = (10, 25, 100, 500, 1000)
_TRADES_KEPT = 10_000
_EVERY_NS = 20 * MILLISECOND
_HISTORY = 50
_TWICE_SHARE = 0.01


def kraken_spec(symbol: str) -> SymbolSpec:
    """``BTC/USD``: prices with as many decimals as the tick has, quantities with eight. ConfigError for any other."""
    base, slash, quote = symbol.partition("/")
    if not slash or not base or not quote or "/" in quote:
        raise ConfigError(f"simulator: {symbol!r} is no pair of Kraken")
    price, size = linear_spec(base + "USDT"), spot_spec(base + "USDT")
    decimals, tick = price.price_decimals, price.tick_units
    while decimals and tick % 10 == 0:
        decimals, tick = decimals - 1, tick // 10
    return msgspec.structs.replace(
        size, symbol=symbol, quote=quote, price_decimals=decimals, tick_units=tick, start_tick=price.start_tick,
        volatility_ticks=price.volatility_ticks,
    )  # fmt: skip


class KrakenFeed:
    """``told[depth]`` is what a subscriber of that depth holds: the venue never says what it pushes out of it."""

    def __init__(self, symbol: str, frames_per_s: float, hub: Hub, scene: Scene) -> None:
        self.spec = kraken_spec(symbol)
        self.model = SymbolMarket(self.spec, Random(f"{scene.seed}/kraken/{symbol}"), frames_per_s)
        self.frames = 0
        self.told: dict[int, dict[int, dict[int, int]]] = {}
        self._rng = Random(f"{scene.seed}/kraken/{symbol}/wire")
        self._hub, self._scene = hub, scene
        self._trade_id = 10_000_000 + scene.start_ns // 1_000_000_000 % 1_000_000
        self._history: deque[str] = deque(maxlen=_HISTORY)
        self._old: deque[tuple[int, list[Any]]] = deque(maxlen=_TRADES_KEPT)
        self._day = Day(self.spec)
        self._best: tuple[Level, Level] | None = None
        scene.scheduler.add(self.model.next_ns, self._order)

    def first(self, channel: str, depth: int, now_ns: int) -> str:
        """What the venue sends at once on subscribing."""
        if channel == "book":
            if depth not in self.told:
                self.told[depth] = self._top(depth)
                self._every(depth)
            bids, asks = self.book(depth)
            return texts.book(self.spec.symbol, "snapshot", bids, asks, texts.checksum(bids, asks), now_ns)
        if channel == "trade":
            return texts.trades("snapshot", list(self._history))
        return texts.ticker(self.spec.symbol, "snapshot", *self._sides(), self._day.statistics(fixed), now_ns)

    def old_trades(self, since_ns: int, most: int) -> tuple[list[list[Any]], int]:
        """Rows as REST lists them, oldest first, and where the next page begins: behind ``since_ns``, 0: the newest."""
        found = [(at, row) for at, row in self._old if at > since_ns]
        found = found[:most] if since_ns else found[-most:]
        return [row for _, row in found], found[-1][0] if found else since_ns

    def book(self, depth: int) -> tuple[list[Level], list[Level]]:
        """The levels of a depth as told, best first."""
        bids, asks = self.told[depth][1], self.told[depth][-1]
        return [self._level(*one) for one in sorted(bids.items(), reverse=True)], [
            self._level(*one) for one in sorted(asks.items())
        ]

    def whole(self, most: int) -> tuple[list[Level], list[Level]]:
        """The best ``most`` levels of each side as they are."""
        return [self._level(*one) for one in self.model.bids.top(most)], [
            self._level(*one) for one in self.model.asks.top(most)
        ]

    def finish(self) -> None:
        """Push what is held back, and note the books."""
        now_ns = self._scene.start_ns + self._scene.scheduler.now_ns
        for depth in self.told:
            self._push(depth, now_ns)
            bids, asks = self.book(depth)
            self._scene.truth.line("book", s=self.spec.symbol, depth=depth, bids=bids, asks=asks)

    def _every(self, depth: int) -> None:
        scheduler, start_ns = self._scene.scheduler, self._scene.start_ns

        def job(due_ns: int) -> int:
            self._push(depth, start_ns + due_ns)
            return due_ns + _EVERY_NS

        scheduler.add(scheduler.now_ns // _EVERY_NS * _EVERY_NS + _EVERY_NS, job)

    def _level(self, tick: int, lots: int) -> Level:
        return self.spec.price(tick), self.spec.size(lots)

    def _top(self, depth: int) -> dict[int, dict[int, int]]:
        return {1: dict(self.model.bids.top(depth)), -1: dict(self.model.asks.top(depth))}

    def _sides(self) -> tuple[Level, Level]:
        bid, ask = self.model.bids.top(1)[0], self.model.asks.top(1)[0]
        return self._level(*bid), self._level(*ask)

    def _changes(self, side: int, before: dict[int, int], after: dict[int, int]) -> list[Level]:
        """What is new or other, and what is gone; a level that only fell out of the depth is not mentioned."""
        levels = (self.model.bids if side > 0 else self.model.asks).levels
        changed = {tick: 0 for tick in before if tick not in after and tick not in levels}
        changed |= {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
        told = [self._level(*one) for one in sorted(changed.items(), reverse=side > 0)]
        if told and self._rng.random() < _TWICE_SHARE:
            told.insert(0, (told[-1][0], self.spec.size(7)))  # one price twice in a frame: the last one counts
        return told

    def _push(self, depth: int, now_ns: int) -> None:
        before, after = self.told[depth], self._top(depth)
        bids, asks = (self._changes(side, before[side], after[side]) for side in (1, -1))
        self.told[depth] = after
        if not bids and not asks:
            return
        check = texts.checksum(*self.book(depth))
        stream = f"book-{depth}:{self.spec.symbol}"
        if self._spoilt(stream, now_ns):
            check ^= 1
        self._tell(stream, now_ns, texts.book(self.spec.symbol, "update", bids, asks, check, now_ns))

    def _spoilt(self, stream: str, now_ns: int) -> bool:
        scene = self._scene
        chance = scene.plan.checksum
        if not chance or scene.roll(f"checksum {stream} {self.frames}")[0] >= chance or not self._hub.wanted(stream):
            return False
        scene.truth.line("fault", t=now_ns, c=-1, fault="checksum", stream=stream, f="")
        return True

    def _tell(self, stream: str, now_ns: int, text: str) -> None:
        self.frames += 1
        self._hub.publish(stream, self.frames, now_ns, lambda _unit: text)

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        now_ns = self._scene.start_ns + event.time_ns
        if event.fills:
            self._tell_trades(event, now_ns)
        best = self._sides()
        if best != self._best:
            self._best = best
            text = texts.ticker(self.spec.symbol, "update", *best, self._day.statistics(fixed), now_ns)
            self._tell(f"ticker:{self.spec.symbol}", now_ns, text)
        return self.model.next_ns

    def _tell_trades(self, event: Event, now_ns: int) -> None:
        """All fills of one taker order in one frame."""
        rows = []
        self._day.add(event.fills)
        for fill in event.fills:
            self._trade_id += 1
            price, size = self._level(fill.tick, fill.lots)
            rows.append(texts.trade(self.spec.symbol, fill.side, price, size, self._trade_id, now_ns))
            seconds = Decimal(now_ns).scaleb(-9)
            self._old.append((now_ns, [price, size, seconds, "b" if fill.side > 0 else "s", "l", "", self._trade_id]))
            self._scene.truth.line(
                "trade", t=now_ns, m="spot", s=self.spec.symbol, id=self._trade_id, p=price, q=size, side=fill.side
            )
        self._history.extend(rows)
        self._tell(f"trade:{self.spec.symbol}", now_ns, texts.trades("update", rows))
