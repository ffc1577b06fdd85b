"""Ids that are unique but not dense (UUIDs, Upbit's ``sequential_id``): which of them were seen before, and where.

Exact within the window of :mod:`ringcollect.exchanges.recent`, into which the kernels look and add too.
"""

from __future__ import annotations

import numpy as np

from ringcollect.exchanges.recent import CAPACITY, R_ADDED, R_CAPACITY, R_KEYS, room
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID

NOT_SEEN = -1
NOBODY = 255
"""What is remembered of an id whose connection is over."""


class RecentIds:
    """The newest ``capacity`` ids of one stream (a power of two)."""

    __slots__ = ("_conns", "_keys", "_words", "address")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._words = room(capacity)
        self._keys = self._words[R_KEYS : R_KEYS + capacity]
        self._conns = self._words[R_KEYS + capacity :].view(np.uint8)
        self.address = self._words.ctypes.data

    def arrive(self, records: np.ndarray, conn: int) -> list[int]:
        """Of each record in order: the connection that its id came by before (or NOBODY), or NOT_SEEN; now it is."""
        words = records.view(np.int64).reshape(-1, RECORD_WORDS)
        return [self._arrive(key, conn) for key in words[:, W_ID] ^ (words[:, W_AUX] << 1)]

    def forget_conn(self, conn: int) -> None:
        """The ids that came by ``conn`` stay, but they are nobody's."""
        self._conns[self._conns == conn & 0xFF] = NOBODY

    def forget_conns(self) -> None:
        """All ids stay, and are nobody's."""
        self._conns[:] = NOBODY

    def _arrive(self, key: np.int64, conn: int) -> int:
        if not key:
            return NOT_SEEN  # a print without an id
        added, capacity = int(self._words[R_ADDED]), int(self._words[R_CAPACITY])
        places = np.flatnonzero(self._keys[: min(added, capacity)] == key)
        if len(places):
            return int(self._conns[places[0]])
        place = added % capacity
        self._keys[place], self._conns[place] = key, conn & 0xFF
        self._words[R_ADDED] = added + 1
        return NOT_SEEN
