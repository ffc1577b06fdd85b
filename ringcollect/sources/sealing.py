"""The sealer of a source: the live one, and in the end somebody who waits for it."""

from __future__ import annotations

import time
from pathlib import Path

from ringcollect.store.sealers import Sealers

_NAP_S = 0.005
_ATTEMPTS = 3


class Sealing:
    """Seals journals beside the decoding; :meth:`wait` gives up after some failures in a row.

    ``busy_ns`` is the time a sealer was seen at work. What is not sealed stays a journal: the next start seals it.
    """

    def __init__(self, data: Path, zstd_level: int, *, sync: bool) -> None:
        self.sealers = Sealers(data, level=zstd_level, sync=sync)
        self.busy_ns = 0
        self._begun_ns = 0

    @property
    def unsealed(self) -> tuple[str, ...]:
        """Names of journals that wait."""
        return tuple(path.name for path in self.sealers.waiting)

    def submit(self, journals: list[Path]) -> None:
        """Seal these when their turn comes; never waits."""
        self.sealers.add(journals)
        self._poll()

    def wait(self) -> None:
        """Until everything handed over is sealed, or has failed too often."""
        failures = self.sealers.failures
        while not self.sealers.idle and self.sealers.failures < failures + _ATTEMPTS:
            self.sealers.hurry()
            self._poll()
            time.sleep(_NAP_S)

    def _poll(self) -> None:
        ran = self.sealers.running
        self.sealers.poll(time.monotonic())
        now = time.perf_counter_ns()
        if ran:
            self.busy_ns += now - self._begun_ns
        self._begun_ns = now
