"""Whole books as DERIVED snapshot records: with one of them and the changes behind it, an hour can be used alone.

A book is written where stream time passes a multiple of the interval or UTC midnight, and behind a BOOKS_WANTED
status: all of them exact positions of the record ring, so that live, replay and any chunking give the same records.
It is the book as it arrived up to there, what still waits for its row included, in the venue's own numbers; ``id`` is
that of the last change in it, so that the next change names it in ``aux`` as every change names its predecessor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ringcollect.records import RECORD, WHOLE_EXCHANGE, Flag, Kind, Status
from ringcollect.sync.engine import Engine

DAY_NS = 86_400_000_000_000
_DERIVED = int(Flag.DERIVED | Flag.SNAPSHOT)


class Cut(NamedTuple):
    """Books are written before record ``position`` of a chunk, stamped with stream time ``ts``."""

    position: int
    ts: int


def cuts(records: np.ndarray, now_ns: int, interval_ns: int) -> list[Cut]:
    """Where books are due within ``records`` (dtype RECORD); ``now_ns`` is the stream time before them, 0 = none yet.

    ``interval_ns`` 0: at midnight and on request only. A jump over several boundaries gives one cut, at the last.
    """
    if not len(records):
        return []
    now = np.maximum(np.maximum.accumulate(records["ts_recv"]), now_ns)
    before = np.concatenate(([now_ns], now[:-1]))
    boundary = now // DAY_NS * DAY_NS
    if interval_ns:
        boundary = np.maximum(boundary, now // interval_ns * interval_ns)
    due = {int(i): int(boundary[i]) for i in np.flatnonzero((boundary > before) & (before > 0))}
    asked = (records["kind"] == Kind.STATUS) & (records["sub"] == Status.BOOKS_WANTED)
    for i in np.flatnonzero(asked & (records["instrument"] == WHOLE_EXCHANGE)):
        due.setdefault(int(i), int(now[i]))
    return [Cut(position, due[position]) for position in sorted(due)]


def write_books(engine: Engine, ts: int, first_seq: int) -> Iterator[np.ndarray]:
    """The book of every instrument of ``engine`` whose book is proven whole, a batch each (dtype RECORD).

    The first record clears, the last has LAST; a book without levels is one record with side 0.
    """
    for number in range(engine.instrument_count):
        arrived = engine.arrived_book(number)
        if arrived is None:
            continue
        last_id, effective, bids, asks = arrived
        levels = [(1, price, bids[price]) for price in sorted(bids, reverse=True)]
        levels += [(-1, price, asks[price]) for price in sorted(asks)]
        batch = np.zeros(max(len(levels), 1), RECORD)
        batch["side"], batch["price"], batch["size"] = zip(*(levels or [(0, np.nan, 0.0)]), strict=True)
        batch["seq"] = np.arange(first_seq, first_seq + len(batch))
        batch["ts_event"], batch["ts_recv"] = effective, ts
        batch["id"], batch["aux"] = last_id, -1
        batch["instrument"], batch["kind"] = number, int(Kind.BOOK_SNAPSHOT)
        batch["flags"] = _DERIVED
        batch["flags"][0] |= int(Flag.CLEAR)
        batch["flags"][-1] |= int(Flag.LAST)
        first_seq += len(batch)
        yield batch
