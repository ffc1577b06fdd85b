"""Partial depth streams (``depth20@100ms``) as books: each frame is the best levels, complete.

They look like other things: on spot a frame names neither symbol nor event, on USD-M it is spelled like a diff. So the
stream's name says what it is, and the decoder has to be told whose book is collected this way; of all others a partial
frame is not recorded, because it would be mixed with the real book.
"""

from __future__ import annotations

import re

import msgspec

from ringcollect.exchanges.binance.messages import Depth, Id, Level
from ringcollect.exchanges.binance.times import first_ns
from ringcollect.exchanges.numbers import to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import Arrival, levels_into, rows
from ringcollect.records import Channel, Flag, Kind

_PARTIAL = re.compile(r"depth(5|10|20)(@\d+ms)?", re.ASCII)


class TopLevels(msgspec.Struct):
    """Partial depth of spot."""

    last_update_id: Id = msgspec.field(name="lastUpdateId")
    bids: list[Level] = []
    asks: list[Level] = []


_top_levels = msgspec.json.Decoder(TopLevels)
_depth = msgspec.json.Decoder(Depth)


def is_whole(kind: str) -> bool:
    """Whether a stream of this kind (``depth20@100ms``) sends the best levels, complete each time."""
    return _PARTIAL.fullmatch(kind) is not None


def followed(stream: str | None, arrival: Arrival) -> str:
    """The symbol whose book the stream carries, "" if it is none of those that are collected by their best levels."""
    symbol, _, kind = (stream or "").partition("@")
    symbol = symbol.upper()
    return symbol if symbol in arrival.whole_books and is_whole(kind) else ""


def spot_book(raw: msgspec.Raw | bytes, arrival: Arrival, instrument: int) -> Batch:
    """A frame of spot, which says no time. Raises msgspec's errors and RejectedFrame."""
    top = _top_levels.decode(raw)
    return _book(arrival, instrument, top.last_update_id, 0, top.bids, top.asks)


def linear_book(raw: msgspec.Raw | bytes, arrival: Arrival, instrument: int) -> Batch:
    """A frame of USD-M. Raises msgspec's errors and RejectedFrame."""
    event = _depth.decode(raw)
    return _book(arrival, instrument, event.u, first_ns(event.T, event.E), event.b, event.a)


def _book(
    arrival: Arrival, instrument: int, last_id: int, ts_event: int, bids: list[Level], asks: list[Level]
) -> Batch:
    sides = [([to_float(price) for price, _ in side], [to_float(size) for _, size in side]) for side in (bids, asks)]
    records = rows(arrival, instrument, Kind.BOOK_SNAPSHOT, ts_event, max(1, len(bids) + len(asks)), id=last_id, aux=-1)
    levels_into(records, *sides)
    records["flags"][0] |= int(Flag.CLEAR)
    return Batch(instrument, Channel.BOOK, records, last_id=last_id)
