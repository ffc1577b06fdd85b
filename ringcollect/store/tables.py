"""Records to columns and back, exactly: what a table holds of a record can be rebuilt word for word.

``canonical`` fixes the little that a table does not hold: fields without meaning for the kind, and the bits of NaN.
Row hashes are taken over canonical records, so that they can be recomputed from the files alone.
"""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np

from ringcollect.errors import LakeError
from ringcollect.records import RECORD, Flag, Kind
from ringcollect.store.schema import TABLES, TABLES_BY_NAME, Table
from ringcollect.store.ticker_rows import is_ticker_field, restore_tickers, ticker_columns

NAN_BITS = int(np.array([np.nan]).view(np.int64)[0])
OTHERS = len(TABLES) - 1
NOT_LIVE = int(Flag.REST | Flag.BACKFILLED | Flag.REPLAYED)
_WORD = 1 << 64

Columns = dict[str, Any]
"""Column name -> numpy array, or (array, valid) where a value may be absent, a list of texts, one text for all rows."""


def table_indices(records: np.ndarray) -> np.ndarray:
    """uint8 per record: its place in ``TABLES``. What a table could not give back exactly goes to ``others``."""
    lookup = np.full(256, OTHERS, np.uint8)
    for index, table in enumerate(TABLES):
        lookup[list(table.kinds)] = index
    indices = lookup[records["kind"]]
    lone = (records["kind"] == Kind.BBO) & ((records["sub"] != 0) | (np.abs(records["side"]) != 1))
    lone |= (records["kind"] == Kind.TICKER) & ~is_ticker_field(records)
    indices[lone] = OTHERS
    return indices


def is_rest(records: np.ndarray) -> np.ndarray:
    """bool per record: belongs to ``rest/``, never to ``raw/``."""
    return (records["flags"] & NOT_LIVE) != 0


def canonical(records: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, int]:
    """A copy as the tables hold it, and how many records had something in a field their table does not hold."""
    out = records.copy()
    for index, table in enumerate(TABLES):
        if not table.unused:
            continue
        mine = indices == index
        for field, value in table.unused.items():
            out[field][mine] = value
    forced = out["aux"].view("<f8")
    other_price = records["kind"] == Kind.LIQUIDATION
    forced[other_price & np.isnan(forced)] = np.nan
    for field in ("price", "size"):
        out[field][np.isnan(out[field])] = np.nan
    return out, _unstored(records, out)


def _unstored(records: np.ndarray, out: np.ndarray) -> int:
    """Records that say more than ``out`` (0 and NaN in an unused number both say nothing)."""
    more = np.zeros(len(records), bool)
    for field in ("side", "sub", "id"):
        more |= records[field] != out[field]
    more |= (records["aux"] != out["aux"]) & (records["kind"] != Kind.LIQUIDATION)
    for field in ("price", "size"):
        said = ~np.isnan(records[field]) & (records[field] != 0)
        more |= said & (records[field] != out[field])
    return int(np.count_nonzero(more))


def to_columns(table: Table, records: np.ndarray, generation: int, native_symbol: str) -> Columns:
    """The rows of ``records`` (canonical, one instrument, ring order) in ``table``."""
    if table.name == "quotes":
        columns, records = _quote_columns(records)
    elif table.name == "tickers":
        columns, records = ticker_columns(records)
    elif table.name == "trades":
        columns = trade_ids(records)
    else:
        columns = {}
    for column in table.columns:
        if column.source == "aux_f":
            columns[column.name] = np.ascontiguousarray(records["aux"]).view("<f8")
        elif column.source:
            columns[column.name] = np.ascontiguousarray(records[column.source])
    if table.name == "orderbooks":
        columns["is_snapshot"] = records["kind"] == Kind.BOOK_SNAPSHOT
    columns["generation"] = np.full(len(records), generation, np.int64)
    columns["native_symbol"] = native_symbol
    return columns


