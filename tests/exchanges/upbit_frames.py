"""Upbit messages for the tests, and a decoder that knows their symbols."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from ringcollect.exchanges import upbit
from ringcollect.exchanges.protocol import Code, Decoded
from ringcollect.exchanges.upbit.decoder import Decoder
from tests.exchanges.frames import DAY_NS, SKEW_NS

NOW = 1_790_134_743_100_000_000
MS = NOW // 10**6
SYMBOLS = ("KRW-BTC", "BTC-ETH", "USDT-XRP")


def new_decoder(symbols: tuple[str, ...] = SYMBOLS, capacity: int = 65536) -> Decoder:
    """A decoder that knows ``symbols``, numbered from 0."""
    decoder = upbit.decoder(capacity=capacity, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, symbol in enumerate(symbols):
        decoder.add_symbol("spot", symbol, number)
    return decoder


def cold(frame: str | dict[str, Any] | list[Any]) -> Decoded:
    """The typed path over one message at NOW, connection 2."""
    decoder = new_decoder()
    payload = frame.encode() if isinstance(frame, str) else orjson.dumps(frame)
    return decoder.cold(payload, decoder.context("spot", 2), NOW)


def agree(decoder: Decoder, ctx: np.ndarray, frame: bytes, ts_recv: int) -> tuple[int, Decoded]:
    """(the kernel's answer, what the typed path says) of one frame; equal bytes where the kernel takes it."""
    answer = upbit.decode_hot(frame, ctx, ts_recv)
    if answer == Code.UNKNOWN_SYMBOL:
        numbers = decoder._symbols["spot"].numbers
        decoder.add_symbol("spot", decoder.unknown_symbol(frame, ctx), len(numbers))
        answer = upbit.decode_hot(frame, ctx, ts_recv)
    decoded = decoder.cold(frame, ctx, ts_recv)
    if answer >= 0:
        records = np.concatenate([batch.records for batch in decoded.batches])
        assert decoder.batch[:answer].tobytes() == records.tobytes(), frame
        taken = decoder.taken(ctx)
        first = decoded.batches[0]
        assert (taken.instrument, taken.channel, len(taken.records)) == (
            first.instrument, first.channel, len(first.records),
        )  # fmt: skip
        assert (taken.first_id, taken.last_id, taken.prev_id) == (first.first_id, first.last_id, first.prev_id)
    return answer, decoded


def book(units: list[tuple[Any, Any, Any, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    """An order book of (ask price, bid price, ask size, bid size) units."""
    made = [
        {"ask_price": ap, "bid_price": bp, "ask_size": asz, "bid_size": bsz}
        for ap, bp, asz, bsz in (
            units if units is not None else [(127.0, 126.0, 28.5, 68.25), (128.0, 125.0, 1.5, 2.0)]
        )
    ]
    return {
        "type": "orderbook", "code": "KRW-BTC", "timestamp": MS, "total_ask_size": 1, "total_bid_size": 2,
        "orderbook_units": made, "stream_type": "REALTIME", "level": 0,
    } | fields  # fmt: skip


def trade(**fields: Any) -> dict[str, Any]:
    """A trade of 2026."""
    return {
        "type": "trade", "code": "KRW-BTC", "timestamp": MS, "trade_date": "2026-09-23", "trade_time": "03:39",
        "trade_timestamp": MS - 46, "trade_price": 106691000.0, "trade_volume": 0.00009372, "ask_bid": "ASK",
        "sequential_id": 17883351803770004, "best_ask_price": 106705000, "stream_type": "REALTIME",
    } | fields  # fmt: skip
