"""Bybit frames for the tests, and a decoder that gets to know symbols as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import bybit
from ringcollect.exchanges.bybit.decoder import Decoder
from ringcollect.exchanges.protocol import Code, Decoded
from ringcollect.records import Channel
from tests.exchanges.frames import DAY_NS, SKEW_NS, lines

NOW = 1_786_310_818_200_000_000
MS = NOW // 10**6
SYMBOLS = ("BTCUSDT", "BTCPERP")


def new_decoder(symbols: tuple[str, ...] = SYMBOLS, capacity: int = 65536) -> Decoder:
    """A decoder that knows ``symbols`` in every market, numbered from 0."""
    decoder = bybit.decoder(capacity=capacity, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, symbol in enumerate(symbols):
        for market in bybit.markets:
            decoder.add_symbol(market, symbol, number)
    return decoder


class Desk:
    """One connection of a market, at NOW."""

    def __init__(self, market: str = "linear", streams: tuple[str, ...] = ()) -> None:
        self.decoder = new_decoder()
        self.ctx = self.decoder.context(market, 2, streams)

    def cold(self, frame: dict[str, Any]) -> Decoded:
        return self.decoder.cold(orjson.dumps(frame), self.ctx, NOW)

    def hot(self, frame: dict[str, Any]) -> int:
        return bybit.decode_hot(orjson.dumps(frame), self.ctx, NOW)

    def records(self, frame: dict[str, Any]) -> dict[Channel, np.ndarray]:
        return {batch.channel: batch.records for batch in self.cold(frame).batches}


class Reader:
    """A capture, frame by frame, with every symbol registered on sight as a replay does it."""

    def __init__(self, markets: tuple[str, ...] = ("linear", "spot")) -> None:
        self.decoder = new_decoder(())
        self.markets = markets
        self.numbers: dict[tuple[str, str], int] = {}
        self.contexts = [self.decoder.context(market, conn) for conn, market in enumerate(markets)]

    def _learn(self, market: str, symbol: str) -> None:
        self.numbers[market, symbol] = len(self.numbers)
        self.decoder.add_symbol(market, symbol, self.numbers[market, symbol])

    def hot(self, frame: bytes, ts_recv: int, conn: int = 0) -> int:
        ctx = self.contexts[conn]
        answer = bybit.decode_hot(frame, ctx, ts_recv)
        if answer == Code.UNKNOWN_SYMBOL:
            self._learn(self.markets[conn], self.decoder.unknown_symbol(frame, ctx))
            answer = bybit.decode_hot(frame, ctx, ts_recv)
        return answer

    def cold(self, frame: bytes, ts_recv: int, conn: int = 0) -> Decoded | None:
        """None for a rejected frame."""
        ctx = self.contexts[conn]
        try:
            decoded = self.decoder.cold(frame, ctx, ts_recv)
            for symbol in decoded.unknown:
                self._learn(self.markets[conn], symbol)
            return self.decoder.cold(frame, ctx, ts_recv) if decoded.unknown else decoded
        except RejectedFrame:
            return None


def incoming(path: Path) -> Iterator[tuple[int, bytes, int, int]]:
    """(line, frame, time, connection) of everything received in a capture or a file of single frames."""
    for i, line in enumerate(lines(path)):
        if line.get("d", "in") == "in":
            yield i, line["f"].encode(), line["t"], line.get("c", 0)


def orderbook(depth: int, update: int, bids: list, asks: list, kind: str = "delta", **more: Any) -> dict[str, Any]:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": update, "seq": 7}
    return {"topic": f"orderbook.{depth}.BTCUSDT", "type": kind, "ts": MS - 1, "data": data, "cts": MS - 5} | more


def trade(**fields: Any) -> dict[str, Any]:
    one = {
        "T": MS - 3, "s": "BTCUSDT", "S": "Sell", "v": "0.004", "p": "65114.20", "L": "MinusTick",
        "i": "a9188a0a-82bc-50de-be60-03eedbe3cdd7", "BT": False, "RPI": False, "seq": 753843954913,
    }  # fmt: skip
    return {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": MS, "data": [one | fields]}


def ticker(kind: str = "delta", **fields: str) -> dict[str, Any]:
    data = {"symbol": "BTCUSDT", **fields}
    return {"topic": "tickers.BTCUSDT", "type": kind, "data": data, "cs": 1, "ts": MS}
