"""The typed way from a message to records: every message Bybit sends, and the reference for the kernel.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import hot, typed
from ringcollect.exchanges.bybit import messages, tickers
from ringcollect.exchanges.bybit.books import best_records, book_records
from ringcollect.exchanges.bybit.fields import BEST, R_DEPTH
from ringcollect.exchanges.bybit.prints import liquidation_records, trade_records
from ringcollect.exchanges.bybit.streams import read_stream
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Outcome, Want
from ringcollect.exchanges.typed import MOST_REASON, of_frame
from ringcollect.records import Channel

IGNORED_TOPICS = frozenset(
    {
        "kline", "liquidation", "priceLimit", "insurance", "adlAlert", "system", "kline_lt", "tickers_lt", "lt",
        "rpi", "full",
    }
)  # fmt: skip
"""First parts of topics (of ``orderbook`` the second) that are deliberately not recorded."""
_TOPIC = re.compile(r"(?:orderbook\.[0-9]+|publicTrade|tickers|allLiquidation)\.[^\s,\]]+", re.ASCII)
_SNAPSHOT, _DELTA = "snapshot", "delta"

_head = msgspec.json.Decoder(messages.Head)
_book = msgspec.json.Decoder(messages.Book)
_trades = msgspec.json.Decoder(list[messages.Trade])
_liquidations = msgspec.json.Decoder(list[messages.Liquidation])
_ticker = msgspec.json.Decoder(messages.Ticker)
_IGNORED = Decoded(Outcome.IGNORED)
_CONTROL = Decoded(Outcome.CONTROL)


@dataclass(frozen=True, slots=True)
class Arrival(typed.Arrival):
    """Beside what every message is told: what the decoder remembers of this connection and of its instruments."""

    rows: hot.HotRows = field(default_factory=hot.HotRows)
    topics: Container[str] = ()  # asked for on this connection, as far as known
    tickers: np.ndarray = field(default_factory=tickers.new_states)  # merged, by instrument


def _answer(head: messages.Head) -> Decoded:
    """Acknowledgements and refusals; of the latter those topics that the message names."""
    if head.op != "subscribe":
        return _CONTROL  # ping, pong, unsubscribe, auth
    number = int(head.req_id) if head.req_id and re.fullmatch("[0-9]{1,18}", head.req_id, re.ASCII) else None
    if head.success is True:
        return Decoded(Outcome.CONTROL, control=Answer(number, True))
    wants: list[Want] = []
    for topic in _TOPIC.findall(head.ret_msg):
        wants += read_stream("linear", topic)
    return Decoded(Outcome.CONTROL, control=Answer(number, False, head.ret_msg[:MOST_REASON], tuple(wants)))


def _time(*times: Any) -> int:
    """The first time that was sent, ms, as ns; 0 when none was."""
    return next((int(time) * 1_000_000 for time in times if time is not UNSET), 0)


def _orderbook(head: messages.Head, depth: str, symbol: str, arrival: Arrival) -> Decoded:
    if not re.fullmatch("[0-9]{1,6}", depth, re.ASCII):
        raise RejectedFrame(f"orderbook of depth {depth[:40]!r}")
    if head.type not in (_SNAPSHOT, _DELTA):
        raise RejectedFrame("orderbook neither snapshot nor delta")
    book = _book.decode(_data(head))
    _same(symbol, book.s)
    number = arrival.find(symbol)
    instrument, delta = max(0, number), head.type == _DELTA
    ts_event = _time(head.cts, head.ts)  # cts is the matching engine's, ts the publisher's
    if int(depth) == BEST:
        row = arrival.rows.row(instrument, Channel.NONE) if number >= 0 else None
        batch = best_records(book, arrival, instrument, ts_event, row, delta=delta)
    else:
        batch = book_records(book, arrival, instrument, ts_event, delta=delta)
        if number >= 0 and not _is_primary(int(depth), symbol, number, arrival):
            return _IGNORED
    return _decoded(symbol, number, (batch,))


def _is_primary(depth: int, symbol: str, instrument: int, arrival: Arrival) -> bool:
    """An instrument has one book: the one that was asked for, or (a capture does not say) whichever came first."""
    row = arrival.rows.row(instrument, Channel.BOOK)
    if not row[R_DEPTH] or f"orderbook.{depth}.{symbol}" in arrival.topics:
        row[R_DEPTH] = depth
    return bool(row[R_DEPTH] == depth)


def _data(head: messages.Head) -> Any:
    if head.data is UNSET:
        raise RejectedFrame("topic without data")
    return head.data


def _same(symbol: str, *others: str) -> None:
    if any(other != symbol for other in others):
        raise RejectedFrame("topic and data are about different symbols")


def _decoded(symbol: str, number: int, batches: tuple[Batch, ...]) -> Decoded:
    if number < 0:
        return Decoded(Outcome.IGNORED, unknown=(symbol,))
    return Decoded(Outcome.DECODED, batches) if batches else _IGNORED


def _trade(head: messages.Head, symbol: str, arrival: Arrival) -> Decoded:
    trades = _trades.decode(_data(head))
    if not trades:
        raise RejectedFrame("no trade")
    _same(symbol, *(trade.s for trade in trades))
    number = arrival.find(symbol)
    return _decoded(symbol, number, (trade_records(trades, arrival, max(0, number)),))


def _liquidation(head: messages.Head, symbol: str, arrival: Arrival) -> Decoded:
    liquidations = _liquidations.decode(_data(head))
    if not liquidations:
        raise RejectedFrame("no liquidation")
    _same(symbol, *(one.s for one in liquidations))
    number = arrival.find(symbol)
    return _decoded(symbol, number, (liquidation_records(liquidations, arrival, max(0, number)),))


def _tickers(head: messages.Head, symbol: str, arrival: Arrival) -> Decoded:
    news = _ticker.decode(_data(head))
    _same(symbol, news.symbol)
    number = arrival.find(symbol)
    row = arrival.tickers[number] if number >= 0 else None
    anew = head.type == _SNAPSHOT
    batches = tickers.read(news, row, arrival, max(0, number), _time(head.ts), anew=anew)
    return _decoded(symbol, number, batches)


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    head = _head.decode(payload)
    if head.topic is UNSET:
        if head.op is UNSET:
            raise RejectedFrame("neither a topic nor an answer")
        return _answer(head)
    name, _, rest = head.topic.partition(".")
    if name == "orderbook":
        depth, _, symbol = rest.partition(".")
        if depth in IGNORED_TOPICS:
            return _IGNORED
        return _orderbook(head, depth, _symbol(symbol), arrival)
    handler = _HANDLERS.get(name)
    if handler is not None:
        return handler(head, _symbol(rest), arrival)
    if name in IGNORED_TOPICS:
        return _IGNORED
    raise RejectedFrame(f"unknown topic {head.topic[:40]!r}")


def _symbol(text: str) -> str:
    if not 0 < len(text.encode()) <= hot.SCRATCH_BYTES:
        raise RejectedFrame("symbol empty or too long")
    return text


_HANDLERS = {"publicTrade": _trade, "tickers": _tickers, "allLiquidation": _liquidation}


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))
