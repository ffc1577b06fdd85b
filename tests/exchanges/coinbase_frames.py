"""Coinbase messages of both feeds for the tests, and a decoder that knows their products."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from ringcollect.exchanges import coinbase
from ringcollect.exchanges.coinbase.decoder import Decoder
from ringcollect.exchanges.protocol import Code, Decoded
from tests.exchanges.frames import DAY_NS, SKEW_NS, same

NOW = 1_786_309_548_629_000_000
SENT = "2026-08-09T21:05:48.483587501Z"
SENT_NS = 1_786_309_548_483_587_501
MATCHED = "2026-08-09T21:05:48.170326Z"
MATCHED_NS = 1_786_309_548_170_326_000
SYMBOLS = ("BTC-USD", "ETH-USD", "SKL-BTC")


def new_decoder(symbols: tuple[str, ...] = SYMBOLS, capacity: int = 65536) -> Decoder:
    """A decoder that knows ``symbols``, numbered from 0."""
    decoder = coinbase.decoder(capacity=capacity, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, symbol in enumerate(symbols):
        decoder.add_symbol("spot", symbol, number)
    return decoder


def cold(frame: str | dict[str, Any]) -> Decoded:
    """The typed path over one message at NOW, connection 2."""
    decoder = new_decoder()
    payload = frame.encode() if isinstance(frame, str) else orjson.dumps(frame)
    return decoder.cold(payload, decoder.context("spot", 2), NOW)


def agree(decoder: Decoder, ctx: np.ndarray, frame: bytes, ts_recv: int) -> tuple[int, Decoded]:
    """(the kernel's answer, what the typed path says) of one frame; equal bytes where the kernel takes it."""
    answer = coinbase.decode_hot(frame, ctx, ts_recv)
    if answer == Code.UNKNOWN_SYMBOL:
        learn(decoder, decoder.unknown_symbol(frame, ctx))
        answer = coinbase.decode_hot(frame, ctx, ts_recv)
    batches = decoder.all_taken(ctx) if answer >= 0 else None
    sequence = int(ctx[40])
    decoded = decoder.cold(frame, ctx, ts_recv)
    if decoded.unknown:
        for symbol in decoded.unknown:
            learn(decoder, symbol)
        decoded = decoder.cold(frame, ctx, ts_recv)
    if batches is not None:
        assert len(batches) == len(decoded.batches) and all(map(same, batches, decoded.batches)), frame
        assert sequence == decoded.sequence
    return answer, decoded


def learn(decoder: Decoder, symbol: str) -> None:
    """Register ``symbol`` under the next number."""
    decoder.add_symbol("spot", symbol, len(decoder._symbols["spot"].numbers))


def envelope(channel: str, *events: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A message of Advanced Trade."""
    return {"channel": channel, "timestamp": SENT, "sequence_num": 13, "events": list(events)} | fields


def level(side: str, price: str, size: str, **fields: Any) -> dict[str, Any]:
    return {"side": side, "event_time": MATCHED, "price_level": price, "new_quantity": size} | fields


def l2_data(*levels: dict[str, Any], kind: str = "update", product: str = "BTC-USD", **fields: Any) -> dict[str, Any]:
    """An order book message of one event."""
    return envelope("l2_data", {"type": kind, "product_id": product, "updates": list(levels)}, **fields)


def trade(**fields: Any) -> dict[str, Any]:
    """A trade as in ``market_trades``."""
    return {
        "product_id": "BTC-USD", "trade_id": "1068572091", "price": "65083.67", "size": "0.01034361",
        "time": MATCHED, "side": "SELL",
    } | fields  # fmt: skip


def market_trades(*trades: dict[str, Any], kind: str = "update") -> dict[str, Any]:
    return envelope("market_trades", {"type": kind, "trades": list(trades)})


def ticker(kind: str = "update", **fields: Any) -> dict[str, Any]:
    """Best prices of Advanced Trade."""
    best = {
        "type": "ticker", "product_id": "BTC-USD", "price": "65086.18", "volume_24_h": "2867.54",
        "low_24_h": "64675.22", "high_24_h": "65252.99",
        "price_percent_chg_24_h": "0.09", "best_bid": "65083.66", "best_ask": "65083.67",
        "best_bid_quantity": "0.20371215", "best_ask_quantity": "0.24290402",
    }  # fmt: skip
    return envelope("ticker", {"type": kind, "tickers": [best | fields]})


def snapshot(**fields: Any) -> dict[str, Any]:
    """A whole book of the Exchange feed: asks come first."""
    return {
        "type": "snapshot", "product_id": "SKL-BTC", "asks": [["0.00001305", "985"], ["0.00001306", "660.5"]],
        "bids": [["0.00001301", "10.02"]],
    } | fields  # fmt: skip


def l2update(*changes: tuple[str, str, str], **fields: Any) -> dict[str, Any]:
    return {
        "type": "l2update", "product_id": "SKL-BTC", "changes": [list(change) for change in changes],
        "time": MATCHED,
    } | fields  # fmt: skip


def match(**fields: Any) -> dict[str, Any]:
    """A trade of the Exchange feed."""
    return {
        "type": "match", "trade_id": 280232, "maker_order_id": "2a0da34e-61f7-4c36-88e5-c9dd15927b16",
        "taker_order_id": "3c82abaa-c01e-4608-be59-6a1e69742891", "side": "sell", "size": "985",
        "price": "0.00001305", "product_id": "SKL-BTC", "sequence": 177100030, "time": MATCHED,
    } | fields  # fmt: skip


def exchange_ticker(**fields: Any) -> dict[str, Any]:
    """Best prices of the Exchange feed, with the sizes it has sent since 2022."""
    return {
        "type": "ticker", "sequence": 50978628538, "product_id": "SKL-BTC", "price": "0.00001305", "volume_24h": "5",
        "open_24h": "0.00001299", "low_24h": "0.00001298", "high_24h": "0.00001306",
        "best_bid": "0.00001301", "best_bid_size": "0.61540890", "best_ask": "0.00001305",
        "best_ask_size": "0.18528568", "side": "sell", "time": MATCHED, "trade_id": 463751434, "last_size": "0.05",
    } | fields  # fmt: skip
