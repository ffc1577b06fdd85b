"""Reading a ring from its file alone: ``attach`` maps it read-only and never slows anybody down."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ringcollect.errors import NotFoundError, RingError, RingReset
from ringcollect.instruments import Instrument
from ringcollect.records import CHANNEL_OF_KIND, CHANNELS_BY_NAME, WHOLE_EXCHANGE
from ringcollect.ring.control import Control
from ringcollect.ring.counters import Counters
from ringcollect.ring.layout import (
    H_CAPACITY,
    H_CLAIM,
    H_GENERATION,
    H_HEARTBEAT_NS,
    H_PID,
    H_RECORD_WORDS,
    H_SLOTS_WORD,
    H_START_NS,
    H_STATE,
    STATE_NAMES,
    STATE_REPLACED,
    read_header,
)
from ringcollect.ring.mapping import file_identity, is_locked, map_file, open_file
from ringcollect.ring.paths import control_path, ring_path, runtime_dir
from ringcollect.ring.reading import claim_after_reads, consume, head_of
from ringcollect.ring.table import InstrumentTable, Ledger
from ringcollect.ring.waiting import Adaptive, Waiting, Watch

_CHUNK = 1 << 16
_LAST_TRIES = 1000
_LOOK_S = 0.1
"""How often a silent ring is asked whether it was closed or replaced."""


class Read(NamedTuple):
    """What one ``read`` gave: a copy of the records, and the positions ``[lost[0], lost[1])`` that were lost."""

    records: np.ndarray
    lost: tuple[int, int]


def attach(
    name_or_path: str | os.PathLike[str],
    *,
    directory: Path | None = None,
    channels: Sequence[str] | None = None,
    symbols: Sequence[str] | None = None,
    register: str | None = None,
    required: bool = False,
    cursor: int | None = None,
) -> Reader:
    """Open a ring for reading: ``"binance"`` (its ``.rec``), ``"binance.100ms.row"``, or a path to a ``.ring`` file.

    ``channels`` and ``symbols`` (native spelling) filter what ``read`` returns; loss stays exact. ``register`` takes a
    row in the control file, so that ``status`` shows this consumer; otherwise nothing is written anywhere. The reader
    starts at the oldest record still in the ring unless ``cursor`` says otherwise.

    Raises NotFoundError, RingError (magic, version, size), EnvironmentRefused (permission).
    """
    path = Path(name_or_path)
    if path.suffix != ".ring":
        name = str(name_or_path)
        path = ring_path(directory or runtime_dir(), name if "." in name else f"{name}.rec")
    return Reader(path, channels=channels, symbols=symbols, register=register, required=required, cursor=cursor)


class Reader:
    """A read-only view of one ring with its own cursor and its own, exact loss."""

    def __init__(
        self,
        path: Path,
        *,
        channels: Sequence[str] | None = None,
        symbols: Sequence[str] | None = None,
        register: str | None = None,
        required: bool = False,
        cursor: int | None = None,
    ) -> None:
        self.path = path
        fd = open_file(path, writable=False)
        try:
            self._file = file_identity(os.fstat(fd))
            self.words = map_file(fd, path, writable=False)
        finally:
            os.close(fd)
        self.layout = read_header(self.words, str(path))
        self.counters = Counters(self.words, self.layout.counters)
        self.ledger = Ledger(self.words)
        self._table = InstrumentTable(self.words)
        self._record_words = int(self.words[H_RECORD_WORDS])
        self._out = np.empty(0, np.int64)
        self.lost_total = 0
        self._kinds = _kinds_of(channels)
        self._symbols = None if symbols is None else set(symbols)
        self._numbers: dict[int, bool] = {}
        self._check_filters()
        if cursor is not None and cursor < 0:
            raise RingError(f"{path}: a cursor of {cursor}; the first record of a ring is 0")
        oldest = max(0, int(self.words[H_CLAIM]) - self.capacity)
        self.cursor = min(oldest, self.head) if cursor is None else cursor
        self._slot = None
        if register is not None:
            control = Control(control_path(path))
            self._slot = control.register(register, self.cursor, required=required)
            control.close()  # the row stays mapped; a reader keeps no descriptor open

    @property
    def name(self) -> str:
        """Ring name from the header."""
        return self.layout.name

    @property
    def dtype(self) -> np.dtype:
        """Record dtype from the header."""
        return self.layout.dtype

    @property
    def meta(self) -> dict[str, Any]:
        """The ring's own description (grid, columns, ...)."""
        return self.layout.meta

    @property
    def generation(self) -> int:
        """Creation id, ns; (ring, generation, seq) identifies a record for ever."""
        return int(self.words[H_GENERATION])

    @property
    def capacity(self) -> int:
        """Records the ring holds."""
        return int(self.words[H_CAPACITY])

    @property
    def head(self) -> int:
        """Position after the newest record."""
        return head_of(self.words)

    @property
    def registered(self) -> bool:
        """True if this reader holds a row in the control file and may commit."""
        return self._slot is not None

    @property
    def lag(self) -> int:
        """Records between this reader's cursor and the head."""
        return self.head - self.cursor

    @property
    def state(self) -> str:
        """``live``, ``closed`` or ``replaced``, as the producer last said."""
        return STATE_NAMES.get(int(self.words[H_STATE]), "unknown")

    @property
    def pid(self) -> int:
        """Process id of the last producer (display only: liveness is the lock)."""
        return int(self.words[H_PID])

    @property
    def start_ns(self) -> int:
        """When the last producer started, wall time ns."""
        return int(self.words[H_START_NS])

    @property
    def heartbeat_ns(self) -> int:
        """When the producer last said "alive", wall time ns."""
        return int(self.words[H_HEARTBEAT_NS])

    def producer_alive(self) -> bool:
        """True while a producer holds this ring's lock; False also when the ring was removed or replaced."""
        try:
            return is_locked(self.path) and not self.replaced()
        except NotFoundError:
            return False

    def replaced(self) -> bool:
        """True when the file under this name is no longer the one mapped here."""
        if int(self.words[H_STATE]) == STATE_REPLACED:
            return True
        try:
            return file_identity(self.path.stat()) != self._file
        except FileNotFoundError:
            return True

    @property
    def instrument_count(self) -> int:
        """Rows in the instrument table."""
        return self._table.count

    def instrument(self, number: int) -> Instrument:
        """Row ``number`` of the instrument table."""
        return self._table.get(number)

    def instruments(self) -> list[Instrument]:
        """The whole instrument table, by number."""
        return self._table.all()

    def read(self, max_records: int | None = None) -> Read:
        """Everything new since the cursor, at most ``max_records``; never waits.

        ``lost`` is the exact range that was overwritten before it could be copied, empty if nothing was. Raises
        RingReset once the ring was replaced and everything in the old one has been read.
        """
        wanted = min(_CHUNK if max_records is None else max_records, self.head - self.cursor, self.capacity)
        if wanted <= 0:
            if self.replaced() and self.head <= self.cursor:
                raise RingReset(f"{self.path} was replaced by a new generation: attach again")
            return Read(np.empty(0, self.dtype), (self.cursor, self.cursor))
        first, records, bad = self._copy(self.cursor, wanted)
        lost = self.advance(first, len(records), bad)
        return Read(self._filter(records), lost)

    def _copy(self, begin: int, wanted: int) -> tuple[int, np.ndarray, int]:
        """(position of the first record, records, how many of them are not where they belong)."""
        out = np.empty(wanted * self._record_words, np.int64)
        first, n, offset, bad = consume(self.words, begin, out, wanted)
        at = offset * self._record_words
        return first, out[at : at + n * self._record_words].view(self.dtype), bad

    def advance(self, first: int, n: int, bad: int = 0) -> tuple[int, int]:
        """Move the cursor behind records ``first .. first+n-1``; returns and accounts the range lost before them.

        ``bad`` of them not having their position as ``seq`` is a broken ring: RingError, and the cursor stays.
        """
        if bad:
            raise RingError(f"{self.path}: {bad} records between {first} and {first + n} are not where they belong")
        lost = (self.cursor, first)
        self.lost_total += first - self.cursor
        self.cursor = first + n
        if self._slot is not None:
            self._slot.read_to(self.cursor, lost[1] - lost[0])
        return lost

    def commit(self, cursor: int | None = None) -> None:
        """Say that everything before ``cursor`` (default: what was read) is dealt with; registered readers only."""
        if self._slot is None:
            raise RingError("only a reader registered under a name commits: attach(..., register=name)")
        self._slot.commit(self.cursor if cursor is None else cursor)

    def heartbeat(self, now_ns: int) -> None:
        """Say "alive" in the consumer row; registered readers only."""
        if self._slot is not None:
            self._slot.heartbeat(now_ns)

    def last(self, n: int) -> np.ndarray:
        """A checked copy of the newest ``n`` records (fewer if the ring holds fewer); the cursor does not move.

        Raises RingError for a ring that is overwritten faster than it can be copied, again and again.
        """
        for _ in range(_LAST_TRIES):
            head = self.head
            begin = max(0, head - max(0, min(n, self.capacity)))
            first, records, bad = self._copy(begin, head - begin)
            if bad:
                raise RingError(f"{self.path}: {bad} of the newest records are not where they belong")
            if begin == head or (len(records) and first + len(records) == head):  # else a producer came round meanwhile
                return self._filter(records)
        raise RingError(f"{self.path}: the newest {n} records are overwritten faster than they can be copied")

    def view(self, n: int) -> tuple[np.ndarray, int]:
        """(view, token): the newest ``n`` records where they lie, without a copy, as far as they lie in one piece.

        Use the data, then ask ``still_valid(token)``: only then was it what it seemed.
        """
        head = self.head
        n = max(0, min(n, self.capacity * 7 // 8, head))
        begin = (head - n) % self.capacity
        count = min(n, self.capacity - begin) if n else 0
        if begin + n > self.capacity:  # wraps: keep the newer piece
            count = n - count
            begin = 0
        at = int(self.words[H_SLOTS_WORD]) + begin * self._record_words
        return self.words[at : at + count * self._record_words].view(self.dtype), head - count

    def still_valid(self, token: int) -> bool:
        """True if nothing of the view with this token can have been overwritten up to now."""
        return claim_after_reads(self.words) - self.capacity <= token

    def __iter__(self) -> Iterator[np.void]:
        """Records one by one until none is left right now; losses add up in ``lost_total``."""
        while True:
            before = self.cursor
            yield from self.read().records
            if self.cursor == before:
                return

    def follow(self, waiting: Waiting | None = None, stop: Callable[[], bool] = lambda: False) -> Iterator[Read]:
        """Every :meth:`read` with something in it, as records come, waiting in between (default: adaptive, 1 to 20 ms).

        Ends when ``stop()`` is true, and when the ring was closed and is read to its end; a producer that died is
        waited for. Raises RingReset once the ring was replaced and is read to its end.
        """
        waiting, watch = waiting or Adaptive(), Watch()
        while not stop():
            over = self.state == "closed" and not self.producer_alive()  # asked first: then nothing follows this read
            read = self.read()
            if len(read.records) or read.lost[0] != read.lost[1]:
                yield read
            elif self.cursor >= self.head:  # else all that came was filtered out, and there is more
                if over:
                    return
                watch.set([(self.words, self.cursor)])
                waiting.wait(watch, _LOOK_S, stop)

    def to_arrow(self, n: int | None = None) -> Any:
        """The newest ``n`` records (default: all in the ring) as a pyarrow table, one column per field."""
        import pyarrow as pa

        records = self.last(self.capacity if n is None else n)
        names = records.dtype.names or ()
        return pa.table({name: np.ascontiguousarray(records[name]) for name in names})

    def _check_filters(self) -> None:
        names = self.dtype.names or ()
        for given, field in ((self._kinds, "kind"), (self._symbols, "instrument")):
            if given is not None and field not in names:
                raise RingError(f"{self.path}: its records have no {field} to filter by")

    def _filter(self, records: np.ndarray) -> np.ndarray:
        if self._kinds is None and self._symbols is None:
            return records
        keep = np.ones(len(records), bool)
        if self._kinds is not None:
            keep &= self._kinds[records["kind"]]
        if self._symbols is not None:
            wanted = [number for number in np.unique(records["instrument"]) if self._wanted(int(number))]
            keep &= np.isin(records["instrument"], wanted)
        return records[keep]

    def _wanted(self, number: int) -> bool:
        if number == WHOLE_EXCHANGE or self._symbols is None:
            return False
        if number not in self._numbers:
            instrument = self._table.get(number)
            self._numbers[number] = bool({instrument.symbol, instrument.unified} & self._symbols)
        return self._numbers[number]


def _kinds_of(channels: Sequence[str] | None) -> np.ndarray | None:
    if channels is None:
        return None
    kinds = np.zeros(256, bool)
    for channel in channels:
        if channel not in CHANNELS_BY_NAME:
            raise RingError(f"no channel {channel!r}; there are {', '.join(CHANNELS_BY_NAME)}")
    wanted = {CHANNELS_BY_NAME[channel] for channel in channels}
    for kind, channel_of in CHANNEL_OF_KIND.items():
        kinds[kind] = channel_of in wanted
    return kinds


__all__ = ["Read", "Reader", "attach"]
