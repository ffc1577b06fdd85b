"""OKX frames for the tests, and a decoder that gets to know symbols as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import okx
from ringcollect.exchanges.okx.decoder import Decoder
from ringcollect.exchanges.protocol import Batch, Code, Decoded
from tests.exchanges.frames import DAY_NS, SKEW_NS, lines

NOW = 1_787_612_486_200_000_000
MS = NOW // 10**6
SYMBOLS = {"BTC-USDT": "spot", "BTC-USDT-SWAP": "linear", "BTC-USDT-261225": "linear", "BTC-USD-SWAP": "inverse"}


def new_decoder(symbols: dict[str, str] | None = None, capacity: int = 65536) -> Decoder:
    """A decoder that knows ``symbols`` (native symbol to market), numbered from 0."""
    decoder = okx.decoder(capacity=capacity, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, (symbol, market) in enumerate((SYMBOLS if symbols is None else symbols).items()):
        decoder.add_symbol(market, symbol, number)
    return decoder


def cold(frame: str | dict[str, Any], market: str = "linear", streams: tuple[str, ...] = ()) -> Decoded:
    """The typed path over one frame at NOW, connection 2."""
    decoder = new_decoder()
    payload = orjson.dumps(frame) if isinstance(frame, dict) else frame.encode()
    return decoder.cold(payload, decoder.context(market, 2, streams), NOW)


def one(frame: str | dict[str, Any], market: str = "linear") -> tuple[Batch, np.void]:
    """The only record of a frame."""
    (batch,) = cold(frame, market).batches
    (row,) = batch.records
    return batch, row


class Reader:
    """A capture, frame by frame, with every symbol registered on sight as a replay does it."""

    def __init__(self) -> None:
        self.decoder = new_decoder({})
        self.numbers: dict[str, int] = {}
        self.ctx = self.decoder.context("spot", 0)

    def learn(self, symbol: str) -> None:
        market = okx.market_of("spot", symbol, ())
        if market:
            self.numbers[symbol] = len(self.numbers)
            self.decoder.add_symbol(market, symbol, self.numbers[symbol])

    def hot(self, frame: bytes, ts_recv: int) -> int:
        answer = okx.decode_hot(frame, self.ctx, ts_recv)
        if answer == Code.UNKNOWN_SYMBOL:
            self.learn(self.decoder.unknown_symbol(frame, self.ctx))
            answer = okx.decode_hot(frame, self.ctx, ts_recv)
        return answer

    def cold(self, frame: bytes, ts_recv: int) -> Decoded | None:
        """None for a rejected frame."""
        try:
            decoded = self.decoder.cold(frame, self.ctx, ts_recv)
            for symbol in decoded.unknown:
                self.learn(symbol)
            return self.decoder.cold(frame, self.ctx, ts_recv) if decoded.unknown else decoded
        except RejectedFrame:
            return None


def incoming(path: Path) -> Iterator[tuple[int, bytes, int]]:
    """(line, frame, time) of everything received in a capture or a file of single frames."""
    for i, line in enumerate(lines(path)):
        if line.get("d", "in") == "in":
            yield i, line["f"].encode(), line["t"]
