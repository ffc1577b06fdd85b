"""The typed way from a message to records: every message Binance sends, and the reference for the kernel.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.binance import messages
from ringcollect.exchanges.binance.events import RAW_DEPTH
from ringcollect.exchanges.binance.streams import is_diff_depth
from ringcollect.exchanges.binance.times import first_ns
from ringcollect.exchanges.binance.whole import followed, linear_book, spot_book
from ringcollect.exchanges.numbers import epoch_to_ns, to_float
from ringcollect.exchanges.protocol import Answer, Batch, Decoded, Notice, Outcome
from ringcollect.exchanges.typed import NAN, Arrival, levels_into, of_frame, rows, statistics
from ringcollect.records import Channel, Kind, LiquidationSub, TickerField, TradeSub, aux_f

IGNORED_EVENTS = frozenset(
    {
        "kline", "continuous_kline", "indexPrice_kline", "markPrice_kline", "24hrMiniTicker", "1hTicker",
        "4hTicker", "1dTicker", "avgPrice", "contractInfo", "compositeIndex", "assetIndexUpdate", "blockTrade",
        "referencePrice", "tradingSession",
    }
)  # fmt: skip
"""Known events that are deliberately not recorded."""

TICKER_KEYS = {
    TickerField.LAST: "c", TickerField.OPEN: "o", TickerField.HIGH: "h", TickerField.LOW: "l",
    TickerField.BASE_VOLUME: "v", TickerField.QUOTE_VOLUME: "q",
}  # fmt: skip
"""Where ``24hrTicker`` says what."""

_TRADE_SUBS = {
    "MARKET": TradeSub.ORDINARY,
    "LIQUIDATION": TradeSub.LIQUIDATION,
    "RPI": TradeSub.RPI,
    "ADL": TradeSub.ADL_INSURANCE,
    "INSURANCE_FUND": TradeSub.ADL_INSURANCE,
}
_SIDES = {"BUY": 1, "SELL": -1}

_head = msgspec.json.Decoder(messages.Head)
_list = msgspec.json.Decoder(list[Raw])
_failure = msgspec.json.Decoder(messages.Failure)
_IGNORED = Decoded(Outcome.IGNORED)


def _depth(event: messages.Depth, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    if arrival.market == "linear" and event.pu is UNSET:
        raise RejectedFrame("depthUpdate without pu")
    sides = [
        ([to_float(price) for price, _ in levels], [to_float(size) for _, size in levels])
        for levels in (event.b, event.a)
    ]
    n = max(1, len(event.b) + len(event.a))
    records = rows(arrival, instrument, Kind.BOOK_DELTA, first_ns(event.T, event.E), n, id=event.u)
    levels_into(records, *sides)
    prev_id = -1 if event.pu is UNSET else event.pu
    return (Batch(instrument, Channel.BOOK, records, event.U, event.u, prev_id),)


def _print(
    event: messages.Trade | messages.AggregateTrade, arrival: Arrival, instrument: int, first: int, last: int, sub: int
) -> np.ndarray:
    price, size = to_float(event.p), to_float(event.q)
    records = rows(
        arrival, instrument, Kind.TRADE, epoch_to_ns(event.T),
        price=price, size=size, id=last, aux=first, sub=sub, side=-1 if event.m else 1,
    )  # fmt: skip
    return records[:0] if price == 0 or size == 0 else records


def _trade(event: messages.Trade, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    sub = _TRADE_SUBS.get(event.X, -1)
    if sub < 0 and event.X != "NA":
        raise RejectedFrame(f"trade of unknown type {event.X[:40]!r}")
    records = _print(event, arrival, instrument, event.t, event.t, max(0, sub))
    return (Batch(instrument, Channel.TRADE, records if sub >= 0 else records[:0], event.t, event.t),)


def _aggregate(event: messages.AggregateTrade, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    records = _print(event, arrival, instrument, event.f, event.l, TradeSub.AGGREGATED)
    return (Batch(instrument, Channel.TRADE, records, event.a, event.a),)


def _ticker(event: messages.BookTicker, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    records = rows(arrival, instrument, Kind.BBO, first_ns(event.T, event.E), 2, id=event.u)
    records["price"] = [to_float(event.b) or NAN, to_float(event.a) or NAN]  # 0 stands for a side without orders
    records["size"] = [to_float(event.B), to_float(event.A)]
    records["side"] = 1, -1
    return (Batch(instrument, Channel.BBO, records, event.u, event.u),)


def _day_ticker(event: messages.DayStatistics, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    sent = {field: getattr(event, name) for field, name in TICKER_KEYS.items()}
    return statistics(arrival, instrument, epoch_to_ns(event.E), sent)


def _mark_price(event: messages.MarkPrice, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    ts_event = epoch_to_ns(event.E)  # not T, which lies hours ahead
    mark = rows(arrival, instrument, Kind.MARK_PRICE, ts_event, price=to_float(event.p), size=NAN)
    batches = [Batch(instrument, Channel.MARK_PRICE, mark)]
    if event.i != "":
        index = rows(arrival, instrument, Kind.INDEX_PRICE, ts_event, price=to_float(event.i), size=NAN)
        batches.append(Batch(instrument, Channel.INDEX_PRICE, index))
    if event.r != "" and event.T:  # dated contracts have no funding: an empty rate, or a rate of nothing at time 0
        funding = rows(
            arrival,
            instrument,
            Kind.FUNDING,
            ts_event,
            price=to_float(event.r),
            size=NAN,
            aux=epoch_to_ns(event.T),
            id=arrival.funding_intervals.get(instrument, 0),
        )
        batches.append(Batch(instrument, Channel.FUNDING, funding))
    return tuple(batches)


def _force_order(event: messages.ForceOrder, arrival: Arrival, instrument: int) -> tuple[Batch, ...]:
    order = event.o
    if order.S not in _SIDES:
        raise RejectedFrame(f"forceOrder of unknown side {order.S[:40]!r}")
    price, average = to_float(order.p), to_float(order.ap)
    ordered, filled = to_float(order.q), to_float(order.z)
    known = average > 0
    records = rows(
        arrival, instrument, Kind.LIQUIDATION, epoch_to_ns(order.T),
        price=average if known else price, size=filled if filled > 0 else ordered, side=_SIDES[order.S],
        sub=LiquidationSub.AVERAGE if known else LiquidationSub.ORDER,
    )  # fmt: skip
    aux_f(records)[:] = price if known else NAN
    return (Batch(instrument, Channel.LIQUIDATION, records),)


_Handler = Callable[[Any, Arrival, int], tuple[Batch, ...]]
_EVENTS: dict[str, tuple[msgspec.json.Decoder[Any], Callable[[Any], str], _Handler]] = {
    "depthUpdate": (msgspec.json.Decoder(messages.Depth), lambda event: event.s, _depth),
    "trade": (msgspec.json.Decoder(messages.Trade), lambda event: event.s, _trade),
    "aggTrade": (msgspec.json.Decoder(messages.AggregateTrade), lambda event: event.s, _aggregate),
    "bookTicker": (msgspec.json.Decoder(messages.BookTicker), lambda event: event.s, _ticker),
    "markPriceUpdate": (msgspec.json.Decoder(messages.MarkPrice), lambda event: event.s, _mark_price),
    "24hrTicker": (msgspec.json.Decoder(messages.DayStatistics), lambda event: event.s, _day_ticker),
    "forceOrder": (msgspec.json.Decoder(messages.ForceOrder), lambda event: event.o.s, _force_order),
}


def _answer(head: messages.Head) -> Decoded:
    request = head.id if isinstance(head.id, int) else None
    if head.error is not UNSET:
        failure = _failure.decode(head.error)
        return Decoded(Outcome.CONTROL, control=Answer(request, False, f"{failure.code}: {failure.msg}"))
    if head.code is not UNSET or head.msg is not UNSET:
        code, text = ("" if value is UNSET else value for value in (head.code, head.msg))
        return Decoded(Outcome.CONTROL, control=Answer(request, False, f"{code}: {text}"))
    return Decoded(Outcome.CONTROL, control=Answer(request, True))


def _whole(raw: Any, stream: str | None, arrival: Arrival, read: Callable[[Any, Arrival, int], Batch]) -> Decoded:
    """Partial depth: a book where it was chosen for one, else never mixed with the real one."""
    symbol = followed(stream, arrival)
    instrument = arrival.find(symbol) if symbol else -1
    return _IGNORED if instrument < 0 else Decoded(Outcome.DECODED, (read(raw, arrival, instrument),))


def _event(raw: Any, head: messages.Head, stream: str | None, arrival: Arrival) -> Decoded:
    if head.e is not UNSET:
        name = head.e
    elif head.last_update_id is not UNSET:
        return _whole(raw, stream, arrival, spot_book)
    elif head.u is not UNSET:
        name = "bookTicker"  # spot sends it without a name
    else:
        raise RejectedFrame("neither an event nor an answer")
    if name in IGNORED_EVENTS:
        return _IGNORED
    if name == "serverShutdown":
        return Decoded(Outcome.CONTROL, control=Notice("serverShutdown", closing=True))
    if name not in _EVENTS:
        raise RejectedFrame(f"unknown event {name[:40]!r}")
    if name == "depthUpdate" and not (arrival.variant == RAW_DEPTH if stream is None else is_diff_depth(stream)):
        return _whole(raw, stream, arrival, linear_book)  # or RPI depth, in the shape of a diff
    decoder, symbol_of, handle = _EVENTS[name]
    event = decoder.decode(raw)
    symbol = symbol_of(event)
    if not 0 < len(symbol.encode()) <= 256:
        raise RejectedFrame("symbol empty or too long")
    instrument = arrival.find(symbol)
    batches = handle(event, arrival, max(0, instrument))
    if instrument < 0:
        return Decoded(Outcome.IGNORED, unknown=(symbol,))
    return Decoded(Outcome.DECODED, batches) if batches else _IGNORED


def _events(raws: list[Raw], stream: str | None, arrival: Arrival) -> Decoded:
    """An array frame: all of it or nothing."""
    parts = [_event(raw, _head.decode(raw), stream, arrival) for raw in raws]
    batches = tuple(batch for part in parts for batch in part.batches)
    unknown = tuple(symbol for part in parts for symbol in part.unknown)
    control = next((part.control for part in parts if part.control), None)
    outcome = Outcome.DECODED if batches else Outcome.CONTROL if control else Outcome.IGNORED
    return Decoded(outcome, batches, control, unknown)


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    if payload.lstrip()[:1] == b"[":
        return _events(_list.decode(payload), None, arrival)
    head = _head.decode(payload)
    if head.data is UNSET:
        if head.stream is not UNSET:
            raise RejectedFrame("stream without data")
        if head.e is UNSET and not (head.id is UNSET and head.error is UNSET and head.code is UNSET):
            return _answer(head)
        return _event(payload, head, None, arrival)
    if head.stream is UNSET:
        raise RejectedFrame("data without stream")
    if bytes(memoryview(head.data)[:1]) == b"[":
        return _events(_list.decode(head.data), head.stream, arrival)
    return _event(head.data, _head.decode(head.data), head.stream, arrival)


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))
