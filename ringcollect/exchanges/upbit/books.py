"""Order books and their tops as records."""

from __future__ import annotations

from collections.abc import Sequence

from ringcollect.exchanges.numbers import epoch_to_ns, to_float
from ringcollect.exchanges.protocol import Batch
from ringcollect.exchanges.typed import NAN, Arrival, levels_into, rows
from ringcollect.exchanges.upbit.messages import SimpleUnit, Unit
from ringcollect.records import Channel, Flag, Kind

_Side = tuple[list[float], list[float]]


def _sides(units: Sequence[Unit | SimpleUnit]) -> tuple[_Side, _Side]:
    """(bids, asks), each as prices and sizes, without the padding of the side that has fewer levels (price 0)."""
    bids = [(to_float(unit.bid_price), to_float(unit.bid_size)) for unit in units]
    asks = [(to_float(unit.ask_price), to_float(unit.ask_size)) for unit in units]
    kept = [[level for level in side if level[0] != 0] for side in (bids, asks)]
    bid, ask = (([price for price, _ in side], [size for _, size in side]) for side in kept)
    return bid, ask


def book_records(
    units: Sequence[Unit | SimpleUnit], timestamp: int, arrival: Arrival, instrument: int, extra: int
) -> tuple[Batch, Batch]:
    """The whole book (it replaces the one before), and its best prices.

    ``extra`` flags are on all of them: a message that only repeats what is known, on subscribing, is SNAPSHOT.
    """
    bids, asks = _sides(units)
    n = max(1, len(bids[0]) + len(asks[0]))
    ts_event = epoch_to_ns(timestamp)
    book = rows(arrival, instrument, Kind.BOOK_SNAPSHOT, ts_event, n, aux=-1)
    levels_into(book, bids, asks)
    book["flags"] |= extra
    book["flags"][0] |= int(Flag.CLEAR)
    best = rows(arrival, instrument, Kind.BBO, ts_event, 2)
    best["side"] = 1, -1
    for row, (prices, sizes) in enumerate((bids, asks)):
        best["price"][row] = prices[0] if prices else NAN
        best["size"][row] = sizes[0] if sizes else 0.0
    best["flags"] |= extra
    return Batch(instrument, Channel.BOOK, book), Batch(instrument, Channel.BBO, best)
