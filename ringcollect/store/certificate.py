"""Claims about a segment, computed from its records alone: the sealer makes them, ``verify`` makes them again.

``rows`` claims can be recounted from the data tables; ``status`` claims repeat what the status records say about
frames that left no rows. All functions are pure and take canonical records in ring order.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from ringcollect.records import CHANNEL_NAMES, WHOLE_EXCHANGE, Channel, Flag, Kind, Side, Status
from ringcollect.store.chunk import Chunk, by_instrument
from ringcollect.store.snapshot_table import snapshot_claims
from ringcollect.store.tables import is_rest

BLOCK = 4096
_AGGREGATED = 16
TIMES = ("ts_event", "ts_recv", "ts_ns", "ts_open_ns", "ts_close_ns")
"""Fields whose range a file claims."""
_BOOK = (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)


def _bytes(records: np.ndarray) -> memoryview:
    return np.ascontiguousarray(records).view(np.uint8).data


def row_hash(chunk: Chunk) -> str:
    """sha256 over the records' bytes, in ring order; of frames, over that and the sha256 of their bytes."""
    return row_hash_of([chunk])


def row_hash_of(pieces: Iterable[Chunk]) -> str:
    """As :func:`row_hash`, of consecutive pieces."""
    records, frames = hashlib.sha256(), hashlib.sha256()
    blobs = False
    for piece in pieces:
        records.update(_bytes(piece.records))
        frames.update(piece.blob)
        blobs |= bool(piece.blob)
    if blobs:
        records.update(frames.digest())
    return records.hexdigest()


def block_sums(chunk: Chunk) -> str:
    """crc32 of every 4096 records, eight hex digits each, so that a change is found to the block."""
    sums = ""
    while len(chunk.records):
        block, chunk = chunk.split(BLOCK)
        sums += f"{zlib.crc32(block.blob, zlib.crc32(_bytes(block.records))):08x}"
    return sums


def time_range(values: np.ndarray) -> list[int] | None:
    """[min, max] of the times that are set (not 0), None if none is."""
    values = values[values != 0]
    return [int(values.min()), int(values.max())] if len(values) else None


def file_claims(chunk: Chunk) -> dict[str, Any]:
    """What every file of whatever kind claims about its own rows."""
    records = chunk.records
    names = records.dtype.names or ()
    return {
        "records": len(records),
        "seq": [int(records["seq"][0]), int(records["seq"][-1])] if len(records) else None,
        "row_hash": row_hash(chunk),
    } | {name: time_range(records[name]) for name in TIMES if name in names}


def record_claims(records: np.ndarray) -> dict[str, Any]:
    """All claims of a segment of a record ring."""
    instruments = {}
    for number, at in by_instrument(records):
        if number != WHOLE_EXCHANGE:
            instruments[str(number)] = _instrument_claims(records if len(at) == len(records) else records[at])
    return {
        "rows": {"ring": file_claims(Chunk(records)), "instruments": instruments},
        "status": _status_claims(records[records["kind"] == Kind.STATUS]),
    }


