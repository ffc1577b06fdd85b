"""When the collector itself was there: runs of one exchange's feed, and the windows without data.

A run begins with a START record. How it ended is told by what follows: STOP in order; a START in the same ring means
that the process died; one in a new ring means that the rings went too, which is what a reboot does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ringcollect.records import Status
from ringcollect.store.quality.events import WHOLE
from ringcollect.store.quality.windows import Window

STOP, CRASH, REBOOT, NO_CONNECTION = "stop", "crash", "reboot", "no connection"
Alive = Callable[[int, int], int]
"""``alive(generation, seq)``: the latest ``ts_recv`` of that ring's rows before ``seq``, 0 if there is none."""


class Presence:
    """Fed with an exchange's events in order, day by day. ``offline``: the windows without the collector or without any
    connection, in order; the last may be open."""

    def __init__(self) -> None:
        self.offline: list[Window] = []
        self._generation = 0
        self._running = False
        self._conns: set[int] = set()

    @property
    def is_known(self) -> bool:
        """Whether the START of the present run was seen."""
        return self._generation != 0

    def event(self, row: np.void, alive: Alive) -> Window | None:
        """Take one event. A START after another run gives the window between them."""
        code, now = int(row["code"]), int(row["ts_recv"])
        if code == Status.START:
            return self._start(row, now, alive)
        if code == Status.STOP:
            self._close(now)
            self.offline.append(Window(now, None, STOP))
            self._running = False
        elif int(row["instrument"]) == WHOLE and code in (Status.CONNECTED, Status.DISCONNECTED):
            self._connection(int(row["conn"]), code == Status.CONNECTED, now)
        return None

    def _start(self, row: np.void, now: int, alive: Alive) -> Window | None:
        between: Window | None = None
        if self._running:
            same = int(row["generation"]) == self._generation
            last = alive(self._generation, int(row["seq"]) if same else 2**62)
            self._close(last)
            between = Window(min(last or now, now), now, CRASH if same else REBOOT)
            self.offline.append(between)
        elif self.offline:
            self._close(now)
            between = self.offline[-1]
        self._generation, self._running = int(row["generation"]), True
        self._conns.clear()
        self.offline.append(Window(now, None, NO_CONNECTION))
        return between

    def _connection(self, conn: int, is_up: bool, now: int) -> None:
        if is_up:
            self._conns.add(conn)
            self._close(now)
            return
        self._conns.discard(conn)
        if not self._conns and self._running and not self._is_open():
            self.offline.append(Window(now, None, NO_CONNECTION))

    def _is_open(self) -> bool:
        return bool(self.offline) and self.offline[-1].to_ns is None

    def _close(self, now: int) -> None:
        if self._is_open():
            self.offline[-1].to_ns = max(self.offline[-1].from_ns, now)

    def forget(self, before_ns: int) -> None:
        """Drop windows that ended before ``before_ns``: memory does not grow with the days."""
        self.offline = [w for w in self.offline if w.to_ns is None or w.to_ns >= before_ns]
