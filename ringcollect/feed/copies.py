"""What several connections of ours brought lately, by content: all that tells copies of frames without dense ids.

Kept only while more than one connection brings a stream. Two frames of one connection with equal content are two
frames; the same from another one is a copy.
"""

from __future__ import annotations

import numpy as np

from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_PRICE, W_SIZE, W_TAIL, W_TS_EVENT

CAPACITY = 1024
"""Frames remembered per stream: our connections are less than a second apart."""
_CONTENT = [W_TS_EVENT, W_PRICE, W_SIZE, W_ID, W_AUX]
_TAIL_CONTENT = 0x0000_FFFF_FF00_FFFF
"""Of a record's last word everything but the connection and the flags."""


class Copies:
    """The newest ``capacity`` frames of one stream. What others bring that is not newer than ``key`` or ``ts`` came by
    ``conn`` before they began.
    """

    __slots__ = ("_by", "_capacity", "_conn", "_is_new", "_key", "_ts")

    def __init__(self, conn: int, key: int, ts: int, capacity: int = CAPACITY) -> None:
        self._conn = conn
        self._by: dict[bytes, int] = {}
        self._capacity = capacity
        self._key, self._ts = key, ts
        self._is_new = True

    def is_copy(self, records: np.ndarray, conn: int, key: int, time: int) -> bool:
        """Whether another connection than ``conn`` brought these records before. From now on somebody has."""
        words = records.view(np.int64).reshape(-1, RECORD_WORDS)
        content = words[:, _CONTENT].tobytes() + (words[:, W_TAIL] & _TAIL_CONTENT).tobytes()
        by = self._by.get(content)
        if by is not None:
            return by != conn
        if len(self._by) >= self._capacity:
            del self._by[next(iter(self._by))]
        self._by[content] = conn
        if key:  # an equal number came before; what the venue counted anew since has a newer time
            before = key <= self._key and time <= self._ts
        else:  # an equal time of the very first did, later on content tells
            before = 0 < time < self._ts + self._is_new
        self._is_new = False
        return conn != self._conn and before
