"""One Upbit market: its order book model turned into complete books and prints."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.day import Day
from ringcollect.sim.fixed import fixed
from ringcollect.sim.hub import Hub
from ringcollect.sim.market import SECOND, Event, SymbolMarket
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.specs import SymbolSpec, spot_spec
from ringcollect.sim.truth import Truth

MILLISECOND = 1_000_000
UNITS = (1, 5, 15, 30)
_WON = 1_400
_WON_DECIMALS = 4
"""KRW for a USDT."""
_SHORT = {
    "type": "ty", "code": "cd", "timestamp": "tms", "total_ask_size": "tas", "total_bid_size": "tbs",
    "orderbook_units": "obu", "ask_price": "ap", "bid_price": "bp", "ask_size": "as", "bid_size": "bs",
    "stream_type": "st", "level": "lv", "trade_date": "td", "trade_time": "ttm", "trade_timestamp": "ttms",
    "trade_price": "tp", "trade_volume": "tv", "ask_bid": "ab", "sequential_id": "sid",
    "prev_closing_price": "pcp", "change": "c", "change_price": "cp", "best_ask_price": "bap", "best_ask_size": "bas",
    "best_bid_price": "bbp", "best_bid_size": "bbs",
    "opening_price": "op", "high_price": "hp", "low_price": "lp", "acc_trade_volume_24h": "atv24h",
    "acc_trade_price_24h": "atp24h",
}  # fmt: skip
_LONG = {short: name for name, short in _SHORT.items()}


def upbit_spec(symbol: str) -> SymbolSpec:
    """``KRW-BTC``: quote first. Raises ConfigError for what is no market of Upbit."""
    quote, dash, base = symbol.partition("-")
    if not dash or not base or "-" in base or not quote:
        raise ConfigError(f"simulator: {symbol!r} is no market of Upbit")
    coin = spot_spec(base + ("USDT" if quote == "KRW" else quote))
    changes: dict[str, Any] = {"symbol": symbol, "base": base, "quote": quote}
    if quote == "KRW":
        units = coin.start_tick * coin.tick_units * _WON // 10 ** (coin.price_decimals - _WON_DECIMALS)
        tick = 10 ** max(0, len(str(units)) - 6)  # ticks grow with the price, as the venue's do
        changes |= {"price_decimals": _WON_DECIMALS, "tick_units": tick, "start_tick": units // tick}
    return msgspec.structs.replace(coin, **changes)


def simple(message: dict[str, Any]) -> dict[str, Any]:
    """The message in the format SIMPLE."""
    renamed = {_SHORT.get(name, name): value for name, value in message.items()}
    if "obu" in renamed:
        renamed["obu"] = [{_SHORT[name]: value for name, value in unit.items()} for unit in renamed["obu"]]
    return renamed


def expanded(message: dict[str, Any]) -> dict[str, Any]:
    """A message of the format SIMPLE in the format DEFAULT."""
    renamed = {_LONG.get(name, name): value for name, value in message.items()}
    if "orderbook_units" in renamed:
        renamed["orderbook_units"] = [
            {_LONG[name]: value for name, value in unit.items()} for unit in renamed["orderbook_units"]
        ]
    return renamed


def unspelled(text: str) -> dict[str, Any]:
    """A message as :func:`spelled` takes it, every number with its text."""
    message: dict[str, Any] = json.loads(text, parse_float=lambda number: f"#{number}#")
    return message


def spelled(message: dict[str, Any]) -> str:
    """As JSON, numbers exactly as their texts say."""
    return json.dumps(message, separators=(",", ":")).replace('"#', "").replace('#"', "")


class UpbitFeed:
    """Books every 100 ms when something changed, prints at once. Ids are neither dense nor always increasing."""

    def __init__(
        self, symbol: str, *, seed: int, start_ns: int, frames_per_s: float, hub: Hub, scheduler: Scheduler,
        truth: Truth, thin: bool = False,
    ) -> None:  # fmt: skip
        self.spec = upbit_spec(symbol)
        self.model = SymbolMarket(self.spec, Random(f"{seed}/upbit/{symbol}"), frames_per_s)
        self.frames = 0
        self._rng = Random(f"{seed}/upbit/{symbol}/wire")
        self._start_ns = start_ns
        self._hub, self._scheduler, self._truth = hub, scheduler, truth
        self._thin = thin
        self._changed = True
        self._id = start_ns // SECOND * 10_000_000  # 17 digits, beyond float64
        self._last: dict[str, Any] | None = None
        self._day = Day(self.spec)
        self.told: list[dict[str, str]] = self._book(start_ns, 30)["orderbook_units"]
        scheduler.add(self.model.next_ns, self._order)
        scheduler.add(100 * MILLISECOND, self._push_book)

    def first(self, kind: str, units: int, now_ns: int) -> dict[str, Any] | None:
        """The message of stream type SNAPSHOT."""
        if kind == "ticker":
            message: dict[str, Any] | None = self._ticker(now_ns)
        else:
            message = self._book(now_ns, units) if kind == "orderbook" else self._last
        return None if message is None else message | {"stream_type": "SNAPSHOT"}

    def book(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """The levels of the newest message, bids and asks, as it spelled them."""
        sides: list[list[tuple[str, str]]] = []
        for side in ("bid", "ask"):
            texts = [(unit[f"{side}_price"].strip("#"), unit[f"{side}_size"].strip("#")) for unit in self.told]
            sides.append([text for text in texts if text[0] != "0"])
        return sides[0], sides[1]

    def finish(self) -> None:
        """Tell the last changes."""
        self._push_book(self._scheduler.now_ns)

    def _level(self, book: list[tuple[int, int]], place: int) -> tuple[str, str]:
        if place >= len(book):
            return "#0#", "#0#"
        tick, lots = book[place]
        return f"#{self.spec.price(tick)}#", f"#{self.spec.size(lots)}#"

    def _book(self, now_ns: int, units: int) -> dict[str, Any]:
        """Pairs the i-th ask with the i-th bid; a thin side is padded with zeros."""
        bids = self.model.bids.top(units // 2 if self._thin else units)
        asks = self.model.asks.top(units)
        rows = []
        for place in range(max(len(bids), len(asks))):
            (ask, ask_size), (bid, bid_size) = self._level(asks, place), self._level(bids, place)
            rows.append({"ask_price": ask, "bid_price": bid, "ask_size": ask_size, "bid_size": bid_size})
        totals = [f"#{fixed(sum(lots for _, lots in side) * self.spec.lot_units, 8)}#" for side in (asks, bids)]
        return {
            "type": "orderbook", "code": self.spec.symbol, "timestamp": now_ns // MILLISECOND,
            "total_ask_size": totals[0], "total_bid_size": totals[1], "orderbook_units": rows,
            "stream_type": "REALTIME", "level": 0,
        }  # fmt: skip

    def _push_book(self, due_ns: int) -> int:
        if self._changed:
            now_ns = self._start_ns + due_ns
            self._changed = False
            self.frames += 1
            self.told = self._book(now_ns, 30)["orderbook_units"]
            for units in UNITS:
                stream = f"orderbook:{self.spec.symbol}.{units}"
                if self._hub.wanted(stream):
                    self._send(stream, now_ns, now_ns, self._book(now_ns, units))
        return due_ns + 100 * MILLISECOND

    def _send(self, stream: str, key: int, now_ns: int, message: dict[str, Any]) -> None:
        texts = {1: spelled(message), 2: spelled(simple(message))}  # a peer's divisor says which format it asked for
        self._hub.publish(stream, key, now_ns, lambda form: texts[form])

    def _ticker(self, now_ns: int) -> dict[str, Any]:
        """Prices of the day since midnight beside what was traded in 24 h; here both began with the simulation."""
        day = self._day.statistics(lambda units, decimals: f"#{fixed(units, decimals)}#")
        return {
            "type": "ticker", "code": self.spec.symbol, "opening_price": day.open, "high_price": day.high,
            "low_price": day.low, "trade_price": day.last, "timestamp": now_ns // MILLISECOND,
            "acc_trade_price_24h": day.value, "acc_trade_volume_24h": day.volume, "stream_type": "REALTIME",
        }  # fmt: skip

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        self._changed = self._changed or bool(event.changed)
        self._tell_trades(event, self._start_ns + event.time_ns)
        return self.model.next_ns

    def _tell_trades(self, event: Event, now_ns: int) -> None:
        self._day.add(event.fills)
        stream = f"ticker:{self.spec.symbol}"
        if event.fills and self._hub.wanted(stream):
            self.frames += 1
            self._send(stream, now_ns, now_ns, self._ticker(now_ns))
        for fill in event.fills:
            self._id += 1 + self._rng.randrange(3)
            identity = self._id - 5 if self._rng.random() < 0.02 else self._id
            price, size = self.spec.price(fill.tick), self.spec.size(fill.lots)
            seconds = now_ns // SECOND
            clock = f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}"
            self._last = {
                "type": "trade", "code": self.spec.symbol, "timestamp": now_ns // MILLISECOND,
                "trade_date": "2026-11-21",
                "trade_time": clock if seconds % 60 == 0 else f"{clock}:{seconds % 60:02}",
                "trade_timestamp": seconds * 1000, "trade_price": f"#{price}#", "trade_volume": f"#{size}#",
                "ask_bid": "BID" if fill.side > 0 else "ASK", "sequential_id": identity, "stream_type": "REALTIME",
            }  # fmt: skip
            self.frames += 1
            self._truth.line(
                "trade", t=now_ns, m="spot", s=self.spec.symbol, id=identity, p=price, q=size, side=fill.side
            )  # fmt: skip
            self._send(f"trade:{self.spec.symbol}", self._id, now_ns, self._last)
