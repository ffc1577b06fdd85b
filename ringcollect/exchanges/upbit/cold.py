"""The typed way from a message to records: every message Upbit sends, and the reference for the kernel.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.numbers import epoch_to_ns, to_float, to_whole
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Outcome
from ringcollect.exchanges.typed import Arrival, of_frame, rows
from ringcollect.exchanges.upbit import messages
from ringcollect.exchanges.upbit.books import book_records
from ringcollect.exchanges.upbit.tickers import ticker_records
from ringcollect.records import Channel, Flag, Kind

_SIDES = {"BID": 1, "ASK": -1}
_SNAPSHOT = "SNAPSHOT"
_IGNORED = Decoded(Outcome.IGNORED)

_head = msgspec.json.Decoder(messages.Head)
_list = msgspec.json.Decoder(list[Raw])
_failure = msgspec.json.Decoder(messages.Failure)
_books: tuple[msgspec.json.Decoder[Any], ...] = (
    msgspec.json.Decoder(messages.Book), msgspec.json.Decoder(messages.SimpleBook),
)  # fmt: skip
_trades: tuple[msgspec.json.Decoder[Any], ...] = (
    msgspec.json.Decoder(messages.Trade), msgspec.json.Decoder(messages.SimpleTrade),
)  # fmt: skip
_tickers: tuple[msgspec.json.Decoder[Any], ...] = (
    msgspec.json.Decoder(messages.Ticker), msgspec.json.Decoder(messages.SimpleTicker),
)  # fmt: skip
_EVENTS = {"orderbook": _books, "trade": _trades, "ticker": _tickers}


def _trade(trade: messages.Trade, arrival: Arrival, instrument: int, extra: int) -> tuple[Batch, ...]:
    """A print. Its time is ``timestamp``: ``trade_timestamp`` was whole seconds for years, and the two must not mix."""
    side = _SIDES.get(trade.ask_bid, 0)
    if not side:
        raise RejectedFrame(f"trade of unknown side {trade.ask_bid[:40]!r}")
    identity = to_whole(trade.sequential_id)
    records = rows(
        arrival, instrument, Kind.TRADE, epoch_to_ns(trade.timestamp),
        price=to_float(trade.trade_price), size=to_float(trade.trade_volume), id=identity, aux=identity, side=side,
    )  # fmt: skip
    records["flags"] |= extra
    return (Batch(instrument, Channel.TRADE, records),)


def _event(raw: Any, head: messages.Head, arrival: Arrival) -> Decoded:
    simple = head.type is UNSET
    kind = head.ty if simple else head.type
    if kind not in _EVENTS:
        known = isinstance(kind, str) and (kind in ("myOrder", "myAsset") or kind.startswith("candle."))
        if known:
            return _IGNORED
        raise RejectedFrame(f"unknown type {str(kind)[:40]!r}")
    event = _EVENTS[kind][simple].decode(raw)
    if not 0 < len(event.code.encode()) <= 256:
        raise RejectedFrame("code empty or too long")
    instrument = arrival.find(event.code)
    extra = int(Flag.SNAPSHOT) if event.stream_type == _SNAPSHOT else 0
    if kind == "orderbook":
        batches: tuple[Batch, ...] = book_records(event.units, event.timestamp, arrival, max(0, instrument), extra)
    elif kind == "trade":
        batches = _trade(event, arrival, max(0, instrument), extra)
    else:
        batches = ticker_records(event, arrival, max(0, instrument), extra)
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(event.code,))
    return Decoded(Outcome.DECODED, batches) if batches else _IGNORED


def _one(raw: Any, arrival: Arrival) -> Decoded:
    head = _head.decode(raw)
    if head.error is not UNSET:
        failure = _failure.decode(head.error)
        return Decoded(Outcome.CONTROL, control=Answer(None, False, f"{failure.name}: {failure.message}"))
    if head.type is UNSET and head.ty is UNSET:
        if head.status is not UNSET or head.method is not UNSET:  # the answer to our ping; the list of subscriptions
            return Decoded(Outcome.CONTROL)
        raise RejectedFrame("neither data nor an answer")
    return _event(raw, head, arrival)


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    if payload.lstrip()[:1] != b"[":
        return _one(payload, arrival)
    parts = [_one(raw, arrival) for raw in _list.decode(payload)]  # the formats JSON_LIST and SIMPLE_LIST
    batches = tuple(batch for part in parts for batch in part.batches)
    unknown = tuple(symbol for part in parts for symbol in part.unknown)
    control = next((part.control for part in parts if part.control), None)
    if batches:
        return Decoded(Outcome.DECODED, batches, control, unknown)
    return Decoded(Outcome.CONTROL if control else Outcome.IGNORED, (), control, unknown)


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message, whatever its opcode. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))
