"""What a user gives to be written, as records: columns by name, what is left out filled with what that means."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from ringcollect.errors import ConfigError, LakeError
from ringcollect.instruments import MARKETS, MAX_INSTRUMENTS, Instrument, check_symbol
from ringcollect.records import RECORD, Flag
from ringcollect.store.parquet import arrow_schema
from ringcollect.store.schema import TABLES_BY_NAME, Column
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES, columns_to_snapshots
from ringcollect.store.tables import to_records

_NAME = re.compile(r"[a-z0-9_]{1,32}")
TYPES = ("orderbooks", "trades", "liquidations", "fundings", "open_interests")
OWNER = ("exchange", "market", "symbol")
"""Columns that say whose row it is; each may be given once for all rows instead."""
_FOLDERS = (*OWNER, "date", "grid", "tier", "server")
_DEFAULTS: dict[str, Any] = {
    "ts_event": 0, "conn": 0, "id": 0, "uuid": None, "sub": 0, "is_snapshot": False, "other_price": np.nan,
    "predicted_rate": np.nan, "interval_ns": 0, "funding_time": 0, "open_interest_value": np.nan, "level": 0,
}  # fmt: skip
"""What a column that is left out means. The others must be there, but for those that follow from the rest."""


class Stream(NamedTuple):
    """The rows of one exchange (RECORD or SNAPSHOT) in the order they are written, and their instruments by number.

    ``generation`` is that of the rows where they have one and stand without a hole, else a new one.
    """

    exchange: str
    rows: np.ndarray
    instruments: dict[int, Instrument]
    generation: int


def table_of(rows: Any) -> pa.Table:
    """``rows`` as an Arrow table. ConfigError for what is none."""
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, pa.RecordBatch):
        return pa.Table.from_batches([rows])
    if hasattr(rows, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(rows).read_all()
    try:
        if isinstance(rows, Mapping):
            return pa.table(dict(rows))
        if isinstance(rows, Sequence) and rows and isinstance(rows[0], Mapping):
            return pa.Table.from_pylist(list(rows))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise ConfigError(f"these rows make no table: {error}") from error
    raise ConfigError("rows are an Arrow table, a DataFrame, a scan, a list of dictionaries, or an array of records")


def streams_of(
    rows: Any, type: str, mode: str, given: dict[str, str], known: Sequence[Instrument], ring: str
) -> list[Stream]:
    """``rows`` by exchange. ``given``: owner columns that are the same for all; ``known``: instruments with metadata.

    ``ring`` is the ring's name without the exchange. ConfigError naming the column that is missing or of no use.
    """
    table = table_of(rows)
    columns = TABLES_BY_NAME[type].columns if mode == "raw" else SNAPSHOT_TABLES[type]
    foreign = sorted(set(table.column_names) - {column.name for column in columns} - set(_FOLDERS))
    if foreign:
        raise ConfigError(f"{mode}/{type} has no column {', '.join(foreign)}")
    owners = {name: _texts(table, name, given) for name in OWNER}
    out = []
    for exchange in sorted(set(owners["exchange"].tolist())):
        at = np.flatnonzero(owners["exchange"] == exchange)
        own = table.take(pa.array(at)) if len(at) < len(table) else table
        markets, symbols = owners["market"][at], owners["symbol"][at]
        codes, instruments = _instruments(exchange, markets, symbols, known)
        values = _values(own, columns, type, mode, codes)
        made = to_records(type, values, 0) if mode == "raw" else columns_to_snapshots(type, values, 0)
        made["instrument"] = codes
        generations = values["generation"] if "generation" in own.column_names else None
        has_seq = "seq" in own.column_names
        out.append(_placed(f"{exchange}.{ring}", exchange, made, instruments, generations, has_seq=has_seq))
    return out


def stream_of_records(records: np.ndarray, type: str, known: Sequence[Instrument], ring: str) -> list[Stream]:
    """An array of records (RECORD) whose instruments are ``known``, by exchange."""
    numbers = {instrument.number: instrument for instrument in known}
    unknown = sorted(set(np.unique(records["instrument"]).tolist()) - numbers.keys())
    if unknown:
        raise ConfigError(f"instruments: number {unknown[0]} is in the records and not among them")
    kinds = [int(kind) for kind in TABLES_BY_NAME[type].kinds]
    if not np.isin(records["kind"], kinds).all():
        raise ConfigError(f"type: not all of these records are {type}")
    out = []
    for exchange in sorted({instrument.exchange for instrument in known}):
        own = {number: one for number, one in numbers.items() if one.exchange == exchange}
        rows = records[np.isin(records["instrument"], list(own))]
        if len(rows):
            out.append(_placed(f"{exchange}.{ring}", exchange, rows.astype(RECORD), own, None, has_seq=True))
    return out


def _texts(table: pa.Table, name: str, given: dict[str, str]) -> np.ndarray:
    """An owner column as an array of str."""
    if name in table.column_names:
        source = "native_symbol" if name == "symbol" and "native_symbol" in table.column_names else name
        try:
            values = table[source].cast(pa.string())
        except pa.ArrowException as error:
            raise ConfigError(f"{source}: is no text: {error}") from error
        if values.null_count:
            raise ConfigError(f"{source}: row {values.to_pylist().index(None)} has none")
        return np.array(values.to_pylist(), object)
    if not given.get(name):
        raise ConfigError(f"{name}: neither a column nor given; write(..., {name}=...)")
    return np.full(len(table), given[name], object)


def _instruments(
    exchange: str, markets: np.ndarray, symbols: np.ndarray, known: Sequence[Instrument]
) -> tuple[np.ndarray, dict[int, Instrument]]:
    facts = {(one.exchange, one.market, one.symbol): one for one in known}
    numbers: dict[tuple[str, str], int] = {}
    codes = np.array([numbers.setdefault(key, len(numbers)) for key in zip(markets, symbols, strict=True)], np.int64)
    if len(numbers) > MAX_INSTRUMENTS:
        raise ConfigError(f"symbol: {len(numbers)} instruments of one exchange are more than {MAX_INSTRUMENTS}")
    table = {}
    for (market, symbol), number in numbers.items():
        check_symbol(symbol)
        if market not in MARKETS:
            raise ConfigError(f"market: {market!r} is none of {', '.join(MARKETS)}")
        fact = facts.get(
            (exchange, market, symbol), Instrument(number=0, exchange=exchange, market=market, symbol=symbol)
        )
        table[number] = msgspec.structs.replace(fact, number=number)
    return codes, table


def _values(table: pa.Table, columns: Sequence[Column], type: str, mode: str, codes: np.ndarray) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column in columns:
        if column.name in table.column_names and column.name != "native_symbol":
            values[column.name] = _column(table, column)
    rows = len(table)
    if mode == "raw" and "ts_recv" not in values:
        values["ts_recv"] = values.get("ts_event")
    values.setdefault("seq", np.arange(rows))
    if type == "trades" and "id" in values:
        values.setdefault("first_id", values["id"])
    if mode == "raw" and type == "orderbooks":
        _complete_batches(values, codes)
    for column in columns:
        if values.get(column.name) is None:
            values[column.name] = _default(column, rows, f"{mode}/{type}")
    if type == "trades":
        _check_ids(values)
    return values


def _column(table: pa.Table, column: Column) -> Any:
    wanted = arrow_schema([column]).field(0).type
    try:
        array = table[column.name].cast(wanted).combine_chunks()
    except pa.ArrowException as error:
        raise ConfigError(f"{column.name}: {error}") from error
    if column.type == "string":
        return array.to_pylist()
    if array.null_count:
        raise ConfigError(f"{column.name}: row {array.is_null().to_pylist().index(True)} has none")
    return array.to_numpy(zero_copy_only=False)


def _default(column: Column, rows: int, what: str) -> Any:
    if column.name == "flags":
        return np.full(rows, int(Flag.LAST), np.uint16)
    if column.name == "first_id":
        return np.zeros(rows, np.int64)
    if column.name in ("generation", "native_symbol"):
        return None
    if column.name not in _DEFAULTS:
        raise ConfigError(f"{what} needs a column {column.name}")
    if column.type == "string":
        return [None] * rows
    return np.full(rows, _DEFAULTS[column.name], column.type)


def _complete_batches(values: dict[str, Any], codes: np.ndarray) -> None:
    """Consecutive rows of one instrument, id, and kind are one update: what is left out of ids and flags follows."""
    rows = len(codes)
    is_snapshot = values.setdefault("is_snapshot", np.zeros(rows, bool))
    if "id" not in values:
        told = values["ts_event"] if "ts_event" in values else values["ts_recv"]
        values["id"] = np.cumsum(_changes(codes, told, is_snapshot))
    begins = _changes(codes, values["id"], is_snapshot)
    ends = np.append(begins[1:], True) if rows else begins
    if "prev_id" not in values:
        before = np.full(rows, -1, np.int64)
        for number in np.unique(codes):
            at = np.flatnonzero(begins & (codes == number))
            before[at[1:]] = values["id"][at[:-1]]
        group = np.cumsum(begins) - 1
        values["prev_id"] = np.where(is_snapshot, -1, before[np.flatnonzero(begins)][group] if rows else before)
    if "flags" not in values:
        flags = np.where(is_snapshot, int(Flag.SNAPSHOT), 0) | np.where(ends, int(Flag.LAST), 0)
        values["flags"] = (flags | np.where(begins & is_snapshot, int(Flag.CLEAR), 0)).astype(np.uint16)


def _changes(*keys: np.ndarray) -> np.ndarray:
    """bool per row: the first of rows that agree in every key."""
    out = np.zeros(len(keys[0]), bool)
    out[:1] = True
    for key in keys:
        out[1:] |= key[1:] != key[:-1]
    return out


def _check_ids(values: dict[str, Any]) -> None:
    """A trade has a number or a UUID; which one is in its flags, too."""
    has = np.array([text is not None for text in values["uuid"]], bool)
    both = has & ((values["id"] != 0) | (values["first_id"] != 0))
    if both.any():
        raise ConfigError(f"row {int(np.flatnonzero(both)[0])} has an id and a uuid: a trade has one of them")
    flags = values["flags"] & np.uint16(0xFFFF ^ Flag.UUID)
    values["flags"] = np.where(has, flags | np.uint16(Flag.UUID), flags)


def _placed(
    ring: str,
    exchange: str,
    rows: np.ndarray,
    instruments: dict[int, Instrument],
    generations: np.ndarray | None,
    *,
    has_seq: bool,
) -> Stream:
    """Rows in ring order with positions that have no hole; as they are where they have none."""
    if not _NAME.fullmatch(exchange):
        raise ConfigError(f"exchange: {exchange!r} is no name of one: lower-case letters, digits and _")
    time = "ts_recv" if "ts_recv" in (rows.dtype.names or ()) else "ts_ns"
    keys = (rows["seq"],) if generations is None else (rows["seq"], generations)
    order = np.lexsort(keys) if has_seq else np.argsort(rows[time], kind="stable")
    rows = rows[order]
    is_one = generations is not None and len(np.unique(generations)) == 1
    if is_one and generations is not None and np.all(np.diff(rows["seq"]) == 1):
        return Stream(exchange, rows, instruments, int(generations[0]))
    rows["seq"] = np.arange(len(rows))
    names = "".join(f"{one.market}/{one.symbol}," for one in instruments.values())
    mark = zlib.crc32(rows.tobytes(), zlib.crc32(f"{ring}:{names}".encode()))
    return Stream(exchange, rows, instruments, max(int(rows[time].min()), 0) + mark % 1_000_000_000)


def check_days(stream: Stream, day_ns: int) -> None:
    """LakeError where a batch goes on into another UTC day: files are of one day."""
    if stream.rows.dtype != RECORD or not len(stream.rows):
        return
    days = np.maximum.accumulate(stream.rows["ts_recv"]) // day_ns
    open_end = (stream.rows["flags"][:-1] & Flag.LAST) == 0
    at = np.flatnonzero(open_end & (np.diff(days) != 0))
    if len(at):
        raise LakeError(f"row {int(at[0])} has no LAST in its flags and the next one is of another UTC day")
