"""Messages of Advanced Trade: ``{"channel":…,"timestamp":…,"sequence_num":…,"events":[…]}``."""

from __future__ import annotations

import msgspec

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.coinbase import messages
from ringcollect.exchanges.coinbase.frame import Frame
from ringcollect.exchanges.coinbase.records import (
    ADVANCED_SIDES,
    book_batch,
    book_side,
    ticker_batches,
    time_of,
    trade_batch,
)
from ringcollect.exchanges.coinbase.streams import CARRIED
from ringcollect.exchanges.protocol import Answer, Decoded, Outcome, Want
from ringcollect.records import Flag, TickerField

IGNORED_CHANNELS = frozenset({"candles", "status", "ticker_batch", "user", "futures_balance_summary"})
"""Known channels that are deliberately not recorded."""
_SNAPSHOT, _UPDATE = "snapshot", "update"

_levels = msgspec.json.Decoder(messages.Levels)
_trades = msgspec.json.Decoder(messages.Trades)
_tickers = msgspec.json.Decoder(messages.Tickers)
_subscriptions = msgspec.json.Decoder(messages.Subscriptions)


def _is_snapshot(kind: str) -> bool:
    if kind not in (_SNAPSHOT, _UPDATE):
        raise RejectedFrame(f"event neither snapshot nor update: {kind[:40]!r}")
    return kind == _SNAPSHOT


def _l2_data(raw: msgspec.Raw, published: int, frame: Frame) -> None:
    """Levels carry the matching engine's time; the message's own is when it was published."""
    event = _levels.decode(raw)
    delta = not _is_snapshot(event.type)
    levels = [
        (book_side(level.side, ADVANCED_SIDES), level.price_level, level.new_quantity, time_of(level.event_time))
        for level in event.updates
    ]
    frame.put(event.product_id, lambda number: book_batch(levels, published, frame.arrival, number, delta=delta))


def _market_trades(raw: msgspec.Raw, published: int, frame: Frame) -> None:
    event = _trades.decode(raw)
    flags = int(Flag.SNAPSHOT) if _is_snapshot(event.type) else 0
    by_product: dict[str, list[messages.Trade]] = {}
    for trade in event.trades:
        by_product.setdefault(trade.product_id, []).append(trade)
    for product, trades in by_product.items():
        rows = [(t.trade_id, t.price, t.size, t.side, time_of(t.time) or published) for t in trades]
        frame.put(product, lambda number, rows=rows: trade_batch(rows, frame.arrival, number, flags))  # type: ignore[misc]


def _ticker(raw: msgspec.Raw, published: int, frame: Frame) -> None:
    event = _tickers.decode(raw)
    flags = int(Flag.SNAPSHOT) if _is_snapshot(event.type) else 0
    for ticker in event.tickers:
        bid = ticker.best_bid, ticker.best_bid_quantity
        ask = ticker.best_ask, ticker.best_ask_quantity
        sent = {
            TickerField.LAST: ticker.price, TickerField.HIGH: ticker.high_24_h, TickerField.LOW: ticker.low_24_h,
            TickerField.BASE_VOLUME: ticker.volume_24_h,
        }  # fmt: skip
        frame.put(
            ticker.product_id,
            lambda number, bid=bid, ask=ask, sent=sent: ticker_batches(  # type: ignore[misc]
                bid, ask, sent, published, frame.arrival, number, flags
            ),
        )


def _answer(head: messages.Head, sequence: int) -> Decoded:
    """Everything that is subscribed now, what was before included; it may come after the first data."""
    wants = tuple(
        Want(product, channel)
        for raw in head.events
        for name, products in _subscriptions.decode(raw).subscriptions.items()
        for product in products
        for channel in CARRIED.get(name, ())
    )
    return Decoded(Outcome.CONTROL, control=Answer(None, True, "", wants) if wants else None, sequence=sequence)


def decode(channel: str, head: messages.Head, frame: Frame, sequence: int) -> Decoded:
    """Every event of one message."""
    if channel == "heartbeats":
        return Decoded(Outcome.CONTROL, sequence=sequence)
    if channel == "subscriptions":
        return _answer(head, sequence)
    if channel in IGNORED_CHANNELS:
        return Decoded(Outcome.IGNORED, sequence=sequence)
    handler = _HANDLERS.get(channel)
    if handler is None:
        raise RejectedFrame(f"unknown channel {channel[:40]!r}")
    published = time_of(head.timestamp)
    for raw in head.events:
        handler(raw, published, frame)
    return frame.decoded(sequence)


_HANDLERS = {"l2_data": _l2_data, "market_trades": _market_trades, "ticker": _ticker}
