"""Kraken Futures frames for the tests, and a decoder that gets to know products as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import kraken_futures
from ringcollect.exchanges.kraken_futures.decoder import Decoder
from ringcollect.exchanges.protocol import Code, Decoded
from ringcollect.records import Channel
from tests.exchanges.frames import DAY_NS, SKEW_NS

NOW = 1_786_310_818_200_000_000
MS = NOW // 10**6
PRODUCT = "PF_XBTUSD"
UID = "896cb851-8322-4946-a123-945c453aa17f"


def new_decoder(symbols: tuple[str, ...] = (PRODUCT, "PI_XBTUSD"), capacity: int = 65536) -> Decoder:
    """A decoder that knows ``symbols``, numbered from 0."""
    decoder = kraken_futures.decoder(capacity=capacity, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, symbol in enumerate(symbols):
        decoder.add_symbol(kraken_futures.market_of("", symbol, ()), symbol, number)
    return decoder


class Desk:
    """One connection, at NOW."""

    def __init__(self) -> None:
        self.decoder = new_decoder()
        self.ctx = self.decoder.context("linear", 2)

    def cold(self, frame: dict[str, Any]) -> Decoded:
        return self.decoder.cold(orjson.dumps(frame), self.ctx, NOW)

    def hot(self, frame: dict[str, Any]) -> int:
        return kraken_futures.decode_hot(orjson.dumps(frame), self.ctx, NOW)

    def records(self, frame: dict[str, Any]) -> dict[Channel, np.ndarray]:
        """Records by channel, of all batches."""
        found: dict[Channel, list[np.ndarray]] = {}
        for batch in self.cold(frame).batches:
            found.setdefault(batch.channel, []).append(batch.records)
        return {channel: np.concatenate(parts) for channel, parts in found.items()}


class Reader:
    """A capture, frame by frame, with every product registered on sight as a replay does it."""

    def __init__(self) -> None:
        self.decoder = new_decoder(())
        self.numbers: dict[str, int] = {}
        self.ctx = self.decoder.context("inverse", 0)

    def _learn(self, symbol: str) -> None:
        self.numbers[symbol] = len(self.numbers)
        self.decoder.add_symbol("inverse", symbol, self.numbers[symbol])

    def hot(self, frame: bytes, ts_recv: int) -> int:
        answer = kraken_futures.decode_hot(frame, self.ctx, ts_recv)
        if answer == Code.UNKNOWN_SYMBOL:
            self._learn(self.decoder.unknown_symbol(frame, self.ctx))
            answer = kraken_futures.decode_hot(frame, self.ctx, ts_recv)
        return answer

    def cold(self, frame: bytes, ts_recv: int) -> Decoded | None:
        """None for a rejected frame."""
        try:
            decoded = self.decoder.cold(frame, self.ctx, ts_recv)
            for symbol in decoded.unknown:
                self._learn(symbol)
            return self.decoder.cold(frame, self.ctx, ts_recv) if decoded.unknown else decoded
        except RejectedFrame:
            return None


def delta(**fields: Any) -> dict[str, Any]:
    return {
        "feed": "book", "product_id": PRODUCT, "side": "sell", "seq": 16733631, "price": 64416.0, "qty": 0.0568,
        "timestamp": MS - 5,
    } | fields  # fmt: skip


def snapshot(bids: list[tuple[float, float]], asks: list[tuple[float, float]], **fields: Any) -> dict[str, Any]:
    sides = {
        name: [{"price": price, "qty": size} for price, size in side] for name, side in (("bids", bids), ("asks", asks))
    }
    head = {"feed": "book_snapshot", "product_id": PRODUCT, "timestamp": MS - 9, "seq": 16733630, "tickSize": None}
    return head | sides | fields


def trade(**fields: Any) -> dict[str, Any]:
    return {
        "product_id": PRODUCT, "feed": "trade", "uid": UID, "side": "sell", "type": "fill", "time": MS - 3,
        "qty": 0.0046, "price": 64401.0, "seq": 45847,
    } | fields  # fmt: skip


def history(*trades: dict[str, Any]) -> dict[str, Any]:
    return {"feed": "trade_snapshot", "product_id": PRODUCT, "trades": list(trades)}


def ticker(**fields: Any) -> dict[str, Any]:
    return {
        "time": MS - 2, "product_id": PRODUCT, "funding_rate": 0.1767923925826881, "funding_rate_prediction": -0.0453,
        "relative_funding_rate": 2.747066666667e-6, "relative_funding_rate_prediction": -7.043125e-7,
        "next_funding_rate_time": MS + 1000, "leverage": "100x", "premium": 0.0, "feed": "ticker", "bid": 64401.0,
        "ask": 64402.0, "bid_size": 0.1239, "ask_size": 0.1179, "volume": 3669.9134, "dtm": 0, "index": 64401.07,
        "last": 64403.0, "change": -0.68, "suspended": False, "tag": "perpetual", "pair": "XBT:USD",
        "openInterest": 2157.6281, "markPrice": 64399.68035588646, "maturityTime": 0, "post_only": False,
    } | fields  # fmt: skip
