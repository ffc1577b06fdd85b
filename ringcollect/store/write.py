"""``ringcollect.write``: rows of one table into a lake as the collector writes them, with certificates."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ringcollect.durations import format_duration, parse_duration
from ringcollect.errors import ConfigError
from ringcollect.instruments import Instrument
from ringcollect.records import RECORD
from ringcollect.store.drain import RingJournal
from ringcollect.store.held_rows import HeldRows
from ringcollect.store.install import install
from ringcollect.store.location import Lake
from ringcollect.store.naming import DAY_NS
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import DEFAULT_LEVEL, seal_all
from ringcollect.store.write_columns import TYPES, Stream, check_days, stream_of_records, streams_of

_WHOLE_DAYS = Policy(time_ns=DAY_NS)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What a write put into the lake; paths are relative to it. ``files`` were there already if it is a repetition."""

    rows: int
    bytes: int
    files: tuple[str, ...]
    certificates: tuple[str, ...]


def write(
    rows: Any,
    data: str | os.PathLike[str] | Lake,
    *,
    type: str,
    mode: str = "raw",
    exchange: str = "",
    market: str = "",
    symbol: str = "",
    grid: str = "",
    instruments: Sequence[Instrument] = (),
    level: int = DEFAULT_LEVEL,
) -> Written:
    """Write ``rows`` of table ``type`` (orderbooks, trades, liquidations, fundings, open_interests) into ``data``.

    ``rows`` have the columns that ``scan`` gives: an Arrow table, a pandas or Polars DataFrame, a scan, a list of
    dictionaries; or they are records (numpy, dtype RECORD) of ``instruments``. Left out may be: ``ts_recv`` (then it is
    ``ts_event``), ids, ``flags``, ``conn``, ``sub``, and whatever may be unknown; ``exchange``, ``market`` and
    ``symbol`` where they are given here. ``mode="sync"`` writes what the rows of a ``grid`` were made of.
    ``instruments`` have the facts that files keep (size unit, multiplier, unified name).

    Rows with one generation and consecutive ``seq`` keep both; others are numbered anew, in the order of their ``seq``,
    else of their time. Every other column is read back as it was. Rows flagged REST, BACKFILLED or REPLAYED are stored
    in ``rest/``. The same rows written again are there once. Memory: the rows.

    Raises ConfigError naming the column or row that cannot be stored, LakeError if other rows have their place.
    """
    ring = _ring(type, mode, grid)
    if isinstance(rows, np.ndarray):
        if rows.dtype != RECORD or mode != "raw":
            raise ConfigError("an array is of dtype RECORD and goes to mode raw; others as a table")
        streams = stream_of_records(rows, type, instruments, ring)
    else:
        given = {"exchange": exchange, "market": market, "symbol": symbol}
        streams = streams_of(rows, type, mode, given, instruments, ring)
    lake = data if isinstance(data, Lake) else Lake.open(os.fspath(data))
    meta = {} if mode == "raw" else {"grid_ns": parse_duration(grid)}
    for stream in streams:
        check_days(stream, DAY_NS)
    if lake.folder is not None:
        lake.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".write-", dir=lake.folder) as beside:
        for stream in streams:
            _seal(stream, f"{stream.exchange}.{ring}", Path(beside), meta, level)
        installed = install(Path(beside), lake)
    return Written(
        rows=sum(len(stream.rows) for stream in streams),
        bytes=installed.bytes,
        files=tuple(installed.files),
        certificates=tuple(installed.certificates),
    )


def _ring(type: str, mode: str, grid: str) -> str:
    """The name of the ring, without its exchange, whose sealer makes such files."""
    if type not in TYPES:
        raise ConfigError(f"type: {type!r} is none of {', '.join(TYPES)}")
    if mode == "raw":
        if grid:
            raise ConfigError("grid: only mode sync has one")
        return "rec"
    if mode != "sync":
        raise ConfigError(f"mode: {mode!r} is neither raw nor sync")
    if not grid:
        raise ConfigError("grid: rows of sync are on one, as grid='100ms'")
    try:
        return f"{format_duration(parse_duration(grid))}.sync"
    except ValueError as error:
        raise ConfigError(f"grid: {error}") from error


def _seal(stream: Stream, ring: str, data: Path, meta: dict[str, Any], level: int) -> None:
    """The journal is beside the lake: killed here, nothing of it is in the lake."""
    held = HeldRows(ring, stream.generation, stream.rows.dtype, meta, stream.instruments)
    held.cursor = int(stream.rows["seq"][0]) if len(stream.rows) else 0
    held.give(stream.rows)
    journal = RingJournal(data, held, _WHOLE_DAYS, resume=False)
    journal.drain()
    seal_all(journal.close(final=True), data, level, sync=False)
