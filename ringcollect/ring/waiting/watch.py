"""What a process waits for: the heads of its rings, each with the position it has to pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.ring.layout import H_HEAD
from ringcollect.ring.reading import use_kernels


class Watch:
    """A table of (address of a head, position) that one kernel call reads; plain numpy where no kernels are loaded.

    The rings' words are held as long as their addresses stand in the table, and through every call that uses them:
    a ring that is replaced, removed or dropped by its reader meanwhile stays mapped.
    """

    def __init__(self) -> None:
        self._rings: tuple[np.ndarray, ...] = ()
        self._table = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._rings)

    def set(self, rings: Sequence[tuple[np.ndarray, int]]) -> None:
        """Watch exactly these: (a ring's words, the position its head has to pass).

        The position is usually the reader's cursor: then whatever came after the last read is seen at once.
        """
        words = tuple(ring for ring, _ in rings)
        if len(words) != len(self._rings) or any(new is not old for new, old in zip(words, self._rings, strict=True)):
            table = np.zeros(2 * len(words), np.int64)  # a new one: somebody may be spinning on the old
            table[0::2] = [ring.ctypes.data + 8 * H_HEAD for ring in words]
            self._table, self._rings = table, words
        self._table[1::2] = [position for _, position in rings]

    def ahead(self) -> bool:
        """True if the head of a watched ring has passed its position."""
        table, rings = self._table, self._rings
        if use_kernels():
            from ringcollect.ring.waiting import heads

            return heads.any_ahead(table, len(rings))
        return any(int(ring[H_HEAD]) > position for ring, position in zip(rings, table[1::2].tolist(), strict=True))

    def spin(self, rounds: int) -> bool:
        """As :meth:`ahead`, looked for up to ``rounds`` times in a row without the interpreter's lock."""
        from ringcollect.ring.waiting import heads

        table, rings = self._table, self._rings
        return heads.spin_until_ahead(table, len(rings), rounds)
