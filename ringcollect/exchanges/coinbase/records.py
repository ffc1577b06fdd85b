"""Books, best prices and trades of both feeds as records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.numbers import Number, iso_to_ns, to_float, to_whole
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, rows, statistics
from ringcollect.records import Channel, Flag, Kind, TickerField

LevelRow = tuple[int, Number, Number, int]
"""Side, price, size and time of a level."""
ADVANCED_SIDES = {"bid": 1, "offer": -1}
EXCHANGE_SIDES = {"buy": 1, "sell": -1}
"""What levels are called on either feed."""
_TAKER_SIDES = {"BUY": -1, "SELL": 1, "buy": -1, "sell": 1}
_NO_TIME = re.compile(r"0001-01-01T00:00:00(?:\.0{1,9})?Z", re.ASCII)
_BROKEN = re.compile(r"-?[0-9]+\.-[0-9]+", re.ASCII)


def time_of(text: str | None) -> int:
    """ns; 0 for a time that was not sent, year 1 included."""
    return 0 if text is None or _NO_TIME.fullmatch(text) else iso_to_ns(text)


def best_of(price: Number | None, size: Number | None) -> tuple[float, float]:
    """Best price and its size; a side without orders is NaN: nothing, an empty text or 0."""
    number = 0.0 if price is None or price == "" else to_float(price)
    quantity = 0.0 if size is None or size == "" else to_float(size)
    return (number, quantity) if number != 0 else (NAN, 0.0)


def _kept(row: LevelRow) -> bool:
    """Not one of the sizes below zero that the venue has been seen to send in whole books (``0.-10000``)."""
    size = row[2]
    return not (isinstance(size, str) and _BROKEN.fullmatch(size)) and not to_float(size) < 0


def book_batch(
    levels: Sequence[LevelRow], ts_event: int, arrival: Arrival, instrument: int, *, delta: bool
) -> tuple[Batch, ...]:
    """A whole book or a delta, levels in the order sent; a level without a time of its own has ``ts_event``."""
    kept = [row for row in levels if _kept(row)] or [(0, NAN, 0.0, 0)]
    kind = Kind.BOOK_DELTA if delta else Kind.BOOK_SNAPSHOT
    records = rows(
        arrival, instrument, kind, [time or ts_event for _, _, _, time in kept], len(kept),
        aux=0 if delta else -1,
        price=[price if side == 0 else to_float(price) for side, price, _, _ in kept],
        size=[to_float(size) for _, _, size, _ in kept],
        side=[side for side, _, _, _ in kept],
    )  # fmt: skip
    if not delta:
        records["flags"] |= int(Flag.SNAPSHOT)
        records["flags"][0] |= int(Flag.CLEAR)
    return (Batch(instrument, Channel.BOOK, records),)


def ticker_batches(
    bid: tuple[Number | None, Number | None], ask: tuple[Number | None, Number | None],
    sent: Mapping[TickerField, Number | None], ts_event: int, arrival: Arrival, instrument: int, flags: int,
) -> tuple[Batch, ...]:  # fmt: skip
    """Best bid and best ask (price and size) where their sizes are there, and what was sent of the statistics."""
    day = statistics(arrival, instrument, ts_event, sent, flags)
    if bid[1] is None or ask[1] is None:
        return day
    best = best_of(*bid), best_of(*ask)
    records = rows(
        arrival, instrument, Kind.BBO, ts_event, 2,
        price=[price for price, _ in best], size=[size for _, size in best], side=[1, -1],
    )  # fmt: skip
    records["flags"] |= flags
    return (Batch(instrument, Channel.BBO, records), *day)


def book_side(word: str, sides: dict[str, int]) -> int:
    """+1 or -1. RejectedFrame for a word that is no side."""
    if word not in sides:
        raise RejectedFrame(f"level of unknown side {word[:40]!r}")
    return sides[word]


TradeRow = tuple[str | int, Number, Number, str, int]
"""Id, price, size, the maker's side and time of a trade."""


def trade_batch(trades: Sequence[TradeRow], arrival: Arrival, instrument: int, flags: int) -> tuple[Batch, ...]:
    """Trades of one product in the order sent. ``side`` is the maker's on both feeds: the aggressor's is the other."""
    for _, _, _, side, _ in trades:
        if side not in _TAKER_SIDES:
            raise RejectedFrame(f"trade of unknown side {side[:40]!r}")
    ids = [to_whole(identity) for identity, _, _, _, _ in trades]
    records = rows(
        arrival, instrument, Kind.TRADE, [time for _, _, _, _, time in trades], len(trades),
        id=ids, aux=ids,
        price=[to_float(price) for _, price, _, _, _ in trades],
        size=[to_float(size) for _, _, size, _, _ in trades],
        side=[_TAKER_SIDES[side] for _, _, _, side, _ in trades],
    )  # fmt: skip
    records["flags"] |= flags
    return (Batch(instrument, Channel.TRADE, records, min(ids), max(ids)),)
