"""Deribit messages for the tests, and a decoder that knows their symbols."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ringcollect.exchanges import deribit
from ringcollect.exchanges.deribit.decoder import Decoder
from ringcollect.exchanges.protocol import Decoded
from tests.exchanges.frames import DAY_NS, SKEW_NS

MS = 1_785_552_833_646
NOW = MS * 1_000_000 + 5_000_000
SYMBOLS = {"BTC-PERPETUAL": "inverse", "BTC_USDC-PERPETUAL": "linear", "BTC-25SEP26": "inverse"}
EIGHT_HOURS = 28_800_000_000_000


def new_decoder() -> Decoder:
    """A decoder that knows the symbols, numbered from 0; perpetuals with their interval."""
    decoder = deribit.decoder(max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, (symbol, market) in enumerate(SYMBOLS.items()):
        decoder.add_symbol(market, symbol, number, EIGHT_HOURS if symbol.endswith("L") else 0)
    return decoder


def note(channel: str, data: Any) -> bytes:
    """A notification."""
    params = {"channel": channel, "data": data}
    return json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params}).encode()


def quote(symbol: str = "BTC-PERPETUAL", **other: Any) -> bytes:
    """Best prices 63908 x 20 and 63940.5 x 40."""
    row = {
        "best_bid_amount": 20.0, "best_ask_amount": 40.0, "best_bid_price": 63908.0, "best_ask_price": 63940.5,
        "instrument_name": symbol, "timestamp": MS,
    }  # fmt: skip
    return note(f"quote.{symbol}", row | other)


def ticker(symbol: str = "BTC-PERPETUAL", **other: Any) -> bytes:
    """Mark 21109.555, index 21122.3937, open interest 164.501, funding -0.00010782."""
    row = {
        "timestamp": MS, "stats": {"volume": 3.5, "mark_price": 1}, "state": "open", "open_interest": 164.501,
        "mark_price": 21109.555, "last_price": 21132, "instrument_name": symbol, "index_price": 21122.3937,
        "funding_8h": -0.00022427, "current_funding": -0.00010782, "best_bid_price": 21106,
    }  # fmt: skip
    return note(f"ticker.{symbol}.100ms", {k: v for k, v in (row | other).items() if v != "gone"})


def cold(frame: bytes | str) -> Decoded:
    """The typed path over one message at NOW, connection 2."""
    decoder = new_decoder()
    payload = frame if isinstance(frame, bytes) else frame.encode()
    return decoder.cold(payload, decoder.context("inverse", 2), NOW)


def both(frame: bytes) -> tuple[int, np.ndarray]:
    """(the kernel's answer, the typed path's records); equal bytes and batches where the kernel takes it."""
    decoder = new_decoder()
    ctx = decoder.context("inverse", 2)
    answer = deribit.decode_hot(frame, ctx, NOW)
    taken = decoder.all_taken(ctx) if answer > 0 else ()
    batches = decoder.cold(frame, ctx, NOW).batches
    records = np.concatenate([batch.records for batch in batches]) if batches else decoder.batch[:0]
    if answer >= 0:
        assert decoder.batch[:answer].tobytes() == records.tobytes(), frame
        assert [(b.instrument, b.channel) for b in taken] == [(b.instrument, b.channel) for b in batches]
    return answer, records
