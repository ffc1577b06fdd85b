"""The ``.bar`` rings of an exchange: one for each kind of bars, filled from the bars of all kinds as the engine gives
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ringcollect.bar_kinds import Bar
from ringcollect.ring.attach import Reader
from ringcollect.ring.producer import Producer
from ringcollect.sync.bar_record import BAR, BAR_RING_BYTES, BAR_SCHEMA_VERSION
from ringcollect.sync.checkpoint import Checkpoint
from ringcollect.sync.output import Output, Room, generation_of, ring_slots, shared_meta

_OPTIONS = ("ofi_levels", "ofi_decay_alpha")
"""Options that decide what a bar says."""


def bar_ring_name(exchange: str, bar: Bar, grid: str = "") -> str:
    """``binance.1s.bar``, ``binance.500ticks.bar``; of instruments with a grid of their own ``binance.1s_50ms.bar``."""
    return f"{exchange}.{bar.name}_{grid}.bar" if grid else f"{exchange}.{bar.name}.bar"


def bar_meta(bar: Bar, row_meta: Mapping[str, object]) -> dict[str, object]:
    """As that of the row ring they are made with, with the kind of bars instead of columns."""
    options = row_meta.get("options")
    chosen = {key: options[key] for key in _OPTIONS} if isinstance(options, Mapping) else {}
    return shared_meta(row_meta) | {"kind": "bar", "bar": bar.name, "schema_version": BAR_SCHEMA_VERSION} | chosen


def open_bar_rings(
    directory: Path,
    exchange: str,
    wanted: Sequence[Bar],
    row_meta: Mapping[str, object],
    ring_capacity: int,
    *,
    grid: str = "",
    resume: bool,
    saved: Checkpoint | None,
) -> list[Producer]:
    """The rings of ``wanted``, each taken over or new. Raises EnvironmentRefused, with none of them held."""
    rings: list[Producer] = []
    slots = ring_slots(BAR.itemsize, ring_capacity, BAR_RING_BYTES)
    try:
        for bar in wanted:
            name = bar_ring_name(exchange, bar, grid)
            generation = int(str(row_meta["source_generation"]))
            if resume:
                known = () if saved is None else saved.bar_generations
                generation = max(generation, generation_of(directory, name) + 1, max(known, default=0) + 1)
            meta = bar_meta(bar, row_meta)
            rings.append(Producer.open(directory, name, BAR, slots, generation=generation, meta=meta))
    except BaseException:
        for ring in rings:
            ring.close()
        raise
    return rings


class BarWriter:
    """Publishes bars of all kinds, each to the ring of its kind; ``rings`` are in the order of the kinds."""

    def __init__(self, rings: Sequence[Producer], reader: Reader, room: Room | None) -> None:
        self.rings = list(rings)
        self._outputs = [Output(ring, reader, room) for ring in rings]

    @property
    def heads(self) -> list[int]:
        """Bars in each ring since it began."""
        return [ring.head for ring in self.rings]

    @property
    def generations(self) -> tuple[int, ...]:
        """Of each ring."""
        return tuple(ring.generation for ring in self.rings)

    def publish(self, bars: np.ndarray) -> None:
        """Publish those of ``bars`` (dtype BAR, each kind in order) that are not in their rings yet."""
        for kind, mine in split(bars, len(self._outputs)):
            self._outputs[kind].publish(mine)


def split(bars: np.ndarray, kinds: int) -> list[tuple[int, np.ndarray]]:
    """(kind, its bars as its ring has them), of the kinds that are there."""
    found = [(kind, bars[bars["bar"] == kind]) for kind in range(kinds)]
    for _, mine in found:
        mine["bar"] = 0
    return [(kind, mine) for kind, mine in found if len(mine)]
