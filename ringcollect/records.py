"""The 64-byte record: one definition for every process, file and reader.

Field meanings per kind are in ``docs/records.md``, which is generated from this module.
All times are int64 nanoseconds since the Unix epoch, UTC; 0 means "not sent by the exchange".
Codes are add-only: a number, once given, keeps its meaning for ever.
"""

from __future__ import annotations

import enum

import numpy as np

RECORD_BYTES = 64
RECORD_WORDS = RECORD_BYTES // 8

RECORD = np.dtype(
    {
        "names": [
            "seq", "ts_event", "ts_recv", "price", "size", "id", "aux",
            "instrument", "conn", "sub", "kind", "side", "flags",
        ],
        "formats": [
            "<i8", "<i8", "<i8", "<f8", "<f8", "<i8", "<i8",
            "<u2", "u1", "u1", "u1", "i1", "<u2",
        ],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56, 58, 59, 60, 61, 62],
        "itemsize": RECORD_BYTES,
    }
)  # fmt: skip
"""The record as numpy sees it. ``aux_f`` is the 8 bytes of ``aux`` read as f8: see :func:`aux_f`."""

# The same record as eight 64-bit words, for kernels. The last word packs the small fields.
W_SEQ, W_TS_EVENT, W_TS_RECV, W_PRICE, W_SIZE, W_ID, W_AUX, W_TAIL = range(8)

WHOLE_EXCHANGE = 65535
"""``instrument`` of a record that concerns the whole exchange."""


class Kind(enum.IntEnum):
    """What a record is."""

    BOOK_SNAPSHOT = 1
    BOOK_DELTA = 2
    BOOK_CHECK = 3
    TRADE = 4
    BBO = 5
    LIQUIDATION = 6
    FUNDING = 7
    OPEN_INTEREST = 8
    MARK_PRICE = 9
    INDEX_PRICE = 10
    TICKER = 11
    STATUS = 12


class Channel(enum.IntEnum):
    """A subscribed stream of one instrument; in ``status`` records it stands in ``side``."""

    NONE = 0
    BOOK = 1
    TRADE = 2
    BBO = 3
    LIQUIDATION = 4
    FUNDING = 5
    OPEN_INTEREST = 6
    MARK_PRICE = 7
    INDEX_PRICE = 8
    TICKER = 9


CHANNEL_NAMES = {c: c.name.lower() for c in Channel}
CHANNELS_BY_NAME = {c.name.lower(): c for c in Channel if c}

CHANNEL_OF_KIND = {
    Kind.BOOK_SNAPSHOT: Channel.BOOK,
    Kind.BOOK_DELTA: Channel.BOOK,
    Kind.BOOK_CHECK: Channel.BOOK,
    Kind.TRADE: Channel.TRADE,
    Kind.BBO: Channel.BBO,
    Kind.LIQUIDATION: Channel.LIQUIDATION,
    Kind.FUNDING: Channel.FUNDING,
    Kind.OPEN_INTEREST: Channel.OPEN_INTEREST,
    Kind.MARK_PRICE: Channel.MARK_PRICE,
    Kind.INDEX_PRICE: Channel.INDEX_PRICE,
    Kind.TICKER: Channel.TICKER,
    Kind.STATUS: Channel.NONE,
}


class Flag(enum.IntFlag):
    """Bits of ``flags``; readers ignore bits they do not know."""

    LAST = 1 << 0  # last record of its batch
    CLEAR = 1 << 1  # drop this instrument's book, then apply
    SNAPSHOT = 1 << 2  # state or history re-sent by the venue: no news
    GAP = 1 << 3  # something of this instrument and channel before this is missing
    UNSYNCED = 1 << 4  # published for the record while the book has no valid base: applied by nobody
    REPLAYED = 1 << 5  # a held delta published again behind its snapshot: books apply it, flows skip it
    BACKFILLED = 1 << 6  # fetched later to fill a hole
    REST = 1 << 7  # came from REST, not from the WebSocket
    DUPLICATE = 1 << 8  # the venue sent it twice on one connection
    BAD_TS = 1 << 9  # ts_event outside [ts_recv - 1 day, ts_recv + max_future_skew]
    UUID = 1 << 10  # id and aux are the two halves of a UUID
    DERIVED = 1 << 11  # computed by us


class Side(enum.IntEnum):
    """Bid or aggressive buy +1, ask or aggressive sell -1, neither 0."""

    SELL = -1
    NONE = 0
    BUY = 1


class TradeSub(enum.IntEnum):
    """``sub`` of a trade; +16 marks an aggregated stream."""

    ORDINARY = 0
    LIQUIDATION = 1
    BLOCK = 2
    RPI = 3
    ADL_INSURANCE = 4
    AGGREGATED = 16


class TickerField(enum.IntEnum):
    """``sub`` and ``aux`` of a ticker record: which 24 h statistic ``price`` is. Add-only."""

    LAST = 1
    OPEN = 2
    HIGH = 3
    LOW = 4
    BASE_VOLUME = 5
    QUOTE_VOLUME = 6


class LiquidationSub(enum.IntEnum):
    """Which price a liquidation record's ``price`` is."""

    AVERAGE = 1
    BANKRUPTCY = 2
    ORDER = 3


