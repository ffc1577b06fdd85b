"""One Coinbase product: its order book model turned into the messages of both feeds."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.coinbase import texts
from ringcollect.sim.coinbase.texts import SECOND, Level
from ringcollect.sim.day import Day
from ringcollect.sim.fixed import trimmed
from ringcollect.sim.market import Fill, SymbolMarket
from ringcollect.sim.scene import Scene
from ringcollect.sim.specs import SymbolSpec, spot_spec

MILLISECOND = 1_000_000
_BOOK_NS = 50 * MILLISECOND
_TRADES_NS = 250 * MILLISECOND
_HISTORY = 100
_TRADES_KEPT = 10_000
_PUBLISHED_NS = 40 * MILLISECOND
"""How much later than the match a message says it was published."""
Text = Callable[[], str]
Tell = Callable[[str, int, int, Text], None]
"""``tell(stream, key, now_ns, text)``: to everyone who listens; a text nobody hears is not spelled."""


def coinbase_spec(product: str) -> SymbolSpec:
    """``BTC-USD``. Raises ConfigError for what is no product."""
    base, dash, quote = product.partition("-")
    if not dash or not base or not quote or "-" in quote:
        raise ConfigError(f"simulator: {product!r} is no product of Coinbase")
    coin = spot_spec(base + ("USDT" if quote in ("USD", "GBP") else quote))
    return msgspec.structs.replace(coin, symbol=product, base=base, quote=quote)


class CoinbaseFeed:
    """``deep``: levels a side far from the best that never change, as a real book has them by the ten thousand."""

    def __init__(self, product: str, frames_per_s: float, scene: Scene, tell: Tell, *, deep: int = 0) -> None:
        self.spec = coinbase_spec(product)
        self.frames = 0
        self.model = SymbolMarket(self.spec, Random(f"{scene.seed}/coinbase/{product}"), frames_per_s)
        self._scene, self._tell = scene, tell
        self.told: dict[int, dict[int, int]] = {1: dict(self.model.bids.levels), -1: dict(self.model.asks.levels)}
        """Side -> tick -> lots, as both feeds have told it."""
        far = {1: range(1, deep + 1), -1: range(4 * self.spec.start_tick, 4 * self.spec.start_tick + deep)}
        for side, ticks in far.items():
            self.told[side] |= dict.fromkeys(ticks, self.spec.median_lots)
        self._touched: dict[tuple[int, int], None] = {}
        self._matched_ns = scene.start_ns
        self._trade_id = scene.start_ns // SECOND % 10**9
        self._fresh: list[dict[str, Any]] = []
        self._history: deque[dict[str, Any]] = deque(maxlen=_HISTORY)
        self._old: deque[dict[str, Any]] = deque(maxlen=_TRADES_KEPT)
        self._best: tuple[str, ...] = ()
        self._day = Day(self.spec)
        scene.scheduler.add(self.model.next_ns, self._order)
        scene.scheduler.add(_BOOK_NS, lambda due_ns: self._again(due_ns, _BOOK_NS, self._push_book))
        scene.scheduler.add(_TRADES_NS, lambda due_ns: self._again(due_ns, _TRADES_NS, self._push_trades))

    def first(self, leg: str, channel: str, now_ns: int) -> str:
        """What comes at once on subscribing; "" for nothing."""
        product = self.spec.symbol
        if channel == "level2":
            return texts.l2_data(product, "snapshot", self.book(), self._matched_ns, now_ns)
        if channel == "level2_batch":
            return texts.exchange_book(product, self.book())
        if channel == "market_trades" and len(self._history) > len(self._fresh):
            rows = list(self._history)[: len(self._history) - len(self._fresh)][::-1]
            return texts.envelope("market_trades", now_ns, {"type": "snapshot", "trades": rows})
        if channel == "matches" and self._history:
            return self._match_text("last_match", self._history[-1])
        if channel == "ticker":
            return self._ticker_text("snapshot", now_ns) if leg == "advanced" else self._exchange_ticker_text(now_ns)
        return ""

    def old_trades(self, before: int, most: int) -> list[dict[str, Any]]:
        """Trades with ids below ``before`` (0: the newest) as the Exchange's REST lists them, newest first."""
        found = [row for row in self._old if not before or int(row["trade_id"]) < before][-most:][::-1]
        return [
            {
                "trade_id": int(row["trade_id"]), "side": row["side"].lower(), "size": row["size"],
                "price": row["price"], "time": row["time"],
            }
            for row in found
        ]  # fmt: skip

    def book(self) -> list[Level]:
        """Every level as told, bids from the best down, then asks from the best up."""
        return [
            (side, *self._level(tick, lots))
            for side in (1, -1)
            for tick, lots in sorted(self.told[side].items(), reverse=side > 0)
        ]

    def finish(self) -> None:
        """Push what is held back."""
        now_ns = self._scene.start_ns + self._scene.scheduler.now_ns
        self._push_book(now_ns)
        self._push_trades(now_ns)

    def _again(self, due_ns: int, interval_ns: int, push: Callable[[int], None]) -> int:
        push(self._scene.start_ns + due_ns)
        return due_ns + interval_ns

    def _send(self, stream: str, now_ns: int, text: Text) -> None:
        self.frames += 1
        self._tell(f"{stream}:{self.spec.symbol}", self.frames, now_ns, text)

    def _level(self, tick: int, lots: int) -> tuple[str, str]:
        spec = self.spec
        size = trimmed(lots * spec.lot_units, spec.size_decimals) if lots else "0"
        return trimmed(tick * spec.tick_units, spec.price_decimals), size

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        if event.changed:
            self._matched_ns = self._scene.start_ns + event.time_ns
            self._touched |= dict.fromkeys(event.changed)
            for fill in event.fills:
                self._day.add((fill,))
                self._trade(fill)
        return self.model.next_ns

    def _trade(self, fill: Fill) -> None:
        """The wire says the maker's side; the truth, as everywhere, the taker's."""
        self._trade_id += 1
        price, size = self._level(fill.tick, fill.lots)
        row = {
            "product_id": self.spec.symbol, "trade_id": str(self._trade_id), "price": price, "size": size,
            "time": texts.micro(self._matched_ns), "side": "SELL" if fill.side > 0 else "BUY",
        }  # fmt: skip
        self._scene.truth.line(
            "trade", t=self._matched_ns, m="spot", s=self.spec.symbol, id=self._trade_id, p=price, q=size,
            side=fill.side,
        )  # fmt: skip
        self._fresh.append(row)
        self._history.append(row)
        self._old.append(row)
        self._send("exchange:matches", self._matched_ns, lambda: self._match_text("match", row))
        self._send("exchange:ticker", self._matched_ns, lambda: self._exchange_ticker_text(self._matched_ns))

    def _push_trades(self, now_ns: int) -> None:
        """Newest first."""
        if self._fresh:
            rows, self._fresh = self._fresh[::-1], []
            event = {"type": "update", "trades": rows}
            self._send("advanced:market_trades", now_ns, lambda: texts.envelope("market_trades", now_ns, event))

    def _push_book(self, now_ns: int) -> None:
        """Every level that was touched, also one that came and went in between: a zero for a level nobody has."""
        if self._touched:
            touched, self._touched = self._touched, {}
            levels: list[Level] = []
            for side, tick in sorted(touched, key=lambda one: (-one[0], -one[0] * one[1])):
                lots = (self.model.bids if side > 0 else self.model.asks).levels.get(tick, 0)
                levels.append((side, *self._level(tick, lots)))
                if lots:
                    self.told[side][tick] = lots
                else:
                    self.told[side].pop(tick, None)
            product, published_ns = self.spec.symbol, now_ns + _PUBLISHED_NS
            matched_ns = self._matched_ns
            self._send(
                "advanced:level2", now_ns, lambda: texts.l2_data(product, "update", levels, matched_ns, published_ns)
            )
            self._send("exchange:level2_batch", now_ns, lambda: texts.l2update(product, levels, matched_ns))
        if self._best != (best := self._best_now()):
            self._best = best
            self._send("advanced:ticker", now_ns, lambda: self._ticker_text("update", now_ns))

    def _best_now(self) -> tuple[str, ...]:
        """Price and size of the best bid, then of the best ask."""
        return (*self._level(*self.model.bids.top(1)[0]), *self._level(*self.model.asks.top(1)[0]))

    def _ticker_text(self, kind: str, now_ns: int) -> str:
        bid, bid_size, ask, ask_size = self._best_now()
        day = self._day.statistics(trimmed)
        one = {
            "type": "ticker", "product_id": self.spec.symbol, "price": day.last, "volume_24_h": day.volume,
            "low_24_h": day.low, "high_24_h": day.high, "price_percent_chg_24_h": "0.09601107287722",
            "best_bid": bid, "best_ask": ask,
            "best_bid_quantity": bid_size, "best_ask_quantity": ask_size,
        }  # fmt: skip
        return texts.envelope("ticker", now_ns, {"type": kind, "tickers": [one]})

    def _exchange_ticker_text(self, now_ns: int) -> str:
        """Its ``side`` is the taker's, unlike a match's."""
        bid, bid_size, ask, ask_size = self._best_now()
        maker = self._history[-1]["side"] if self._history else "BUY"
        day = self._day.statistics(trimmed)
        return texts.plain({
            "type": "ticker", "sequence": self._trade_id * 7, "product_id": self.spec.symbol, "price": day.last,
            "open_24h": day.open, "volume_24h": day.volume, "low_24h": day.low, "high_24h": day.high,
            "best_bid": bid, "best_bid_size": bid_size, "best_ask": ask,
            "best_ask_size": ask_size, "side": "sell" if maker == "BUY" else "buy", "time": texts.micro(now_ns),
            "trade_id": self._trade_id, "last_size": "0.04",
        })  # fmt: skip

    def _match_text(self, kind: str, row: dict[str, Any]) -> str:
        maker, taker = (str(uuid.UUID(int=int(row["trade_id"]) * 2**64 + k)) for k in (1, 2))
        return texts.plain({
            "type": kind, "trade_id": int(row["trade_id"]), "maker_order_id": maker, "taker_order_id": taker,
            "side": row["side"].lower(), "size": row["size"], "price": row["price"],
            "product_id": self.spec.symbol, "sequence": int(row["trade_id"]) * 7 + 1, "time": row["time"],
        })  # fmt: skip

    def heartbeat(self, now_ns: int) -> str:
        """The Exchange feed's, of this product."""
        return texts.heartbeat(self.spec.symbol, self._trade_id, now_ns)
