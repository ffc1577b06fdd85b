"""The typed way from a message to records: every message Kraken sends, and the reference for the kernel.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kraken import messages
from ringcollect.exchanges.kraken.books import book_batches
from ringcollect.exchanges.kraken.streams import CARRIED, CHANNELS
from ringcollect.exchanges.kraken.tickers import ticker_batches
from ringcollect.exchanges.kraken.trades import print_records
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Notice, Outcome, Want
from ringcollect.exchanges.typed import Arrival, of_frame
from ringcollect.records import Flag

IGNORED_CHANNELS = ("ohlc", "level3", "instrument", "executions", "balances")
"""Known channels that are deliberately not recorded."""
_ONLINE = "online"
_IGNORED, _CONTROL = Decoded(Outcome.IGNORED), Decoded(Outcome.CONTROL)

_head = msgspec.json.Decoder(messages.Head)
_result = msgspec.json.Decoder(messages.Result)
_statuses = msgspec.json.Decoder(list[messages.Status])
_books = msgspec.json.Decoder(list[messages.Book])
_trades = msgspec.json.Decoder(list[messages.Trade])
_tickers = msgspec.json.Decoder(list[messages.Ticker])


class _Frame:
    """What one frame turns out to hold."""

    def __init__(self, arrival: Arrival, is_update: bool) -> None:
        self.arrival = arrival
        self.is_update = is_update
        self.extra = 0 if is_update else int(Flag.SNAPSHOT)
        self.batches: list[Batch] = []
        self.unknown: list[str] = []

    def put(self, symbol: str, make: Callable[[int], tuple[Batch, ...]]) -> None:
        """The records ``make(instrument)`` gives, if ``symbol`` is known; made in any case, so that bad ones reject."""
        if not 0 < len(symbol.encode()) <= 256:
            raise RejectedFrame("symbol empty or too long")
        number = self.arrival.find(symbol)
        batches = make(max(0, number))
        if number >= 0:
            self.batches += batches
        else:
            self.unknown.append(symbol)

    def decoded(self) -> Decoded:
        """DECODED with a batch or more, else IGNORED."""
        outcome = Outcome.DECODED if self.batches else Outcome.IGNORED
        return Decoded(outcome, tuple(self.batches), unknown=tuple(dict.fromkeys(self.unknown)))


def _book(data: Any, frame: _Frame) -> None:
    delta, arrival = frame.is_update, frame.arrival
    for row in _books.decode(data):
        frame.put(row.symbol, lambda number, row=row: book_batches(row, arrival, number, delta=delta))  # type: ignore[misc]


def _trade(data: Any, frame: _Frame) -> None:
    prints = _trades.decode(data)
    arrival, extra = frame.arrival, frame.extra
    for symbol in dict.fromkeys(row.symbol for row in prints):
        own = [row for row in prints if row.symbol == symbol]
        frame.put(symbol, lambda number, own=own: (print_records(own, arrival, number, extra),))  # type: ignore[misc]


def _ticker(data: Any, frame: _Frame) -> None:
    arrival, extra = frame.arrival, frame.extra
    for row in _tickers.decode(data):
        frame.put(row.symbol, lambda number, row=row: ticker_batches(row, arrival, number, extra))  # type: ignore[misc]


_HANDLERS: dict[str, Callable[[Any, _Frame], None]] = {"book": _book, "trade": _trade, "ticker": _ticker}
assert _HANDLERS.keys() == CARRIED.keys()


def _wants(head: messages.Head) -> tuple[Want, ...]:
    """What an answer names: a symbol's channel, or all of a symbol's where a refusal leaves the channel out."""
    if head.result is not UNSET:
        result = _result.decode(head.result)
        return tuple(Want(result.symbol, channel) for channel in CARRIED.get(result.channel, ()) if result.symbol)
    return tuple(Want(head.symbol, channel) for channel in CHANNELS) if head.symbol else ()


def _answer(head: messages.Head) -> Decoded:
    """One answer per symbol; ``req_id`` comes back only if it was sent."""
    if head.method == "subscribe":
        ok = head.success is True
        if not ok and head.error is None:
            raise RejectedFrame("a subscription that neither succeeded nor failed")
        wants = _wants(head)
        if ok and not wants:
            return _CONTROL  # of a channel that is not recorded
        return Decoded(Outcome.CONTROL, control=Answer(head.req_id, ok, head.error or "", wants))
    if head.error is not None:  # "Exceeded msg rate" comes without saying of what
        return Decoded(Outcome.CONTROL, control=Notice(head.error))
    if head.method in ("unsubscribe", "pong"):
        return _CONTROL
    raise RejectedFrame(f"unknown method {str(head.method)[:40]!r}")


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    head = _head.decode(payload)
    if head.method is not UNSET or head.error is not None:
        return _answer(head)
    if head.channel == "heartbeat":
        return _CONTROL
    if head.channel is UNSET or head.data is UNSET:
        raise RejectedFrame("neither data nor an answer")
    if head.channel == "status":
        news = [status.system for status in _statuses.decode(head.data) if status.system != _ONLINE]
        return Decoded(Outcome.CONTROL, control=Notice(f"system is {news[0]}")) if news else _CONTROL
    handle = _HANDLERS.get(head.channel)
    if handle is None:
        if head.channel in IGNORED_CHANNELS:
            return _IGNORED
        raise RejectedFrame(f"unknown channel {head.channel[:40]!r}")
    if head.type not in ("snapshot", "update"):
        raise RejectedFrame(f"unknown type {head.type[:40]!r}")
    frame = _Frame(arrival, head.type == "update")
    handle(head.data, frame)
    return frame.decoded()


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))
