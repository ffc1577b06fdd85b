"""The typed way from a message to records: every message Deribit sends, and the reference for the table.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from msgspec import UNSET, Raw

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.deribit import messages
from ringcollect.exchanges.deribit.books import best_records, book_records
from ringcollect.exchanges.deribit.derivatives import ticker_records
from ringcollect.exchanges.deribit.streams import CHANNELS, read_stream
from ringcollect.exchanges.deribit.subscribe import request_of
from ringcollect.exchanges.deribit.trades import print_records
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Notice, Outcome
from ringcollect.exchanges.typed import Arrival, of_frame

IGNORED_CHANNELS = (
    "chart", "deribit_price_index", "deribit_price_ranking", "deribit_price_statistics", "deribit_volatility_index",
    "estimated_expiration_price", "incremental_ticker", "instrument", "markprice", "perpetual", "platform_state",
    "rfq", "block_rfq", "block_trade_confirmations", "user",
)  # fmt: skip
"""Known channels that are deliberately not recorded."""
_IGNORED, _CONTROL = Decoded(Outcome.IGNORED), Decoded(Outcome.CONTROL)

_head = msgspec.json.Decoder(messages.Head)
_names = msgspec.json.Decoder(list[str])
_book = msgspec.json.Decoder(messages.Book)
_trades = msgspec.json.Decoder(list[messages.Trade])
_quote = msgspec.json.Decoder(messages.Quote)
_ticker = msgspec.json.Decoder(messages.Ticker)

_Make = Callable[[int], tuple[Batch, ...]]
_Found = Iterable[tuple[str, _Make]]
"""A symbol, and what its records are, given its number."""


def _books(data: Raw, arrival: Arrival) -> _Found:
    book = _book.decode(data)
    yield book.instrument_name, lambda number: (book_records(book, arrival, number),)


def _prints(data: Raw, arrival: Arrival) -> _Found:
    of_symbol: dict[str, list[messages.Trade]] = {}
    for trade in _trades.decode(data):
        of_symbol.setdefault(trade.instrument_name, []).append(trade)
    for symbol, own in of_symbol.items():
        yield symbol, lambda number, own=own: (print_records(own, arrival, number),)  # type: ignore[misc]


def _quotes(data: Raw, arrival: Arrival) -> _Found:
    quote = _quote.decode(data)
    yield quote.instrument_name, lambda number: (best_records(quote, arrival, number),)


def _tickers(data: Raw, arrival: Arrival) -> _Found:
    ticker = _ticker.decode(data)
    yield ticker.instrument_name, lambda number: ticker_records(ticker, arrival, number)


_READERS = {"book": _books, "trades": _prints, "quote": _quotes, "ticker": _tickers}
assert _READERS.keys() == set(CHANNELS.values())


def _data(channel: str, data: Raw, arrival: Arrival) -> Decoded:
    """Records of what is known; what is not is judged all the same, so that bad ones reject."""
    name = channel.partition(".")[0]
    reader = _READERS.get(name)
    if reader is None:
        if name in IGNORED_CHANNELS:
            return _IGNORED
        raise RejectedFrame(f"unknown channel {channel[:40]!r}")
    batches: list[Batch] = []
    unknown: list[str] = []
    for symbol, make in reader(data, arrival):
        if not 0 < len(symbol.encode()) <= 256:
            raise RejectedFrame("symbol empty or too long")
        number = arrival.find(symbol)
        made = make(max(0, number))
        if number >= 0:
            batches += made
        else:
            unknown.append(symbol)
    return Decoded(Outcome.DECODED if batches else Outcome.IGNORED, tuple(batches), unknown=tuple(unknown))


def _answer(head: messages.Head, arrival: Arrival) -> Decoded:
    """A list of channels is what was subscribed: a channel that does not exist is not in it."""
    request = request_of(head.id)
    if head.error is not UNSET:
        text = f"{head.error.code}: {head.error.message}"
        if request is None:
            return Decoded(Outcome.CONTROL, control=Notice(text))
        return Decoded(Outcome.CONTROL, control=Answer(request, False, text))
    if head.result is UNSET:
        raise RejectedFrame("neither data nor an answer")
    if request is None:
        return _CONTROL
    names = _names.decode(head.result)
    if not names:
        return Decoded(Outcome.CONTROL, control=Answer(request, False, "no such channel"))
    wants = tuple(want for name in names for want in read_stream(arrival.market, name))
    return Decoded(Outcome.CONTROL, control=Answer(request, True, wants=wants)) if wants else _CONTROL


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    head = _head.decode(payload)
    if head.method is UNSET:
        return _answer(head, arrival)
    if head.method == "heartbeat":
        return _CONTROL
    if head.method != "subscription":
        raise RejectedFrame(f"unknown method {head.method[:40]!r}")
    if head.params is UNSET or head.params.data is UNSET:
        raise RejectedFrame("a notification without data")
    return _data(head.params.channel, head.params.data, arrival)


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))
