"""Messages of the Exchange feed: ``{"type":…,"product_id":…,…}``, one product each, numbered by nothing."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.coinbase import messages
from ringcollect.exchanges.coinbase.frame import Frame
from ringcollect.exchanges.coinbase.records import (
    EXCHANGE_SIDES,
    LevelRow,
    book_batch,
    book_side,
    ticker_batches,
    time_of,
    trade_batch,
)
from ringcollect.exchanges.coinbase.streams import CARRIED
from ringcollect.exchanges.protocol import Answer, Decoded, Outcome, Want
from ringcollect.records import Flag, TickerField

IGNORED_TYPES = frozenset({"status", "open", "received", "done", "change", "activate", "auction"})
"""Known messages that are deliberately not recorded."""
_CONTROL = frozenset({"heartbeat"})

_snapshot = msgspec.json.Decoder(messages.Snapshot)
_changes = msgspec.json.Decoder(messages.Changes)
_trade = msgspec.json.Decoder(messages.Trade)
_ticker_of = msgspec.json.Decoder(messages.ExchangeTicker)
_subscribed = msgspec.json.Decoder(messages.SubscribedChannels)


def _book(payload: bytes | Raw, frame: Frame, extra: int) -> None:
    book = _snapshot.decode(payload)
    levels: list[LevelRow] = [(1, price, size, 0) for price, size in book.bids]
    levels += [(-1, price, size, 0) for price, size in book.asks]
    ts_event = time_of(book.time)
    frame.put(book.product_id, lambda number: book_batch(levels, ts_event, frame.arrival, number, delta=False))


def _update(payload: bytes | Raw, frame: Frame, extra: int) -> None:
    event = _changes.decode(payload)
    levels = [(book_side(side, EXCHANGE_SIDES), price, size, 0) for side, price, size in event.changes]
    ts_event = time_of(event.time)
    frame.put(event.product_id, lambda number: book_batch(levels, ts_event, frame.arrival, number, delta=True))


def _match(payload: bytes | Raw, frame: Frame, extra: int) -> None:
    trade = _trade.decode(payload)
    row = (trade.trade_id, trade.price, trade.size, trade.side, time_of(trade.time))
    frame.put(trade.product_id, lambda number: trade_batch([row], frame.arrival, number, extra))


def _ticker(payload: bytes | Raw, frame: Frame, extra: int) -> None:
    """Best prices and statistics; ``side`` is the last trade's taker, and of no use."""
    ticker = _ticker_of.decode(payload)
    bid, ask = (ticker.best_bid, ticker.best_bid_size), (ticker.best_ask, ticker.best_ask_size)
    sent = {
        TickerField.LAST: ticker.price, TickerField.OPEN: ticker.open_24h, TickerField.HIGH: ticker.high_24h,
        TickerField.LOW: ticker.low_24h, TickerField.BASE_VOLUME: ticker.volume_24h,
    }  # fmt: skip
    ts_event = time_of(ticker.time)
    frame.put(ticker.product_id, lambda number: ticker_batches(bid, ask, sent, ts_event, frame.arrival, number, 0))


def _answer(payload: bytes | Raw) -> Decoded:
    """Everything that is subscribed now, not only what was asked for last."""
    wants = tuple(
        Want(product, channel)
        for row in _subscribed.decode(payload).channels
        for product in row.product_ids
        for channel in CARRIED.get(row.name, ())
    )
    return Decoded(Outcome.CONTROL, control=Answer(None, True, "", wants) if wants else None)


def decode(kind: str, payload: bytes, frame: Frame) -> Decoded:
    """One message of type ``kind``. ``last_match`` repeats the last trade before the subscription: history."""
    if kind == "subscriptions":
        return _answer(payload)
    if kind in _CONTROL:
        return Decoded(Outcome.CONTROL)
    if kind in IGNORED_TYPES:
        return Decoded(Outcome.IGNORED)
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise RejectedFrame(f"unknown type {kind[:40]!r}")
    handler(payload, frame, int(Flag.SNAPSHOT) if kind == "last_match" else 0)
    return frame.decoded()


_HANDLERS = {"snapshot": _book, "l2update": _update, "match": _match, "last_match": _match, "ticker": _ticker}
