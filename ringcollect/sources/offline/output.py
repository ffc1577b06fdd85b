"""One output of the engine on its way to files: those before the start left out, the others numbered anew."""

from __future__ import annotations

import numpy as np

from ringcollect.sources.offline.row_files import RowFiles

_WAITING_BYTES = 8 << 20
"""In memory before it is written."""


class Output:
    """Rows, snapshot records, or bars of one kind. ``count`` of them have come so far: the ``seq`` of the next one.

    ``stamp`` is the field that says what is before ``start_ns``: a bar that is not all of it behind it is left out.
    """

    def __init__(self, files: RowFiles, start_ns: int, stamp: str = "ts_ns") -> None:
        self.files = files
        self.count = 0
        self.written = 0
        self.until_ns = 0
        self._start_ns = start_ns
        self._stamp = stamp
        self._waiting: list[np.ndarray] = []
        self._waiting_bytes = 0

    def take(self, records: np.ndarray) -> None:
        """Take what the engine hands out (``seq`` and the stamp among its fields); the array may change afterwards."""
        mine = records[records[self._stamp] >= self._start_ns] if self._start_ns else records.copy()
        if not len(mine):
            return
        mine["seq"] = np.arange(self.count, self.count + len(mine))
        self.count += len(mine)
        self._waiting.append(mine)
        self._waiting_bytes += mine.nbytes
        if self._waiting_bytes >= _WAITING_BYTES:
            self.write()

    def write(self) -> None:
        """Hand everything to the files; what they have already is not counted as written."""
        if not self._waiting:
            return
        records = np.concatenate(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        self.written += max(0, self.count - max(int(records["seq"][0]), self.files.reach))
        self.until_ns = max(self.until_ns, int(records[self._stamp].max()))
        self.files.add(records)