def to_records(table_name: str, columns: Columns, instrument: int) -> np.ndarray:
    """The canonical records that ``columns`` were made of. KeyError for a missing column, LakeError for bad values."""
    table = TABLES_BY_NAME[table_name]
    records = np.zeros(len(columns["seq"]), RECORD)
    for field, value in table.unused.items():
        records[field] = value
    for column in table.columns:
        if column.source == "aux_f":
            records["aux"] = columns[column.name].view(np.int64)
        elif column.source:
            records[column.source] = columns[column.name]
    records["instrument"] = instrument
    if table_name != "others":
        records["kind"] = table.kinds[0]
    if table_name == "orderbooks":
        records["kind"] = np.where(columns["is_snapshot"], Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)
    elif table_name == "trades":
        restore_trade_ids(records, columns)
    elif table_name == "quotes":
        records = _restore_quotes(records, columns)
    elif table_name == "tickers":
        records = restore_tickers(records, columns)
    return records


def trade_ids(records: np.ndarray) -> Columns:
    """Columns ``id``, ``first_id`` and ``uuid`` of trades (fields ``id``, ``aux``, ``flags``)."""
    ident, first = records["id"].copy(), records["aux"].copy()
    texts: list[str | None] = [None] * len(records)
    for i in np.flatnonzero(records["flags"] & Flag.UUID).tolist():
        texts[i] = str(uuid.UUID(int=(int(ident[i]) % _WORD) << 64 | int(first[i]) % _WORD))
        ident[i] = first[i] = 0
    return {"id": ident, "first_id": first, "uuid": texts}


def restore_trade_ids(records: np.ndarray, columns: Columns) -> None:
    """The inverse, into ``records``. Raises LakeError for a text that is no UUID."""
    records["id"], records["aux"] = columns["id"], columns["first_id"]
    for i, text in enumerate(columns["uuid"]):
        if text is None:
            continue
        try:
            whole = uuid.UUID(text).int
        except ValueError as error:
            raise LakeError(f"row {i}: {text[:50]!r} is no UUID") from error
        records["id"][i] = np.array([whole >> 64], np.uint64).view(np.int64)[0]
        records["aux"][i] = np.array([whole % _WORD], np.uint64).view(np.int64)[0]


def _quote_columns(records: np.ndarray) -> tuple[Columns, np.ndarray]:
    """One row per bid-and-ask pair of a batch; a record whose partner is missing or differs is a row of its own."""
    bid, ask = records[:-1], records[1:]
    paired = (ask["seq"] == bid["seq"] + 1) & (bid["side"] == 1) & (ask["side"] == -1)
    for field in ("ts_event", "ts_recv", "id", "conn"):
        paired &= bid[field] == ask[field]
    paired &= ((bid["flags"] & Flag.LAST) == 0) & (ask["flags"] == (bid["flags"] | Flag.LAST))
    first = np.append(paired, False)
    second = np.insert(paired, 0, False)
    heads = np.flatnonzero(~second[: len(records)])
    rows = records[heads].copy()
    is_pair = first[heads]
    partners = records[np.minimum(heads + 1, len(records) - 1)]
    rows["flags"][is_pair] |= np.uint16(Flag.LAST)
    columns: Columns = {}
    for name, side in (("bid", 1), ("ask", -1)):
        own = rows["side"] == side
        there = own | is_pair
        for field in ("price", "size"):
            values = np.where(own, rows[field], partners[field])
            columns[f"{name}_{field}"] = (np.where(there, values, 0.0), there)
    return columns, rows


def _restore_quotes(rows: np.ndarray, columns: Columns) -> np.ndarray:
    bids, asks = columns["bid_price"][1], columns["ask_price"][1]
    if not (bids | asks).all():
        raise LakeError(f"row {int(np.flatnonzero(~(bids | asks))[0])}: neither bid nor ask")
    paired = bids & asks
    at = np.arange(len(rows)) + np.concatenate(([0], np.cumsum(paired)[:-1])) if len(rows) else np.empty(0, np.int64)
    out = np.zeros(len(rows) + int(paired.sum()), RECORD)
    out[at] = rows
    out["side"][at] = np.where(bids, 1, -1)
    for field in ("price", "size"):
        out[field][at] = np.where(bids, columns[f"bid_{field}"][0], columns[f"ask_{field}"][0])
    first = at[paired]
    second = first + 1
    out[second] = rows[paired]
    out["seq"][second] += 1
    out["side"][second] = -1
    out["flags"][first] &= np.uint16(0xFFFF ^ Flag.LAST)
    for field in ("price", "size"):
        out[field][second] = columns[f"ask_{field}"][0][paired]
    return out
