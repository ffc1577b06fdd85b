"""The ``.sync`` ring of a grid: what it says of itself, and when it goes on and when it begins anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ringcollect.ring.producer import Producer
from ringcollect.sync.checkpoint import Checkpoint
from ringcollect.sync.output import generation_of, ring_slots, shared_meta
from ringcollect.sync.settings import Parameters
from ringcollect.sync.snapshot_record import SNAPSHOT, SNAPSHOT_SCHEMA_VERSION


def snapshot_ring_name(exchange: str, grid: str) -> str:
    """``binance.100ms.sync``."""
    return f"{exchange}.{grid}.sync"


def snapshot_meta(parameters: Parameters, row_meta: Mapping[str, object]) -> dict[str, object]:
    """As that of the row ring, with the tables and the levels instead of columns."""
    return shared_meta(row_meta) | {
        "kind": "sync",
        "tables": list(parameters.snapshots),
        "levels": parameters.levels,
        "schema_version": SNAPSHOT_SCHEMA_VERSION,
    }


class SnapshotRings:
    """How the snapshot ring of one grid is opened; ``row_meta`` is what the row ring says of itself."""

    def __init__(
        self,
        directory: Path,
        exchange: str,
        grid: str,
        parameters: Parameters,
        row_meta: Mapping[str, object],
        ring_capacity: int,
        *,
        resume: bool,
    ) -> None:
        self._directory = directory
        self._name = snapshot_ring_name(exchange, grid)
        self._parameters = parameters
        self._meta = snapshot_meta(parameters, row_meta)
        self._slots = ring_slots(SNAPSHOT.itemsize, ring_capacity)
        self._first = int(str(row_meta["source_generation"]))
        self._resume = resume

    def open(self, saved: Checkpoint | None, *, fresh: bool) -> Producer | None:
        """The ring, a new one if ``fresh``; None where no table is wanted. Raises EnvironmentRefused."""
        if not self._parameters.snapshots:
            return None
        generation = self._first
        if self._resume:
            generation = max(
                generation,
                generation_of(self._directory, self._name) + 1,
                0 if saved is None else saved.snapshot_generation + 1,
            )
        return Producer.open(
            self._directory,
            self._name,
            SNAPSHOT,
            self._slots,
            generation=generation,
            meta=self._meta,
            accept=lambda _: not fresh,
        )
