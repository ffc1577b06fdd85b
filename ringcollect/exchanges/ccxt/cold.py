"""From a frame to records. Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.ccxt import messages
from ringcollect.exchanges.ccxt.trades import trade_batches
from ringcollect.exchanges.numbers import ms_to_ns
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Outcome, Want
from ringcollect.exchanges.typed import MOST_REASON, NAN, Arrival, levels_into, of_frame, rows, statistics
from ringcollect.records import CHANNELS_BY_NAME, Channel, Flag, Kind, TickerField

_IGNORED = Decoded(Outcome.IGNORED)
_head = msgspec.json.Decoder(messages.Head)
_answer = msgspec.json.Decoder(messages.Said)
_broken = msgspec.json.Decoder(messages.Broken)
_TICKER = (
    ("last", TickerField.LAST), ("open", TickerField.OPEN), ("high", TickerField.HIGH), ("low", TickerField.LOW),
    ("base", TickerField.BASE_VOLUME), ("quote", TickerField.QUOTE_VOLUME),
)  # fmt: skip


def time_of(ms: int | None) -> int:
    """ns of a time ccxt gives; 0 where it gives none, and what is before the epoch is none."""
    return ms_to_ns(ms) if ms is not None and ms > 0 else 0


def _number(value: float | None) -> float:
    return NAN if value is None else value


def _book(book: messages.Book, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    """The whole book: it replaces the one before."""
    n = max(1, len(book.b) + len(book.a))
    records = rows(arrival, instrument, Kind.BOOK_SNAPSHOT, time_of(book.t), n, aux=-1)
    bids, asks = (([level[0] for level in side], [level[1] for level in side]) for side in (book.b, book.a))
    levels_into(records, bids, asks)
    records["flags"][0] |= int(Flag.CLEAR)
    return (Batch(instrument, Channel.BOOK, records),)


def _best(best: messages.Best, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    if best.bid is None and best.ask is None:
        return ()
    records = rows(arrival, instrument, Kind.BBO, time_of(best.t), 2)
    records["side"] = 1, -1
    records["price"] = _number(best.bid), _number(best.ask)
    records["size"] = best.bid_size or 0.0, best.ask_size or 0.0
    return (Batch(instrument, Channel.BBO, records),)


def _ticker(ticker: messages.Ticker, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    """One record per field that is there."""
    values = {field: getattr(ticker, name) for name, field in _TICKER}
    return statistics(arrival, instrument, time_of(ticker.t), values)


def _funding(funding: messages.Funding, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    if funding.rate is None:
        return ()
    interval = time_of(funding.interval) or arrival.funding_intervals.get(instrument, 0)
    records = rows(
        arrival, instrument, Kind.FUNDING, time_of(funding.t),
        price=funding.rate, size=_number(funding.next), id=interval, aux=time_of(funding.at),
    )  # fmt: skip
    records["flags"] |= int(Flag.REST) if funding.rest else 0
    return (Batch(instrument, Channel.FUNDING, records),)


def _open_interest(interest: messages.OpenInterest, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    if interest.amount is None and interest.value is None:
        return ()
    price, size = _number(interest.value), _number(interest.amount)
    records = rows(arrival, instrument, Kind.OPEN_INTEREST, time_of(interest.t), price=price, size=size)
    records["flags"] |= int(Flag.REST)
    return (Batch(instrument, Channel.OPEN_INTEREST, records),)


_READERS: dict[str, tuple[msgspec.json.Decoder[Any], Callable[[Any, Arrival, int], tuple[Batch, ...]]]] = {
    "book": (msgspec.json.Decoder(messages.Book), _book),
    "bbo": (msgspec.json.Decoder(messages.Best), _best),
    "ticker": (msgspec.json.Decoder(messages.Ticker), _ticker),
    "funding": (msgspec.json.Decoder(messages.Funding), _funding),
    "open_interest": (msgspec.json.Decoder(messages.OpenInterest), _open_interest),
}
_trades = msgspec.json.Decoder(messages.Trades)


def _said(payload: bytes) -> Decoded:
    said = _answer.decode(payload)
    if any(name not in CHANNELS_BY_NAME for _, name in said.w):
        raise RejectedFrame("an answer about no channel of ours")
    wants = tuple(Want(symbol, CHANNELS_BY_NAME[name]) for symbol, name in said.w)
    return Decoded(Outcome.CONTROL, control=Answer(said.id, said.ok, said.m, wants))


def _message(exchange: str, payload: bytes, arrival: Arrival) -> Decoded:
    head = _head.decode(payload)
    if head.c == "answer":
        return _said(payload)
    if head.c == "broken":
        raise RejectedFrame(_broken.decode(payload).m[:MOST_REASON])
    if not 0 < len(head.s.encode()) <= 256:
        raise RejectedFrame("symbol empty or too long")
    instrument = arrival.find(head.s)
    if head.c == "trade":
        batches = trade_batches(exchange, _trades.decode(payload), arrival, max(0, instrument))
    elif head.c in _READERS:
        decoder, read = _READERS[head.c]
        batches = read(decoder.decode(payload), arrival, max(0, instrument))
    else:
        raise RejectedFrame(f"unknown frame {head.c[:40]!r}")
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(head.s,))
    return Decoded(Outcome.DECODED, batches) if batches else _IGNORED


def decode_frame(exchange: str, payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one frame of ``exchange``. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(exchange, payload, arrival))
