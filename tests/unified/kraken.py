"""A small Kraken v2 of one symbol, for ccxt's kraken class: a book kept at its depth, trades with history, a ticker.

Everything it said is kept: ``books`` by time in ms, ``trades`` by id, ``tops``.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

SYMBOL = "BTC/USD"
DEPTH = 10
HISTORY = 5
_TICK_S = 0.01


class Kraken:
    """After ``cut_after`` seconds of trading every connection is cut, once."""

    def __init__(self, seed: int, cut_after: float = 0.0) -> None:
        self._rng = Random(seed)
        self._cut_after = cut_after
        self.bids = {30_000.0 - i: 1.0 + i for i in range(DEPTH)}
        self.asks = {30_001.0 + i: 1.0 + i for i in range(DEPTH)}
        self.books: dict[int, set[Any]] = {}
        self.tops: set[tuple[float, ...]] = set()
        self.trades: dict[int, dict[str, Any]] = {}
        self.history: set[int] = set()
        self._next_id = 1000
        self._trading = False  # from the first subscription on: the first history is a minute old
        self._subscribed: dict[ServerConnection, set[str]] = {}

    async def run(self, port: list[int], told: threading.Event, stop: threading.Event) -> None:
        """Serve on a port of the system's choice until ``stop``."""
        for _ in range(HISTORY):
            self._trade(time.time() - 60)
        async with serve(self._client, "127.0.0.1", 0) as server:
            port.append(next(iter(server.sockets)).getsockname()[1])
            told.set()
            traded_s = 0.0
            while not stop.is_set():
                await asyncio.sleep(_TICK_S)
                self._tick()
                traded_s += _TICK_S * self._trading
                if 0 < self._cut_after < traded_s:
                    self._cut_after = 0.0
                    for client in list(self._subscribed):
                        client.transport.abort()

    async def _client(self, client: ServerConnection) -> None:
        self._subscribed[client] = set()
        try:
            async for text in client:
                self._asked(client, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            del self._subscribed[client]

    def _asked(self, client: ServerConnection, request: dict[str, Any]) -> None:
        if request["method"] == "ping":
            _send(client, {"method": "pong"})
            return
        params = request["params"]
        channel, [symbol] = params["channel"], params["symbol"]
        answer = {"method": "subscribe", "req_id": request["req_id"], "success": symbol == SYMBOL}
        if symbol != SYMBOL:
            _send(client, {**answer, "error": f"Currency pair not supported {symbol}", "symbol": symbol})
            return
        _send(client, {**answer, "result": {"channel": channel, "symbol": symbol, "snapshot": True}})
        self._subscribed[client].add(channel)
        if channel == "book":
            sides = {"bids": _levels(self.bids), "asks": _levels(self.asks)}
            self._note(0)
            _send(client, {"channel": "book", "type": "snapshot", "data": [{"symbol": SYMBOL, **sides, "checksum": 1}]})
        elif channel == "trade":
            newest = list(self.trades.values())[-HISTORY:]
            self.history |= {trade["trade_id"] for trade in newest}
            _send(client, {"channel": "trade", "type": "snapshot", "data": newest})
            self._trading = True

    def _tick(self) -> None:
        now = time.time()
        changed = {"bids": self._change(self.bids, -1), "asks": self._change(self.asks, +1)}
        self._note(int(now * 1000))
        self._tell("book", [{"symbol": SYMBOL, **changed, "checksum": 1, "timestamp": _iso(now)}])
        if self._trading:
            self._tell("trade", [self._trade(now) for _ in range(self._rng.randrange(3))])
        bid, ask = max(self.bids), min(self.asks)
        self.tops.add((bid, self.bids[bid], ask, self.asks[ask]))
        top = {"bid": bid, "bid_qty": self.bids[bid], "ask": ask, "ask_qty": self.asks[ask]}
        day = {"last": bid, "volume": 5.0, "vwap": bid, "low": 1.0, "high": 9e4, "change": 0.0, "change_pct": 0.0}
        self._tell("ticker", [{"symbol": SYMBOL, **top, **day}])

    def _change(self, side: dict[float, float], away: int) -> list[dict[str, float]]:
        """New sizes, new levels, removals; what falls out of the depth is not said, and what moves up is."""
        start = 30_000.0 if away < 0 else 30_001.0
        price = start + away * self._rng.randrange(DEPTH + 3)
        size = 0.0 if price in side and self._rng.random() < 0.3 else self._rng.randrange(1, 999) / 100
        said = {price: size}
        side[price] = size
        if not size:
            del side[price]
            further = max(side) + 1 if away > 0 else min(side) - 1
            side[further] = said[further] = 0.5
        for fallen in sorted(side, key=lambda p: away * p)[DEPTH:]:
            del side[fallen]
        return [{"price": p, "qty": q} for p, q in said.items()]

    def _trade(self, now: float) -> dict[str, Any]:
        self._next_id += 1
        trade = {
            "symbol": SYMBOL, "side": self._rng.choice(("buy", "sell")), "price": self._rng.randrange(10**6) / 10,
            "qty": self._rng.randrange(1, 10**6) / 10**5, "ord_type": "market", "trade_id": self._next_id,
            "timestamp": _iso(now),
        }  # fmt: skip
        self.trades[self._next_id] = trade
        return trade

    def _note(self, ms: int) -> None:
        bids, asks = sorted(self.bids.items(), reverse=True), sorted(self.asks.items())
        self.books.setdefault(ms, set()).add((tuple(bids), tuple(asks)))

    def _tell(self, channel: str, data: list[dict[str, Any]]) -> None:
        for client, channels in self._subscribed.items():
            if channel in channels and data:
                _send(client, {"channel": channel, "type": "update", "data": data})


@contextmanager
def served(seed: int, cut_after: float = 0.0) -> Iterator[tuple[str, Kraken]]:
    """(``host:port``, the exchange) in a thread of its own."""
    kraken, port = Kraken(seed, cut_after), []
    told, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(kraken.run(port, told, stop)))
    thread.start()
    assert told.wait(20)
    try:
        yield f"127.0.0.1:{port[0]}", kraken
    finally:
        stop.set()
        thread.join(20)


def _send(client: ServerConnection, message: dict[str, Any]) -> None:
    if client.protocol.state is not State.OPEN:
        return
    client.protocol.send_text(json.dumps(message).encode())
    client.send_data()


def _levels(side: dict[float, float]) -> list[dict[str, float]]:
    return [{"price": price, "qty": size} for price, size in side.items()]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