class Status(enum.IntEnum):
    """``sub`` of a status record; ``from``/``to`` are ``id``/``aux``, the numbers ``price``/``size``."""

    TICK = 1  # nothing was published for 100 ms
    START = 2  # a producer started: every book is void
    STOP = 3  # the producer stopped in order
    CONNECTED = 4  # conn is up
    DISCONNECTED = 5  # per affected instrument and channel; ts_event = last data
    REQUESTED = 6
    ACKED = 7
    FLOWING = 8
    STALE = 9
    SEQ_GAP = 10  # id expected, aux got
    RESYNC_BEGIN = 11
    RESYNC_DONE = 12
    RESYNC_FAILED = 13
    CLOCK_STEP = 14  # price = step in seconds
    CLOCK = (
        15  # price = the host clock's offset in seconds, NaN where nobody disciplines it; size = dispersion in seconds
    )
    INSTRUMENT_NEW = 16
    INSTRUMENT_CHANGED = 17
    INSTRUMENT_GONE = 18  # the exchange does not list it any more; aux = the instrument it is called now, -1 if none
    COUNTERS = 19  # id = frames, aux = records, price = duplicates, size = gaps, all since START
    LOST = 20  # seq range [id, aux) a consumer lost
    REJECTED = 21  # price = rejected frames since the last such record
    CONFIG_CHANGED = 22  # a changed configuration is in force; id = streams added, aux = streams ended
    CLOSED = 23  # per instrument and channel: its subscription was ended; price = reason of the ledger
    BOOKS_WANTED = 24  # somebody asked for whole books as of here


def aux_f(records: np.ndarray) -> np.ndarray:
    """``aux`` of ``records`` (dtype RECORD) read as float64; a view where the memory allows it."""
    return records["aux"].view("<f8")


def pack_tail(instrument: int, conn: int, sub: int, kind: int, side: int, flags: int) -> int:
    """Pack the last eight bytes of a record into one signed 64-bit word (little-endian layout)."""
    word = (
        (instrument & 0xFFFF)
        | (conn & 0xFF) << 16
        | (sub & 0xFF) << 24
        | (kind & 0xFF) << 32
        | (side & 0xFF) << 40
        | (flags & 0xFFFF) << 48
    )
    return word - (1 << 64) if word >> 63 else word


def dtype_to_list(dtype: np.dtype) -> list[list]:
    """``[[name, format, offset], ...]``: a dtype as JSON that any reader can rebuild."""
    fields = dtype.fields
    if fields is None or dtype.names is None:
        raise ValueError(f"{dtype} has no fields")
    return [[name, fields[name][0].str, fields[name][1]] for name in dtype.names]


def dtype_from_list(fields: list[list], itemsize: int) -> np.dtype:
    """The inverse of :func:`dtype_to_list`."""
    return np.dtype(
        {
            "names": [f[0] for f in fields],
            "formats": [f[1] for f in fields],
            "offsets": [f[2] for f in fields],
            "itemsize": itemsize,
        }
    )


FIELD_MEANING = {
    "seq": "position in this ring, no holes",
    "ts_event": "matching-engine time if the venue sends it, else its publish time; 0 = none",
    "ts_recv": "local time of the socket read",
    "price": "by kind",
    "size": "by kind",
    "id": "by kind",
    "aux": "by kind; the same 8 bytes as float64 are called aux_f",
    "instrument": "row of the instrument table; 65535 = the whole exchange",
    "conn": "connection (leg) it came by",
    "sub": "kind-specific small code",
    "kind": "see below",
    "side": "+1 buy/bid, -1 sell/ask, 0 none; a trade's is the aggressor's; in a status record the channel",
    "flags": "bits, see below; unknown bits are ignored by readers",
}
"""What each field means in every record."""

_BOOK_LEVEL = (
    "level",
    "size, 0 removes",
    "last update id (a counter kept by the feed where the venue has none)",
    "id of this instrument's previous accepted book batch; -1 in a snapshot",
    "0 the primary book; 1.. other depth streams, never mixed",
)
_PRICE_ONLY = ("price", "NaN", "0", "0", "-")
KIND_MEANING = {
    Kind.BOOK_SNAPSHOT: _BOOK_LEVEL,
    Kind.BOOK_DELTA: _BOOK_LEVEL,
    Kind.BOOK_CHECK: ("-", "-", "the same id as the batch it checks", "checksum as sent", "-"),
    Kind.TRADE: (
        "price",
        "size",
        "trade id (of a merged print the last); UUID high half",
        "first id of a merged print, else = id; UUID low half",
        "0 ordinary, 1 liquidation, 2 block, 3 RPI, 4 ADL/insurance; +16 = aggregated stream",
    ),
    Kind.BBO: ("best price, NaN if missing (bid, then ask with LAST)", "size", "update id", "0", "-"),
    Kind.LIQUIDATION: (
        "average fill if sent, else order or bankruptcy price",
        "filled, else ordered",
        "id or 0",
        "aux_f: the other price, NaN if none",
        "1 average, 2 bankruptcy, 3 order",
    ),
    Kind.FUNDING: (
        "rate per interval",
        "predicted next rate or NaN",
        "interval in ns, 0 unknown",
        "time the rate applies, ns",
        "-",
    ),
    Kind.OPEN_INTEREST: ("reported quote value or NaN", "one-sided, venue unit", "0", "0", "-"),
    Kind.MARK_PRICE: _PRICE_ONLY,
    Kind.INDEX_PRICE: _PRICE_ONLY,
    Kind.TICKER: ("value", "NaN", "0", "field code", "field code"),
    Kind.STATUS: ("number", "number", "from", "to", "status code"),
}
"""Per kind: what ``price``, ``size``, ``id``, ``aux`` and ``sub`` mean."""
