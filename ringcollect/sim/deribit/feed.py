"""One Deribit instrument: its order book model turned into the venue's notifications, ten times a second."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import Any

from ringcollect.sim.day import Day
from ringcollect.sim.deribit import texts
from ringcollect.sim.deribit.specs import deribit_spec, is_perpetual
from ringcollect.sim.deribit.texts import MILLISECOND, Level
from ringcollect.sim.fixed import fixed
from ringcollect.sim.hub import Hub
from ringcollect.sim.market import Event, SymbolMarket
from ringcollect.sim.scene import Scene

_EVERY_NS = 100 * MILLISECOND
_TRADES_KEPT = 10_000


class DeribitFeed:
    """``told`` is the book as the notifications have said it; quotes come at once, all else every 100 ms."""

    def __init__(self, symbol: str, frames_per_s: float, hub: Hub, scene: Scene) -> None:
        self.spec = deribit_spec(symbol)
        self.model = SymbolMarket(self.spec, Random(f"{scene.seed}/deribit/{symbol}"), frames_per_s)
        self.frames = 0
        self.change_id = scene.start_ns // MILLISECOND
        self.told: dict[int, dict[int, int]] = {1: dict(self.model.bids.levels), -1: dict(self.model.asks.levels)}
        self._rng = Random(f"{scene.seed}/deribit/{symbol}/wire")
        self._hub, self._scene = hub, scene
        self._touched: dict[tuple[int, int], None] = {}
        self._trade_seq = scene.start_ns // 1_000_000_000 % 100_000_000
        self._prints: list[dict[str, Any]] = []
        self._old: deque[dict[str, Any]] = deque(maxlen=_TRADES_KEPT)
        self._day = Day(self.spec)
        scene.scheduler.add(self.model.next_ns, self._order)
        scene.scheduler.add(scene.scheduler.now_ns // _EVERY_NS * _EVERY_NS + _EVERY_NS, self._tick)

    def channels(self) -> dict[str, str]:
        """What can be subscribed, and the kind of each."""
        symbol = self.spec.symbol
        kinds = {f"{kind}.{symbol}.100ms": kind for kind in ("book", "trades", "ticker")}
        return kinds | {f"quote.{symbol}": "quote"}

    def first(self, kind: str, now_ns: int) -> str:
        """What the venue sends at once on subscribing; "" for nothing."""
        if kind == "book":
            return self._book_text("snapshot", self._levels("new", self.told), now_ns)
        if kind == "quote":
            return self._quote_text(now_ns)
        return self._ticker_text(now_ns) if kind == "ticker" else ""

    def book(self) -> tuple[list[Level], list[Level]]:
        """The levels as told, best first."""
        bids, asks = self.told[1], self.told[-1]
        return [self._level(*one) for one in sorted(bids.items(), reverse=True)], [
            self._level(*one) for one in sorted(asks.items())
        ]

    def old_trades(self, first: int, last: int, most: int, *, newest: bool) -> tuple[list[dict[str, Any]], bool]:
        """Trades of a range of ``trade_seq``, and whether there are more of them."""
        found = [row for row in self._old if first <= row["trade_seq"] <= last]
        found = found[::-1] if newest else found
        return found[:most], len(found) > most

    def finish(self) -> None:
        """Push what is held back, and note the book."""
        self._push(self._scene.start_ns + self._scene.scheduler.now_ns)
        bids, asks = self.book()
        self._scene.truth.line("book", s=self.spec.symbol, bids=bids, asks=asks)

    def _level(self, tick: int, lots: int) -> Level:
        return self.spec.price(tick), self.spec.size(lots)

    def _levels(self, action: str, sides: dict[int, dict[int, int]]) -> dict[int, list[tuple[str, Level]]]:
        return {side: [(action, self._level(*one)) for one in sides[side].items()] for side in (1, -1)}

    def _book_text(self, kind: str, levels: dict[int, list[tuple[str, Level]]], now_ns: int, previous: int = -1) -> str:
        symbol = self.spec.symbol
        data: dict[str, Any] = {"type": kind, "timestamp": now_ns // MILLISECOND}
        if previous >= 0:
            data["prev_change_id"] = previous
        data |= {"instrument_name": symbol, "change_id": self.change_id}
        data |= {"bids": texts.changes(levels[1]), "asks": texts.changes(levels[-1])}
        return texts.note(f"book.{symbol}.100ms", data)

    def _changes(self) -> dict[int, list[tuple[str, Level]]]:
        """What differs from what was told, which is told with it."""
        made: dict[int, list[tuple[str, Level]]] = {1: [], -1: []}
        for side, tick in self._touched:
            lots = (self.model.bids if side > 0 else self.model.asks).levels.get(tick, 0)
            known = self.told[side].get(tick, 0)
            if lots == known:
                continue
            action = "delete" if not lots else "change" if known else "new"
            made[side].append((action, self._level(tick, lots)))
            if lots:
                self.told[side][tick] = lots
            else:
                del self.told[side][tick]
        self._touched.clear()
        return made

    def _push(self, now_ns: int) -> None:
        symbol = self.spec.symbol
        changes = self._changes()
        if changes[1] or changes[-1]:
            previous, self.change_id = self.change_id, self.change_id + self._rng.randrange(1, 9)
            text = self._book_text("change", changes, now_ns, previous)
            self._tell(f"book.{symbol}.100ms", self.change_id, now_ns, text)
        if self._prints:
            prints, self._prints = self._prints, []
            stream = f"trades.{symbol}.100ms"
            self._tell(stream, prints[-1]["trade_seq"], now_ns, texts.note(stream, prints))
        self._tell(f"ticker.{symbol}.100ms", now_ns, now_ns, self._ticker_text(now_ns))

    def _tick(self, due_ns: int) -> int:
        self._push(self._scene.start_ns + due_ns)
        return due_ns + _EVERY_NS

    def _best(self) -> dict[str, Any]:
        best: dict[str, Any] = {}
        for name, side in (("bid", self.model.bids), ("ask", self.model.asks)):
            price, amount = self._level(*side.top(1)[0])
            best |= {f"best_{name}_price": float(price), f"best_{name}_amount": float(amount)}
        return best

    def _quote_text(self, now_ns: int) -> str:
        named = {"timestamp": now_ns // MILLISECOND, "instrument_name": self.spec.symbol}
        return texts.note(f"quote.{self.spec.symbol}", named | self._best())

    def _fair(self, shift: int = 0) -> float:
        return float(fixed(int(self.model.fair * self.spec.tick_units) + shift, self.spec.price_decimals))

    def _ticker_text(self, now_ns: int) -> str:
        symbol = self.spec.symbol
        data = {
            "timestamp": now_ns // MILLISECOND, "state": "open", **self._statistics(),
            "open_interest": 164_500.0 + self._trade_seq % 100, "mark_price": self._fair(),
            "index_price": self._fair(3), "instrument_name": symbol,
        }  # fmt: skip
        if is_perpetual(symbol):
            data |= {"current_funding": -0.00010782, "funding_8h": -0.00022427}
        return texts.note(f"ticker.{symbol}.100ms", data | self._best())

    def _statistics(self) -> dict[str, Any]:
        """The 24 h: volume is coins, also where amounts are dollars. Before the first trade there are no prices."""
        if not self._old:
            return {"last_price": None, "stats": {"high": None, "low": None, "volume": 0.0}}
        day = self._day.statistics(fixed)
        volume = day.coins if self.spec.quote == "USD" else day.volume
        stats = {"high": float(day.high), "low": float(day.low), "volume": float(volume)}
        return {"last_price": float(day.last), "stats": stats}

    def _tell(self, stream: str, key: int, now_ns: int, text: str) -> None:
        self.frames += 1
        self._hub.publish(stream, key, now_ns, lambda _unit: text)

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        now_ns = self._scene.start_ns + event.time_ns
        self._touched |= dict.fromkeys(event.changed)
        self._print(event, now_ns)
        if event.top_moved:
            self._tell(f"quote.{self.spec.symbol}", event.time_ns, now_ns, self._quote_text(now_ns))
        return self.model.next_ns

    def _print(self, event: Event, now_ns: int) -> None:
        self._day.add(event.fills)
        for fill in event.fills:
            self._trade_seq += 1
            price, amount = self._level(fill.tick, fill.lots)
            row = {
                "trade_seq": self._trade_seq, "trade_id": f"{self.spec.base}-{self._trade_seq * 3}",
                "timestamp": now_ns // MILLISECOND, "tick_direction": 2, "price": float(price),
                "mark_price": self._fair(), "instrument_name": self.spec.symbol, "index_price": self._fair(3),
                "direction": "buy" if fill.side > 0 else "sell", "amount": float(amount),
            }  # fmt: skip
            if event.liquidation:
                row["liquidation"] = "T"
            self._prints.append(row)
            self._old.append(row)
            self._scene.truth.line(
                "trade", t=now_ns, s=self.spec.symbol, id=self._trade_seq, p=price, q=amount, side=fill.side,
                forced=event.liquidation,
            )  # fmt: skip
