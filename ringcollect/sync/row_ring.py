"""The ``.row`` ring of a grid: its name and size, what it says of itself, which rows are in it already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from ringcollect.errors import NotFoundError, RingError
from ringcollect.ring.attach import Reader, attach
from ringcollect.sync.output import ring_slots
from ringcollect.sync.rows import SCHEMA_VERSION, row_dtype
from ringcollect.sync.settings import Parameters


def row_ring_name(exchange: str, grid: str) -> str:
    """``binance.100ms.row``."""
    return f"{exchange}.{grid}.row"


def row_capacity(parameters: Parameters, ring_capacity: int) -> int:
    """Slots of a row ring: a power of two, at most ``ring_capacity`` and about 8 MiB, at least 1024."""
    return ring_slots(row_dtype(parameters.columns).itemsize, ring_capacity)


def row_meta(
    exchange: str,
    grid: str,
    parameters: Parameters,
    source: str,
    source_generation: int,
    selection: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, object]:
    """What a row ring says of itself. All that decides the rows is in it, so that a change of it is a new layout,
    and a new layout a new generation. ``symbols`` is there only where other grids have some of the rows."""
    meta: dict[str, object] = {
        "kind": "row",
        "exchange": exchange,
        "grid": grid,
        "grid_ns": parameters.grid_ns,
        "mode": parameters.mode,
        "hold_back_ns": parameters.resolved_hold_back_ns(),
        "max_gap_fill": parameters.max_gap_fill,
        "max_future_skew_ns": parameters.max_future_skew_ns,
        "hold_back_records": parameters.hold_back_records,
        "book_levels": parameters.book_levels,
        "max_row_latency_ns": parameters.max_row_latency_ns,
        "options": msgspec.json.decode(msgspec.json.encode(parameters.options)),
        "columns": list(parameters.columns),
        "schema_version": SCHEMA_VERSION,
        "source": source,
        "source_generation": source_generation,
    }
    if selection is not None:
        meta["symbols"] = {how: sorted(names) for how, names in selection.items()}
    return meta


def existing(directory: Path, name: str) -> Reader | None:
    """The ring ``name`` as it is before anybody opens it; None if it cannot be read."""
    try:
        return attach(name, directory=directory)
    except (NotFoundError, RingError):
        return None


def rows_out(before: Reader, meta: Mapping[str, object]) -> tuple[dict[int, int], int]:
    """(last period per instrument, floor for the others) of the rows that came from this input already.

    An instrument that was on another grid meanwhile may have had rows here before that: it starts at the floor too.
    """
    if any(before.meta.get(key) != meta[key] for key in ("source_generation", "grid_ns")):
        return {}, 0
    grid_ns = before.meta["grid_ns"]
    rows = before.last(before.capacity)
    periods: dict[int, int] = {}
    for number in np.unique(rows["instrument"]):
        periods[int(number)] = int(rows["ts_ns"][rows["instrument"] == number].max()) // grid_ns
    is_part = before.head > len(rows) or before.meta.get("symbols") != meta.get("symbols")
    return periods, max(periods.values(), default=0) if is_part else 0
