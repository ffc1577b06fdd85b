"""The row: dtype of the row rings, and the meaning of ``row_flags``."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import numpy as np

from ringcollect.sync.layout import ROW_COLUMNS

SCHEMA_VERSION = 2


class RowFlag(enum.IntFlag):
    """Bits of ``row_flags`` (u32). Bits are add-only; readers ignore those they do not know."""

    HAS_BOOK = 1 << 0  # the row embeds a book whose chain is whole
    HAS_TRADE = 1 << 1  # at least one trade in the bin
    HAS_LIQ = 1 << 2  # at least one liquidation in the bin
    HAS_FUNDING = 1 << 3  # a funding rate is known
    HAS_OI = 1 << 4  # an open interest is known
    HAS_MARK = 1 << 5  # a mark price is known
    BOOK_CARRIED = 1 << 6  # no book update in the bin: the book is an older one
    GAP_FILL = 1 << 7  # nothing of this instrument fell into the bin: the row only carries state
    PARTIAL = 1 << 8  # written by finalize: its bin may be cut short
    CLOCK_JUMP = 1 << 9  # rows before this one were skipped (max_gap_fill)
    CROSSED = 1 << 10  # best bid >= best ask
    TICK_RULE_SIDE = 1 << 11  # a trade without a side got one from the tick rule
    RECV_TIME_USED = 1 << 12  # a record without usable exchange time was placed by its receive time
    SEEDED_BY_REST = 1 << 13  # the book grew from a REST snapshot
    LOST = 1 << 14  # the synchronizer was lapped: records of this row may be missing
    OVERRUN = 1 << 15  # written before its hold-back was over, because too many records waited
    GAP = 1 << 16  # an input record said that something of this instrument is missing before it
    STALE = 1 << 17  # the book's channel is down or silent: the book may be old
    SUSPECT = 1 << 18  # a book exists but its chain is not proven whole (HAS_BOOK is off)


def row_dtype(columns: Sequence[str]) -> np.dtype:
    """Row of a ``.row`` ring with float64 ``columns`` behind the identity; packed, multiples of 8 bytes.

    ``seq`` position in the ring; ``ts_ns`` closing boundary of the bin; ``ts_book_ns`` effective exchange time of
    the embedded book (0 = none); ``ts_recv`` receive time of the record that made the row due, ns; ``instrument`` row
    of the instrument table; ``input_flags`` the flags of all its inputs together (records.Flag); ``row_flags`` see
    :class:`RowFlag`.
    """
    if len(set(columns)) != len(columns):
        raise ValueError(f"columns named twice: {sorted({c for c in columns if list(columns).count(c) > 1})}")
    identity = [
        ("seq", "<i8"),
        ("ts_ns", "<i8"),
        ("ts_book_ns", "<i8"),
        ("ts_recv", "<i8"),
        ("instrument", "<u2"),
        ("input_flags", "<u2"),
        ("row_flags", "<u4"),
    ]
    dtype = np.dtype(identity + [(name, "<f8") for name in columns])
    assert dtype.itemsize == (ROW_COLUMNS + len(columns)) * 8
    return dtype
