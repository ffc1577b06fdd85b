"""The columns of every table: version 1 and what came later. Columns are added, never changed, moved or removed.

No pyarrow here: the journal process and the documentation need the schema too. Column types are Arrow's names.
Every file ends with ``native_symbol``, the venue's own text; exchange, market, symbol and date are in the folders.
A new column raises ``SCHEMA_VERSION``, has it as ``since``, and says in ``absent`` what older files mean by not having
it; schema_versions.py reads them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ringcollect.records import Kind, TickerField

SCHEMA_VERSION = 2


class Column(NamedTuple):
    """One column. ``source`` is the record field it holds (empty: see tables.py), ``text`` its documentation.

    ``since`` is the first schema version that has it; in files of earlier ones it reads as ``absent`` (None: null).
    """

    name: str
    type: str
    source: str
    text: str
    since: int = 1
    absent: Any = None


class Table(NamedTuple):
    """One table of records. ``unused`` are record fields it does not hold, with the value they read back as."""

    name: str
    kinds: tuple[Kind, ...]
    columns: tuple[Column, ...]
    unused: dict[str, float]


NAN = float("nan")

COMMON = (
    Column("generation", "int64", "", "creation id of the ring, ns; names the record with ring and seq"),
    Column("seq", "int64", "seq", "position in the ring, no holes over all tables"),
    Column("ts_event", "int64", "ts_event", "exchange time, ns since the epoch, UTC; 0 = not sent"),
    Column("ts_recv", "int64", "ts_recv", "local time of the socket read, ns since the epoch, UTC"),
    Column("conn", "uint8", "conn", "connection it came by"),
    Column("flags", "uint16", "flags", "bits, see records.md"),
)
NATIVE_SYMBOL = Column("native_symbol", "string", "", "the venue's own symbol; empty for the whole exchange")

_PRICE_ONLY = {"size": NAN, "id": 0, "aux": 0, "sub": 0, "side": 0}


def _table(name: str, kinds: tuple[Kind, ...], columns: tuple[Column, ...], unused: dict[str, float]) -> Table:
    return Table(name, kinds, (*COMMON, *columns, NATIVE_SYMBOL), unused)


TICKER_COLUMNS = {
    TickerField.LAST: ("last", "last price; absent if not sent, as each of the others"),
    TickerField.OPEN: ("open", "price 24 h ago"),
    TickerField.HIGH: ("high", "highest price of 24 h"),
    TickerField.LOW: ("low", "lowest price of 24 h"),
    TickerField.BASE_VOLUME: ("base_volume", "traded in 24 h, venue unit"),
    TickerField.QUOTE_VOLUME: ("quote_volume", "traded in 24 h, quote currency"),
}
"""One row holds the records of one frame, a column each."""

TABLES = (
    _table(
        "orderbooks",
        (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA),
        (
            Column("id", "int64", "id", "last update id of the frame"),
            Column("prev_id", "int64", "aux", "id of the previous accepted batch of this book; -1 in a snapshot"),
            Column("side", "int8", "side", "+1 bid, -1 ask, 0 a frame without levels"),
            Column("price", "float64", "price", "level"),
            Column("size", "float64", "size", "new size of the level, 0 removes it"),
            Column("is_snapshot", "bool", "", "a level of a snapshot, not a change"),
            Column("sub", "uint8", "sub", "0 the primary book, else another depth stream"),
        ),
        {},
    ),
    _table(
        "trades",
        (Kind.TRADE,),
        (
            Column("id", "int64", "", "trade id, of a merged print the last; 0 where uuid is set"),
            Column("uuid", "string", "", "trade id where the venue uses UUIDs, else null"),
            Column("first_id", "int64", "", "first id of a merged print, else = id; 0 where uuid is set"),
            Column("price", "float64", "price", "as sent"),
            Column("size", "float64", "size", "as sent, venue unit"),
            Column("side", "int8", "side", "aggressor: +1 buy, -1 sell, 0 unknown"),
            Column("sub", "uint8", "sub", "0 ordinary, 1 liquidation, 2 block, 3 RPI, 4 ADL/insurance; +16 aggregated"),
        ),
        {},
    ),
    _table(
        "quotes",
        (Kind.BBO,),
        (
            Column("id", "int64", "id", "update id"),
            Column("bid_price", "float64", "", "NaN: no bid; null: this row holds an ask alone"),
            Column("bid_size", "float64", "", "size at the bid"),
            Column("ask_price", "float64", "", "NaN: no ask; null: this row holds a bid alone"),
            Column("ask_size", "float64", "", "size at the ask"),
        ),
        {"aux": 0, "sub": 0},
    ),
    _table(
        "liquidations",
        (Kind.LIQUIDATION,),
        (
            Column("id", "int64", "id", "id or 0"),
            Column("side", "int8", "side", "the forced order's side; the position's is the opposite"),
            Column("price", "float64", "price", "average fill if sent, else order or bankruptcy price"),
            Column("size", "float64", "size", "filled, else ordered"),
            Column("other_price", "float64", "aux_f", "the other price, NaN if none"),
            Column("sub", "uint8", "sub", "which price: 1 average, 2 bankruptcy, 3 order"),
        ),
        {},
    ),
    _table(
        "fundings",
        (Kind.FUNDING,),
        (
            Column("funding_rate", "float64", "price", "rate per interval"),
            Column("predicted_rate", "float64", "size", "predicted next rate or NaN"),
            Column("interval_ns", "int64", "id", "interval, ns; 0 unknown"),
            Column("funding_time", "int64", "aux", "time the rate applies, ns since the epoch"),
        ),
        {"sub": 0, "side": 0},
    ),
    _table(
        "open_interests",
        (Kind.OPEN_INTEREST,),
        (
            Column("open_interest", "float64", "size", "one-sided, venue unit"),
            Column("open_interest_value", "float64", "price", "reported quote value or NaN"),
        ),
        {"id": 0, "aux": 0, "sub": 0, "side": 0},
    ),
    _table("mark_prices", (Kind.MARK_PRICE,), (Column("price", "float64", "price", "mark price"),), _PRICE_ONLY),
    _table("index_prices", (Kind.INDEX_PRICE,), (Column("price", "float64", "price", "index price"),), _PRICE_ONLY),
    _table(
        "tickers",
        (Kind.TICKER,),
        (*(Column(name, "float64", "", text) for name, text in TICKER_COLUMNS.values()),),
        {"size": NAN, "id": 0, "side": 0},
    ),
    _table(
        "book_checks",
        (Kind.BOOK_CHECK,),
        (
            Column("id", "int64", "id", "id of the book batch it belongs to"),
            Column("checksum", "int64", "aux", "as sent"),
        ),
        {"price": NAN, "size": NAN, "sub": 0, "side": 0},
    ),
    _table(
        "status",
        (Kind.STATUS,),
        (
            Column("code", "uint8", "sub", "what happened, see the status codes in records.md"),
            Column("channel", "int8", "side", "the channel concerned, 0 none"),
            Column("id_from", "int64", "id", "by code"),
            Column("id_to", "int64", "aux", "by code"),
            Column("number_1", "float64", "price", "by code"),
            Column("number_2", "float64", "size", "by code"),
        ),
        {},
    ),
    _table(
        "others",  # what no table above can hold exactly (unknown kinds, secondary quote streams): kept whole
        (),
        (
            Column("kind", "uint8", "kind", "record kind"),
            Column("sub", "uint8", "sub", "by kind"),
            Column("side", "int8", "side", "by kind"),
            Column("price", "float64", "price", "by kind"),
            Column("size", "float64", "size", "by kind"),
            Column("id", "int64", "id", "by kind"),
            Column("aux", "int64", "aux", "by kind"),
        ),
        {},
    ),
)

TABLES_BY_NAME = {table.name: table for table in TABLES}

FRAME_COLUMNS = (
    COMMON[0],
    Column("seq", "int64", "seq", "position in the frame ring, no holes over frames and rejects"),
    Column("ts_recv", "int64", "ts_recv", "local time of the socket read, ns since the epoch, UTC"),
    Column("conn", "uint8", "conn", "connection"),
    Column("direction", "string", "", "in, out, rest, event or reject"),
    Column("opcode", "uint8", "opcode", "WebSocket opcode"),
    Column("status", "int32", "status", "HTTP status or close code"),
    Column("whole_length", "int32", "whole_length", "bytes of the frame; more than payload holds if it was cut"),
    Column("url", "string", "", "where it came from or went to, if it is not the connection's"),
    Column("reason", "string", "", "why it was rejected or closed"),
    Column("payload", "binary", "", "the exact bytes"),
)

ROW_TEXT = {
    "seq": "position in the row ring, no holes over all instruments",
    "ts_ns": "closing boundary of the row's bin, ns since the epoch, UTC",
    "ts_book_ns": "effective exchange time of the book it embeds; 0 without one",
    "ts_recv": "receive time of the record that made the row due; 0 not known",
    "input_flags": "flags of all inputs together, as in records.md",
    "row_flags": "bits, see synchronizer.md",
    "venues": "venues that had a mid at this stamp",
}
_ROW_SINCE = {"ts_recv": 2, "input_flags": 2}
"""What every row begins with; its features follow, documented by their catalogue (features.md)."""

# Features are f8 in the ring. These are whole numbers by definition and are stored as such.
COUNT_FEATURES = frozenset({"trade_count", "trade_buy_count", "trade_sell_count", "liq_count"})
SIGNED_FEATURES = frozenset({"fr_next_settlement_delta"})
ROW_TYPES = {"<i8": "int64", "<u4": "uint32", "<u2": "uint16", "<f8": "float64", "|u1": "uint8", "|i1": "int8"}
ROW_FIELDS_NOT_STORED = frozenset({"instrument", "reserved"})  # reserved: in rows of version 1


def row_columns(fields: list[tuple[str, str]]) -> tuple[Column, ...]:
    """Columns of a row ring whose dtype has ``fields`` (name, format): generation, the fields, native_symbol."""
    columns = [COMMON[0]]
    for name, form in fields:
        if name in ROW_FIELDS_NOT_STORED:
            continue
        kind = ROW_TYPES[form]
        if name in COUNT_FEATURES:
            kind = "uint64"
        elif name in SIGNED_FEATURES:
            kind = "int64"
        since = _ROW_SINCE.get(name, 1)
        columns.append(Column(name, kind, name, ROW_TEXT.get(name, ""), since, 0 if since > 1 else None))
    return (*columns, NATIVE_SYMBOL)


LATER_IN_FEATURES = row_columns([("ts_recv", "<i8"), ("input_flags", "<u2")])[1:-1]
"""What rows of features have had since a later version, whatever their feature set."""


_NULLABLE = frozenset(
    {"uuid", "bid_price", "bid_size", "ask_price", "ask_size", *(name for name, _ in TICKER_COLUMNS.values())}
)


def is_nullable(column: Column) -> bool:
    """True for the few columns where "absent" must differ from every value."""
    return (column.name in _NULLABLE and not column.source) or (
        column.type in ("uint64", "int64") and _is_whole_feature(column.name)
    )


def _is_whole_feature(name: str) -> bool:
    return name in COUNT_FEATURES or name in SIGNED_FEATURES
