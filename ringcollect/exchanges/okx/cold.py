"""The typed way from a message to records: every message OKX sends, and the reference for the kernel.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import typed
from ringcollect.exchanges.okx import messages
from ringcollect.exchanges.okx.books import best_records, book_batches
from ringcollect.exchanges.okx.derivatives import funding, index_price, liquidations, mark_price, open_interest, ticker
from ringcollect.exchanges.okx.fields import MIXED
from ringcollect.exchanges.okx.history import History
from ringcollect.exchanges.okx.streams import CARRIED, FULL_BOOKS, SHORT_BOOK, carried
from ringcollect.exchanges.okx.symbols import guessed_market
from ringcollect.exchanges.okx.trades import print_records
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Notice, Outcome, Want
from ringcollect.exchanges.typed import of_frame
from ringcollect.records import Channel, Flag

IGNORED_CHANNELS = re.compile(
    r"instruments|estimated-price|price-limit|opt-summary|option-trades|status|economic-calendar|adl-warning"
    r"|(mark-price-|index-)?candle\w+|(public-)?(struc-)?block-trades|public-(struc-)?block-trades|block-tickers"
    r"|books-rpi|books-elp|books-grouped|sprd-[\w-]+|call-auction-details|liquidations"
)
"""Known channels that are deliberately not recorded. ``books-rpi`` counts other orders: never the primary book."""

_CLOSING = "64008"
_NAMED = re.compile(r"channel:([\w-]+),\s?(?:instId|instType):([^\s,]+)")
_EVENTS = ("login", "channel-conn-count", "channel-conn-count-error", "unsubscribe")
_IGNORED = Decoded(Outcome.IGNORED)

_head = msgspec.json.Decoder(messages.Head)


@dataclass(frozen=True, slots=True)
class Arrival(typed.Arrival):
    """``markets`` and ``followers``: of each instrument its market, of each index its derivatives, by number.

    ``full``: instruments whose whole book has been seen.
    """

    markets: Mapping[int, str] = field(default_factory=dict)
    followers: Mapping[str, Mapping[int, None]] = field(default_factory=dict)
    history: History = field(default_factory=History)
    full: Container[int] = ()

    def takes(self, number: int) -> bool:
        """Whether this connection is the one that brings an instrument (some streams bring those of all markets)."""
        return self.variant == MIXED or self.markets.get(number) == self.market


class _Frame:
    """What one frame turns out to hold."""

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.batches: list[Batch] = []
        self.unknown: list[str] = []

    def put(self, symbol: str, make: Callable[[int], Batch | tuple[Batch, ...]]) -> None:
        """The records ``make(instrument)`` gives, if ``symbol`` is known; made in any case, so that bad ones reject."""
        if not 0 < len(symbol.encode()) <= 256:
            raise RejectedFrame("symbol empty or too long")
        number = self.arrival.find(symbol)
        batch = make(max(0, number))
        if number >= 0:
            if self.arrival.takes(number):
                self.batches += batch if isinstance(batch, tuple) else (batch,)
        elif guessed_market(symbol) in ("spot", "linear", "inverse"):
            self.unknown.append(symbol)

    def decoded(self) -> Decoded:
        """DECODED with a batch or more, else IGNORED."""
        outcome = Outcome.DECODED if self.batches else Outcome.IGNORED
        return Decoded(outcome, tuple(self.batches), unknown=tuple(dict.fromkeys(self.unknown)))


def _books(rows: list[messages.Book], head: messages.Head, frame: _Frame) -> None:
    assert head.arg is not UNSET
    arg, arrival = head.arg, frame.arrival
    number = arrival.find(arg.inst_id)
    if arg.channel == SHORT_BOOK:
        if number in arrival.full:
            return  # a second, shorter book of an instrument whose whole one comes as well
        delta, extra = False, 0  # every one of them is news
    elif head.action in ("snapshot", "update"):
        delta, extra = head.action == "update", int(Flag.SNAPSHOT)
    else:
        raise RejectedFrame(f"book without a known action: {head.action[:40]!r}")
    for row in rows:
        frame.put(arg.inst_id, lambda number, row=row: book_batches(row, arrival, number, delta=delta, extra=extra))  # type: ignore[misc]


def _best(rows: list[messages.Book], head: messages.Head, frame: _Frame) -> None:
    assert head.arg is not UNSET
    for row in rows:
        frame.put(head.arg.inst_id, lambda number, row=row: best_records(row, frame.arrival, number))  # type: ignore[misc]


def _trades(rows: list[messages.Trade], head: messages.Head, frame: _Frame) -> None:
    assert head.arg is not UNSET
    arrival = frame.arrival
    for symbol in dict.fromkeys(row.inst_id for row in rows):
        own = [row for row in rows if row.inst_id == symbol]
        frame.put(symbol, lambda number, own=own: print_records(own, arrival, number))  # type: ignore[misc]
    _mark_history(f"{head.arg.channel}:{head.arg.inst_id}", frame)


def _liquidations(rows: list[messages.Liquidation], head: messages.Head, frame: _Frame) -> None:
    assert head.arg is not UNSET
    for row in rows:
        if row.details:
            frame.put(row.inst_id, lambda number, row=row: liquidations(row, frame.arrival, number))  # type: ignore[misc]
    _mark_history(f"{head.arg.channel}:{head.arg.inst_type}", frame)


def _mark_history(stream: str, frame: _Frame) -> None:
    arrival, batches = frame.arrival, frame.batches
    if not batches or (frame.unknown and arrival.variant == MIXED):
        return  # it will be decoded again when its instruments are known
    newest = max(int(batch.records["ts_event"].max()) for batch in batches)
    if arrival.history.takes(stream, newest, arrival.ts_recv):
        for batch in batches:
            batch.records["flags"] |= int(Flag.SNAPSHOT)


def _index(rows: list[messages.IndexTicker], head: messages.Head, frame: _Frame) -> None:
    """One index concerns every derivative that follows it; the index itself is no instrument."""
    arrival = frame.arrival
    for row in rows:
        index_price(row, arrival, 0)  # judged also when nobody follows it
        for number in arrival.followers.get(row.inst_id, ()):
            if arrival.takes(number):
                frame.batches.append(index_price(row, arrival, number))


def _each(
    make: Callable[[Any, Arrival, int], Batch | tuple[Batch, ...]],
) -> Callable[[list[Any], messages.Head, _Frame], None]:
    def handle(rows: list[Any], head: messages.Head, frame: _Frame) -> None:
        for row in rows:
            frame.put(row.inst_id, lambda number, row=row: make(row, frame.arrival, number))  # type: ignore[misc]

    return handle


_Handler = Callable[[list[Any], messages.Head, _Frame], None]
_HANDLERS: dict[str, tuple[msgspec.json.Decoder[Any], _Handler]] = {
    **dict.fromkeys((*FULL_BOOKS, SHORT_BOOK), (msgspec.json.Decoder(list[messages.Book]), _books)),
    "bbo-tbt": (msgspec.json.Decoder(list[messages.Book]), _best),
    "trades": (msgspec.json.Decoder(list[messages.Trade]), _trades),
    "trades-all": (msgspec.json.Decoder(list[messages.Trade]), _trades),
    "mark-price": (msgspec.json.Decoder(list[messages.MarkPrice]), _each(mark_price)),
    "tickers": (msgspec.json.Decoder(list[messages.Ticker]), _each(ticker)),
    "index-tickers": (msgspec.json.Decoder(list[messages.IndexTicker]), _index),
    "funding-rate": (msgspec.json.Decoder(list[messages.FundingRate]), _each(funding)),
    "open-interest": (msgspec.json.Decoder(list[messages.OpenInterest]), _each(open_interest)),
    "liquidation-orders": (msgspec.json.Decoder(list[messages.Liquidation]), _liquidations),
}
assert _HANDLERS.keys() == CARRIED.keys()


def _wants(stream: str, arrival: Arrival) -> tuple[Want, ...]:
    return carried(stream, arrival.numbers)


def _request(head: messages.Head) -> int | None:
    """The number of the request an event answers, where it says so."""
    if isinstance(head.id, int):
        return head.id
    return int(head.id) if isinstance(head.id, str) and head.id.isascii() and head.id.isdigit() else None


def _event(head: messages.Head, arrival: Arrival) -> Decoded:
    """One answer per argument: it names the argument, so that the request's number is not needed."""
    if head.event == "subscribe":
        if head.arg is UNSET:
            raise RejectedFrame("acknowledgement without arg")
        stream = f"{head.arg.channel}:{head.arg.inst_id or head.arg.inst_type}"
        if CARRIED.get(head.arg.channel) in (Channel.TRADE, Channel.LIQUIDATION):
            arrival.history.acked(stream, arrival.ts_recv)
        return Decoded(Outcome.CONTROL, control=Answer(None, True, wants=_wants(stream, arrival)))
    if head.event == "error":
        text = f"{head.code}: {head.msg}"
        named = _NAMED.search(head.msg)
        if named is not None:
            wants = _wants(f"{named[1]}:{named[2]}", arrival)
            return Decoded(Outcome.CONTROL, control=Answer(None, False, text, wants))
        return Decoded(Outcome.CONTROL, control=Answer(_request(head), False, text))
    if head.event == "notice":
        return Decoded(Outcome.CONTROL, control=Notice(f"{head.code}: {head.msg}", closing=str(head.code) == _CLOSING))
    if head.event in _EVENTS:
        return Decoded(Outcome.CONTROL)
    raise RejectedFrame(f"unknown event {str(head.event)[:40]!r}")


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    head = _head.decode(payload)
    if head.event is not UNSET:
        return _event(head, arrival)
    if head.arg is UNSET or head.data is UNSET:
        raise RejectedFrame("neither data nor an event")
    found = _HANDLERS.get(head.arg.channel)
    if found is None:
        if IGNORED_CHANNELS.fullmatch(head.arg.channel):
            return _IGNORED
        raise RejectedFrame(f"unknown channel {head.arg.channel[:40]!r}")
    decoder, handle = found
    frame = _Frame(arrival)
    handle(_rows(decoder, head.data), head, frame)
    return frame.decoded()


def _rows(decoder: msgspec.json.Decoder[Any], data: Raw) -> list[Any]:
    rows: list[Any] = decoder.decode(data)
    return rows


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message. Raises RejectedFrame, nothing else."""
    if payload == b"pong":  # the answer to our "ping", and no JSON
        return Decoded(Outcome.CONTROL)
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))
