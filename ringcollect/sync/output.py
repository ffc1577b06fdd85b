"""One ring the synchronizer fills: the engine numbers what it makes, what the ring holds is not published again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ringcollect.errors import NotFoundError, RingError
from ringcollect.failpoints import fail
from ringcollect.ring.attach import Reader, attach
from ringcollect.ring.producer import Producer

_RING_BYTES = 8 << 20
_OF_ROWS_ONLY = frozenset({"columns", "options", "stored"})
_PACE_S, _PATIENCE_S = 0.0005, 0.25

Room = Callable[[str, int], None]
"""Called with a ring's name and a number of records before so many are published: it returns when there is room."""


def ring_slots(record_bytes: int, ring_capacity: int, ring_bytes: int = _RING_BYTES) -> int:
    """Slots of a ring the synchronizer fills: a power of two, at most ``ring_capacity`` and ``ring_bytes``, at least
    1024."""
    capacity = 1024
    while capacity * 2 <= min(ring_bytes // record_bytes, ring_capacity):
        capacity *= 2
    return capacity


def shared_meta(row_meta: Mapping[str, object]) -> dict[str, object]:
    """What the description of a row ring says of the other rings that are made with its rows, too."""
    return {key: value for key, value in row_meta.items() if key not in _OF_ROWS_ONLY}


def generation_of(directory: Path, name: str) -> int:
    """Of the ring that is there now, -1 without one."""
    try:
        return attach(name, directory=directory).generation
    except (NotFoundError, RingError):
        return -1


class Output:
    """What is published to ``producer`` while ``reader`` is read.

    Without ``room`` (live) the journal of the ring is waited for only as long as the input is not half full, so that
    the burst after a silence is not lost and a stuck writer holds up nobody.
    """

    def __init__(self, producer: Producer, reader: Reader, room: Room | None) -> None:
        self.producer = producer
        self._reader = reader
        self._room = room or self._wait_for_journal
        self._journal_at = 0  # where the journal was when last looked at
        self._stuck_at = -1

    def publish(self, records: np.ndarray) -> None:
        """Publish those of ``records`` (consecutive ``seq``) that are not in the ring yet."""
        known = self.producer.head - int(records["seq"][0])
        if known < 0:
            raise RingError(
                f"{self.producer.name}: {records['seq'][0]} comes next, but the ring ends at {self.producer.head}"
            )
        fresh, piece = records[known:], self.producer.capacity // 2
        for start in range(0, len(fresh), piece):
            part = fresh[start : start + piece]
            self._room(self.producer.name, len(part))
            fail("sync.before_publish")
            self.producer.publish(part)
            fail("sync.after_publish")

    def _wait_for_journal(self, name: str, n: int) -> None:
        while self.producer.head + n - self._journal_at > self.producer.capacity:
            self._journal_at = committed = self._journal()
            if self.producer.head + n - committed <= self.producer.capacity or committed == self._stuck_at:
                return
            if not self._journal_moves(committed):
                self._stuck_at = committed  # not again before it moves
                return

    def _journal(self) -> int:
        rows = [row for row in self.producer.control.consumers() if row.name == "journal"]
        return rows[0].committed if rows else self.producer.head

    def _journal_moves(self, committed: int) -> bool:
        """Wait until the journal is past ``committed``; False if it takes too long or the own input fills up."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end and 2 * self._reader.lag <= self._reader.capacity:
            time.sleep(_PACE_S)
            if self._journal() != committed:
                return True
        return False