def row_claims(rows: np.ndarray, grid_ns: int) -> dict[str, Any]:
    """All claims of a segment of a row ring. ``grid_holes`` counts grid points between two rows without one."""
    instruments = {}
    for number in np.unique(rows["instrument"]).tolist():
        mine = rows[rows["instrument"] == number]
        steps = np.diff(mine["ts_ns"])
        holes = int(np.maximum(steps // grid_ns - 1, 0).sum()) if grid_ns else 0
        instruments[str(number)] = {
            "rows": len(mine),
            "ts_ns": time_range(mine["ts_ns"]),
            "grid_holes": holes,
            "not_ascending": int(np.count_nonzero(steps <= 0)),
        }
    return {"rows": {"ring": file_claims(Chunk(rows)), "instruments": instruments}, "status": {}}


def bar_claims(bars: np.ndarray) -> dict[str, Any]:
    """All claims of a segment of a ring of bars. ``overlaps`` are bars that begin before the one before ends."""
    instruments = {}
    for number in np.unique(bars["instrument"]).tolist():
        mine = bars[bars["instrument"] == number]
        instruments[str(number)] = {
            "bars": len(mine),
            "ts_open_ns": time_range(mine["ts_open_ns"]),
            "ts_close_ns": time_range(mine["ts_close_ns"]),
            "overlaps": int(np.count_nonzero(mine["ts_open_ns"][1:] < mine["ts_close_ns"][:-1])),
            "not_ascending": int(np.count_nonzero(np.diff(mine["ts_close_ns"]) < 0)),
            "trades": int(mine["bar_trade_count"].sum()),
        }
    return {"rows": {"ring": file_claims(Chunk(bars)), "instruments": instruments}, "status": {}}


def snapshot_ring_claims(records: np.ndarray, grid_ns: int) -> dict[str, Any]:
    """All claims of a segment of a ring of snapshots."""
    return {
        "rows": {"ring": file_claims(Chunk(records)), "instruments": snapshot_claims(records, grid_ns)},
        "status": {},
    }


def frame_claims(chunk: Chunk) -> dict[str, Any]:
    """All claims of a segment of a frame ring."""
    codes, counts = np.unique(chunk.records["direction"], return_counts=True)
    directions = dict(zip(map(str, codes.tolist()), counts.tolist(), strict=True))
    whole = {"bytes": len(chunk.blob), "directions": directions}
    return {"rows": {"ring": file_claims(chunk) | whole, "instruments": {}}, "status": {}}


def _instrument_claims(records: np.ndarray) -> dict[str, Any]:
    kind = records["kind"]
    flags = records["flags"]
    return {
        "kinds": {str(k): int(n) for k, n in zip(*np.unique(kind, return_counts=True), strict=True)},
        "rest": int(np.count_nonzero(is_rest(records))),
        "gap_flags": int(np.count_nonzero(flags & Flag.GAP)),
        "duplicate_flags": int(np.count_nonzero(flags & Flag.DUPLICATE)),
        "bad_ts": int(np.count_nonzero(flags & Flag.BAD_TS)),
        "book": chain_claims(_those(records, np.isin(kind, _BOOK) & (records["sub"] == 0))),
        "trades": {
            "single": id_claims(_those(records, (kind == Kind.TRADE) & (records["sub"] < _AGGREGATED))),
            "aggregated": id_claims(_those(records, (kind == Kind.TRADE) & (records["sub"] >= _AGGREGATED))),
        },
        "quotes": quote_claims(_those(records, (kind == Kind.BBO) & (records["sub"] == 0))),
    }


def _those(records: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``records[mask]`` without the copy where that is all of them: a segment of one stream is the largest there is."""
    return records if mask.all() else records[mask]


def chain_claims(records: np.ndarray) -> dict[str, Any]:
    """The book chain of one instrument: a gap is an accepted change whose ``aux`` is not the last accepted ``id``.

    ``first_prev`` and ``last_id`` link segments: the first must be the last of the segment before (None: a snapshot
    came first, or nothing was accepted).
    """
    n = len(records)
    heads = np.ones(n, bool)
    same = (records["flags"][:-1] & Flag.LAST) == 0
    for field in ("id", "aux", "kind"):
        same &= records[field][1:] == records[field][:-1]
    heads[1:] = ~same
    unsynced = (records["flags"] & Flag.UNSYNCED) != 0
    accepted = records[heads & ~unsynced]
    fresh = (accepted["kind"] == Kind.BOOK_SNAPSHOT) | ((accepted["flags"] & Flag.CLEAR) != 0)
    broken = ~fresh[1:] & (accepted["aux"][1:] != accepted["id"][:-1])
    return {
        "batches": int(np.count_nonzero(heads)),
        "levels": n,
        "snapshots": int(np.count_nonzero(fresh)),
        "unsynced_batches": int(np.count_nonzero(heads & unsynced)),
        "chain_gaps": int(np.count_nonzero(broken)),
        "first_prev": int(accepted["aux"][0]) if len(accepted) and not fresh[0] else None,
        "last_id": int(accepted["id"][-1]) if len(accepted) else None,
    }


def id_claims(trades: np.ndarray) -> dict[str, Any]:
    """Trade ids of one stream: jumps forward, the ids they leave out, steps back. UUIDs and history do not count."""
    apart = Flag.UUID | Flag.SNAPSHOT | Flag.BACKFILLED | Flag.DUPLICATE
    live = (trades["flags"] & apart) == 0
    first, last = trades["aux"][live], trades["id"][live]
    missing = first[1:] - last[:-1] - 1
    return {
        "records": len(trades),
        "ids": [int(first[0]), int(last[-1])] if len(first) else None,
        "id_gaps": int(np.count_nonzero(missing > 0)),
        "ids_missing": int(missing[missing > 0].sum()),
        "id_back": int(np.count_nonzero(missing < 0)),
    }


def quote_claims(quotes: np.ndarray) -> dict[str, Any]:
    """Best bid and ask of one instrument: how often they were crossed or locked."""
    bid, ask = quotes[:-1], quotes[1:]
    pair = (bid["side"] == Side.BUY) & (ask["side"] == Side.SELL) & (bid["id"] == ask["id"])
    pair &= bid["ts_recv"] == ask["ts_recv"]
    return {
        "records": len(quotes),
        "crossed": int(np.count_nonzero(pair & (bid["price"] > ask["price"]))),
        "locked": int(np.count_nonzero(pair & (bid["price"] == ask["price"]))),
    }


def _status_claims(status: np.ndarray) -> dict[str, Any]:
    codes, counts = np.unique(status["sub"], return_counts=True)
    named = {code.value: code.name.lower() for code in Status}
    rejected = status["price"][status["sub"] == Status.REJECTED]
    lost = status[status["sub"] == Status.LOST]
    return {
        "codes": {named.get(code, str(code)): n for code, n in zip(codes.tolist(), counts.tolist(), strict=True)},
        "counters": _counters(status[status["sub"] == Status.COUNTERS]),
        "rejected": _number(float(np.nansum(rejected))),
        "down": _down_spans(status),
        "lost_by_consumers": [[int(r["id"]), int(r["aux"])] for r in lost],
        "clock": _clock(status),
    }


def _counters(records: np.ndarray) -> dict[str, dict[str, Any]]:
    """The last COUNTERS record per instrument and channel: frames and what became of them since START."""
    out = {}
    for record in records:
        values = [int(record["id"]), int(record["aux"]), _number(record["price"]), _number(record["size"])]
        names = ("frames", "records", "duplicates", "gaps")
        out[_stream_name(record)] = dict(zip(names, values, strict=True))
    return out


def _down_spans(status: np.ndarray) -> list[list[Any]]:
    """[stream, last data ns, disconnected ns, flowing again ns or None] per disconnection."""
    spans: list[list[Any]] = []
    open_spans: dict[str, list[Any]] = {}
    for record in status[np.isin(status["sub"], (Status.DISCONNECTED, Status.FLOWING))]:
        name = _stream_name(record)
        if record["sub"] == Status.DISCONNECTED:
            open_spans[name] = [name, int(record["ts_event"]), int(record["ts_recv"]), None]
            spans.append(open_spans[name])
        elif name in open_spans:
            open_spans.pop(name)[3] = int(record["ts_recv"])
    return spans


def _clock(status: np.ndarray) -> dict[str, Any]:
    offsets = status[status["sub"] == Status.CLOCK]
    steps = status[status["sub"] == Status.CLOCK_STEP]
    return {
        "steps": [_number(value) for value in steps["price"].tolist()],
        "samples": len(offsets),
        "offset_max_s": _number(np.abs(offsets["price"]).max()) if len(offsets) else None,
        "dispersion_max_s": _number(offsets["size"].max()) if len(offsets) else None,
    }


def _stream_name(record: np.void) -> str:
    """``3/trade``: instrument number and channel."""
    channel = int(record["side"])
    name = CHANNEL_NAMES[Channel(channel)] if channel in Channel.__members__.values() else str(channel)
    return f"{int(record['instrument'])}/{name}"


def _number(value: Any) -> float | int | None:
    """A number JSON can hold: None for NaN and infinities, an int where it is whole."""
    value = float(value)
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value
