"""The typed way from a message to records: every message Kraken Futures sends, and the reference for the kernel.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import UNSET

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import hot
from ringcollect.exchanges.kraken_futures import messages
from ringcollect.exchanges.kraken_futures.books import delta_records, snapshot_records
from ringcollect.exchanges.kraken_futures.prints import print_batches
from ringcollect.exchanges.kraken_futures.streams import read_stream
from ringcollect.exchanges.kraken_futures.tickers import ticker_batches
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Outcome
from ringcollect.exchanges.typed import MOST_REASON, Arrival, of_frame

IGNORED_FEEDS = ("ticker_lite", "challenge", "candles")
"""Known feeds that are deliberately not recorded: ``ticker_lite`` has neither sizes nor a time."""
_IGNORED, _CONTROL = Decoded(Outcome.IGNORED), Decoded(Outcome.CONTROL)
_SUBSCRIBED, _FAILED = "subscribed", ("subscribed_failed", "error", "alert")
_CONTROL_EVENTS = ("info", "unsubscribed", "unsubscribed_failed", "challenge", "pong")

_head = msgspec.json.Decoder(messages.Head)
_delta = msgspec.json.Decoder(messages.Delta)
_snapshot = msgspec.json.Decoder(messages.Snapshot)
_print = msgspec.json.Decoder(messages.Trade)
_prints = msgspec.json.Decoder(messages.Trades)
_ticker = msgspec.json.Decoder(messages.Ticker)


def _answer(head: messages.Head) -> Decoded:
    """An acknowledgement names one product, a refusal nothing: there are no request ids."""
    if head.event in _CONTROL_EVENTS:
        return _CONTROL
    ok = head.event == _SUBSCRIBED
    if not ok and head.event not in _FAILED:
        raise RejectedFrame(f"unknown event {str(head.event)[:40]!r}")
    feed = "" if head.feed is UNSET else head.feed
    wants = tuple(want for symbol in head.product_ids for want in read_stream("", f"{feed}:{symbol}"))
    if ok and not wants:
        return _CONTROL  # of a feed that is not recorded
    return Decoded(Outcome.CONTROL, control=Answer(None, ok, (head.message or "")[:MOST_REASON], wants))


def _book(payload: bytes, arrival: Arrival, instrument: int, symbol: str) -> tuple[Batch, ...]:
    return (delta_records(_delta.decode(payload), arrival, instrument),)


def _whole_book(payload: bytes, arrival: Arrival, instrument: int, symbol: str) -> tuple[Batch, ...]:
    return (snapshot_records(_snapshot.decode(payload), arrival, instrument),)


def _trade(payload: bytes, arrival: Arrival, instrument: int, symbol: str) -> tuple[Batch, ...]:
    return print_batches((_print.decode(payload),), arrival, instrument, history=False)


def _history(payload: bytes, arrival: Arrival, instrument: int, symbol: str) -> tuple[Batch, ...]:
    trades = _prints.decode(payload).trades
    if any(trade.product_id.upper() != symbol for trade in trades):
        raise RejectedFrame("a history with trades of another product")
    return print_batches(trades, arrival, instrument, history=True)


def _best(payload: bytes, arrival: Arrival, instrument: int, symbol: str) -> tuple[Batch, ...]:
    return ticker_batches(_ticker.decode(payload), arrival, instrument)


_HANDLERS: dict[str, Callable[[bytes, Arrival, int, str], tuple[Batch, ...]]] = {
    "book": _book, "book_snapshot": _whole_book, "trade": _trade, "trade_snapshot": _history, "ticker": _best,
}  # fmt: skip


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    head = _head.decode(payload)
    if head.event is not UNSET:
        return _answer(head)
    if head.feed is UNSET:
        raise RejectedFrame("neither a feed nor an event")
    if head.feed == "heartbeat":
        return _CONTROL
    handle = _HANDLERS.get(head.feed)
    if handle is None:
        if head.feed in IGNORED_FEEDS:
            return _IGNORED
        raise RejectedFrame(f"unknown feed {head.feed[:40]!r}")
    symbol = head.product_id.upper()  # products are asked for and listed in either case
    if not 0 < len(symbol.encode()) <= hot.SCRATCH_BYTES:
        raise RejectedFrame("product empty or too long")
    number = arrival.find(symbol)
    batches = handle(payload, arrival, max(0, number), symbol)
    if number < 0:
        return Decoded(Outcome.IGNORED, unknown=(symbol,))
    return Decoded(Outcome.DECODED, batches) if batches else _IGNORED


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))
