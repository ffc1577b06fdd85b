"""Group O live: one reader over the row rings of all exchanges on a grid, one ``.xv`` ring for each exchange.

It keeps no state of its own: what is in a ring of its own tells how far it is, and the row rings still have what came
since. A killed one therefore goes on where it ended, row for row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ringcollect.errors import NotFoundError, RingError
from ringcollect.ring.attach import Reader, attach
from ringcollect.ring.producer import Producer
from ringcollect.sync.across import FOREVER, Join, across_dtype
from ringcollect.sync.across_plan import AcrossPlan, across_meta, across_ring_name
from ringcollect.sync.output import ring_slots

CONSUMER = "across"
"""Its row in the control files of the row rings."""
COUNTERS = ("rows", "late_rows", "lost_rows")


class AcrossWorker:
    """Moves rows from the row rings of ``plan`` through a :class:`Join` into the rings of group O.

    ``known()`` gives, of each exchange, the ``ts_recv`` below which every row is in its ring; FOREVER for one that has
    no records to come.
    """

    def __init__(
        self, directory: Path, plan: AcrossPlan, known: Callable[[], Sequence[int]], ring_capacity: int
    ) -> None:
        self._directory = directory
        self._plan = plan
        self._known = known
        self._slots = ring_slots(across_dtype(plan.columns).itemsize, ring_capacity)
        self._sides = [_Side(exchange) for exchange in plan.exchanges]
        self._join = Join(len(self._sides), plan.columns, plan.delay_ns, self._name_of)

    def step(self) -> bool:
        """Take what is there and publish what is done; True if there was anything.

        Raises EnvironmentRefused while another process holds one of its rings.
        """
        known = self._known()  # before the rings are read: what came by then is in them
        worked = False
        for number, side in enumerate(self._sides):
            worked |= self._read(number, side)
        if min(known) >= FOREVER:
            return worked  # nobody can go on: what waits is still in the row rings when somebody does
        for side, rows in zip(self._sides, self._join.done(known), strict=True):
            worked |= self._publish(side, rows)
        return worked

    def heartbeat(self, now_ns: int) -> None:
        """Say "alive" at both ends."""
        for side in self._sides:
            if side.reader is not None:
                side.reader.heartbeat(now_ns)
            if side.producer is not None:
                side.producer.heartbeat(now_ns)

    def close(self) -> None:
        """Give up the rings; what is in them stays for readers."""
        for side in self._sides:
            if side.producer is not None:
                side.producer.close()

    def _read(self, number: int, side: _Side) -> bool:
        if side.reader is None and not self._attach(side):
            return False
        assert side.reader is not None
        worked = False
        end = side.reader.head
        while side.reader.cursor < end:
            read = side.reader.read()
            lost = read.lost[1] - read.lost[0]
            if lost:
                self._join.lose(number)
                side.lost += lost
            before = self._join.late
            self._join.add(number, read.records)
            side.late += self._join.late - before
            worked = True
        if worked:
            side.reader.commit()
        elif side.reader.replaced() and side.reader.head <= side.reader.cursor:
            side.reader = None
            return self._read(number, side)
        return worked

    def _attach(self, side: _Side) -> bool:
        grid = self._plan.grid
        try:
            reader = attach(f"{side.exchange}.{grid}.row", directory=self._directory, register=CONSUMER)
        except (NotFoundError, RingError):
            return False
        if side.producer is None:
            self._open(side, reader.generation)
        side.reader = reader
        return True

    def _open(self, side: _Side, generation: int) -> None:
        """The ring of group O of one exchange, with the last row that is in it."""
        name = across_ring_name(side.exchange, self._plan.grid)
        try:
            before = attach(name, directory=self._directory)
            generation = max(generation, before.generation + 1)
            if before.head:
                side.end = _place(before.last(1)[-1])
        except (NotFoundError, RingError):
            pass  # there is none, or none of ours: it begins with the oldest rows there are
        side.producer = Producer.open(
            self._directory,
            name,
            across_dtype(self._plan.columns),
            self._slots,
            generation=generation,
            counters=COUNTERS,
            meta=across_meta(self._plan, side.exchange),
        )

    def _publish(self, side: _Side, rows: np.ndarray) -> bool:
        producer = side.producer
        if producer is None or side.reader is None:
            return False
        rows = behind(rows, side.end)
        producer.counters.words[:] += (len(rows), side.late, side.lost)
        side.late = side.lost = 0
        if not len(rows):
            return False
        side.end = _place(rows[-1])
        for number in range(producer.instruments.count, side.reader.instrument_count):
            producer.instruments.put(side.reader.instrument(number))
        rows["seq"] = np.arange(producer.head, producer.head + len(rows))
        piece = producer.capacity // 2
        for start in range(0, len(rows), piece):
            producer.publish(rows[start : start + piece])
        return True

    def _name_of(self, exchange: int, number: int) -> str:
        reader = self._sides[exchange].reader
        return "" if reader is None else reader.instrument(number).unified


class _Side:
    """One exchange: its row ring, its ring of group O, and what of it is out."""

    def __init__(self, exchange: str) -> None:
        self.exchange = exchange
        self.reader: Reader | None = None
        self.producer: Producer | None = None
        self.end = (-1, -1)
        self.late = self.lost = 0


def behind(rows: np.ndarray, end: tuple[int, int]) -> np.ndarray:
    """Those of ``rows`` (by stamp and instrument) that follow the row at ``end``."""
    ts, number = end
    return rows[(rows["ts_ns"] > ts) | ((rows["ts_ns"] == ts) & (rows["instrument"] > number))]


def _place(row: np.void) -> tuple[int, int]:
    return int(row["ts_ns"]), int(row["instrument"])
