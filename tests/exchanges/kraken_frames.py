"""Kraken messages for the tests, and a decoder that knows their symbols."""

from __future__ import annotations

import numpy as np

from ringcollect.exchanges import kraken
from ringcollect.exchanges.kraken.decoder import Decoder
from ringcollect.exchanges.protocol import Code, Decoded
from tests.exchanges.frames import DAY_NS, SKEW_NS

NOW = 1_785_552_833_000_000_000
SYMBOLS = ("BTC/USD", "ETH/USDT", "AAPLx/USD")


def new_decoder(symbols: tuple[str, ...] = SYMBOLS, capacity: int = 65536) -> Decoder:
    """A decoder that knows ``symbols``, numbered from 0."""
    decoder = kraken.decoder(capacity=capacity, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, symbol in enumerate(symbols):
        decoder.add_symbol("spot", symbol, number)
    return decoder


def cold(frame: str) -> Decoded:
    """The typed path over one message at NOW, connection 2."""
    decoder = new_decoder()
    return decoder.cold(frame.encode(), decoder.context("spot", 2), NOW)


def agree(decoder: Decoder, ctx: np.ndarray, frame: bytes, ts_recv: int) -> tuple[int, Decoded]:
    """(the kernel's answer, what the typed path says) of one frame; equal bytes where the kernel takes it."""
    answer = kraken.decode_hot(frame, ctx, ts_recv)
    while answer == Code.UNKNOWN_SYMBOL:
        numbers = decoder._symbols["spot"].numbers
        decoder.add_symbol("spot", decoder.unknown_symbol(frame, ctx), len(numbers))
        answer = kraken.decode_hot(frame, ctx, ts_recv)
    decoded = decoder.cold(frame, ctx, ts_recv)
    for symbol in decoded.unknown:
        decoder.add_symbol("spot", symbol, len(decoder._symbols["spot"].numbers))
    if decoded.unknown:
        decoded = decoder.cold(frame, ctx, ts_recv)
    if answer >= 0:
        records = np.concatenate([batch.records for batch in decoded.batches])
        assert decoder.batch[:answer].tobytes() == records.tobytes(), frame
        taken, first = decoder.all_taken(ctx)[0], decoded.batches[0]
        assert (taken.instrument, taken.channel) == (first.instrument, first.channel)
        assert (taken.first_id, taken.last_id, taken.prev_id) == (first.first_id, first.last_id, first.prev_id)
    return answer, decoded
