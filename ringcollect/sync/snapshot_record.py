"""The record of the ``.sync`` rings: everything of a grid row that is not a number of a column.

A row of an instrument is a run of records with its ``ts_ns``: its trades and liquidations as they take their place in
the row, then the book (bids, asks, best first), the carried funding and open interest, and last the row record, which
closes it (flag LAST). Runs of several instruments lie between each other. What no row record closes belongs to no row.
No numba here: the journal process reads such rings too.
"""

from __future__ import annotations

import numpy as np

from ringcollect.errors import ConfigError
from ringcollect.records import Kind

SNAPSHOT_SCHEMA_VERSION = 1
MAX_LEVELS = 1000
ROW_KIND = 0
"""``kind`` of the record that closes a row; the other kinds are those of :class:`ringcollect.records.Kind`."""

SNAPSHOT = np.dtype(
    [
        ("seq", "<i8"),
        ("ts_ns", "<i8"),
        ("ts_event", "<i8"),
        ("price", "<f8"),
        ("size", "<f8"),
        ("id", "<i8"),
        ("aux", "<i8"),
        ("instrument", "<u2"),
        ("level", "<u2"),
        ("kind", "u1"),
        ("side", "i1"),
        ("flags", "<u2"),
    ]
)
SNAPSHOT_WORDS = 8
assert SNAPSHOT.itemsize == 8 * SNAPSHOT_WORDS

KINDS_OF_TABLE = {
    "orderbooks": Kind.BOOK_SNAPSHOT,
    "trades": Kind.TRADE,
    "liquidations": Kind.LIQUIDATION,
    "fundings": Kind.FUNDING,
    "open_interests": Kind.OPEN_INTEREST,
}
"""What ``[sync.output]`` turns on and off, and the kind of its records."""

FIELD_MEANING = {
    "seq": "position in this ring, no holes",
    "ts_ns": "closing boundary of the row",
    "ts_event": "time that decided the membership; of a carried state its own, of the book that of its last update",
    "price": "by kind",
    "size": "by kind; sizes of book, trades and liquidations are in base units",
    "id": "by kind",
    "aux": "by kind; the same 8 bytes as float64 are called aux_f",
    "instrument": "row of the instrument table",
    "level": "of a book 0 = the best; of a trade or liquidation the record's sub",
    "kind": "as in the record ring; 0 closes the row",
    "side": "+1 bid or buy, -1 ask or sell, 0 none",
    "flags": "of a trade or liquidation those of its record; LAST on what closes the row",
}
"""What each field means in every record."""

_NONE = ("-", "-")
KIND_MEANING = {
    Kind.BOOK_SNAPSHOT: ("level", "size", *_NONE),
    Kind.TRADE: ("price", "size", "trade id; UUID high half", "first id of a merged print; UUID low half"),
    Kind.LIQUIDATION: ("as sent", "size", "id or 0", "aux_f: the other price, NaN if none"),
    Kind.FUNDING: (
        "rate per interval",
        "predicted next rate or NaN",
        "interval, ns; the instrument's if not sent, 0 unknown",
        "time the rate applies, ns",
    ),
    Kind.OPEN_INTEREST: ("reported quote value or NaN", "open interest, venue unit", *_NONE),
    ROW_KIND: ("all bids held, base units", "all asks held, base units", "row_flags", "aux_f: mark price, NaN if none"),
}
"""Per kind: what ``price``, ``size``, ``id`` and ``aux`` mean."""


def kind_mask(tables: tuple[str, ...]) -> int:
    """The bits of the kinds that these tables hold."""
    return sum(1 << int(KINDS_OF_TABLE[table]) for table in tables)


def check_tables(tables: tuple[str, ...], levels: int) -> None:
    """Raise ConfigError for what no snapshot can be."""
    for table in tables:
        if table not in KINDS_OF_TABLE:
            raise ConfigError(f"sync.output: no table {table!r}; there are {', '.join(KINDS_OF_TABLE)}")
    if not 1 <= levels <= MAX_LEVELS:
        raise ConfigError(f"sync.output.levels: {levels}; allowed: 1 to {MAX_LEVELS}")
