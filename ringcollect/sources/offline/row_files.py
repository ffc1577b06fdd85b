"""Rows into files as the live writer makes them: journal, rotation, sealer; no ring in between.

The journal is the cursor of the rows: what is in it, or was sealed from it, is not written again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.store.cursor import journal_files
from ringcollect.store.drain import RingJournal
from ringcollect.store.held_rows import HeldRows
from ringcollect.store.rotation import Policy
from ringcollect.store.seal import Sealed, seal


class Target:
    """Where the rows of one build go, and how: folder, rotation, zstd level, whether fsync is wanted."""

    def __init__(self, out: Path, policy: Policy, level: int, *, sync: bool) -> None:
        self.out = out
        self.policy = policy
        self.level = level
        self.sync = sync


class RowFiles:
    """Rows of one (row ring, generation). ``table`` is filled by the owner before rows use its instruments."""

    def __init__(
        self,
        target: Target,
        ring: str,
        generation: int,
        dtype: np.dtype,
        meta: dict[str, Any],
        table: dict[int, Instrument],
    ) -> None:
        self.sealed: list[Sealed] = []
        self._target = target
        self._source = HeldRows(ring, generation, dtype, meta, table)
        self._journal: RingJournal | None = None

    @property
    def reach(self) -> int:
        """Rows that are safe: in a file or in a journal. LakeError where journals and certificates contradict."""
        return self._open().cursor

    def add(self, rows: np.ndarray) -> None:
        """Take consecutive rows (a copy, ``seq`` set); those that are safe already are left out."""
        journal = self._open()
        fresh = rows[max(0, journal.cursor - int(rows["seq"][0])) :]
        if len(fresh):
            self._source.give(fresh)
            journal.drain()
            self._seal(journal.take_finished())

    def flush(self) -> None:
        """Make what was added durable: whoever goes on from a later state never asks for it again."""
        if self._journal is not None and self._target.sync:
            self._journal.sync()

    def close(self) -> None:
        """Make files of everything; rows added later begin another one."""
        if self._journal is not None:
            journal, self._journal = self._journal, None
            self._seal(journal.close(final=True))

    def abandon(self) -> None:
        """Give up without another write: what is in the journal stays there."""
        if self._journal is not None:
            self._journal.abandon()
            self._journal = None

    def _open(self) -> RingJournal:
        if self._journal is None:
            target, self._source.cursor = self._target, 0
            self._journal = RingJournal(target.out, self._source, target.policy, follows=False)
            self._seal(self._left_behind(self._journal))
        return self._journal

    def _left_behind(self, current: RingJournal) -> list[Path]:
        """Complete journals whose sealing was cut short."""
        key = (self._source.name, self._source.generation)
        found = [file.path for file in journal_files(self._target.out) if (file.ring, file.generation) == key]
        return [path for path in found if path != current.path]

    def _seal(self, journals: list[Path]) -> None:
        target = self._target
        for path in journals:
            done = seal(path, target.out, target.level, sync=target.sync)
            if done is not None:
                self.sealed.append(done)
