"""One ring into its journals: the pure core of the writer, used by the journal process and by replay alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ringcollect.errors import EnvironmentRefused, LakeError
from ringcollect.failpoints import fail
from ringcollect.instruments import Instrument
from ringcollect.records import Kind, Status
from ringcollect.ring.attach import Read, Reader
from ringcollect.ring.set_aside import JOURNAL
from ringcollect.store.chunk import Chunk, RingKind, chunk_of_entries, kind_of
from ringcollect.store.cursor import (
    JournalFile,
    empty_predecessors,
    is_free,
    journal_files,
    journal_folder,
    last_certificate,
    previous_generation,
)
from ringcollect.store.journal import Journal, JournalWriter, header_for
from ringcollect.store.rotation import Policy, Segment, add, cut

CHUNK_BYTES = 4 << 20
CONSUMER = JOURNAL


class Source(Protocol):
    """What a journal needs of the ring it drains: a ``ring.attach.Reader``, or rows that never were in a ring."""

    cursor: int

    @property
    def name(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def dtype(self) -> np.dtype: ...
    @property
    def meta(self) -> dict[str, Any]: ...
    @property
    def head(self) -> int: ...
    @property
    def registered(self) -> bool: ...
    @property
    def instrument_count(self) -> int: ...

    def instruments(self) -> list[Instrument]: ...
    def read(self, max_records: int | None = None) -> Read: ...
    def commit(self, cursor: int | None = None) -> None: ...


class RingJournal:
    """Drains one generation of one ring into journals under ``data/journal``.

    ``resume=True`` (live) goes on where the lake's journals end, and where the lake knows nothing of this generation,
    at the reader's cursor. ``resume=False`` (replay, import) begins at the reader's cursor and replaces what an
    earlier run left. A disk that refuses raises OSError from :meth:`drain`; nothing is forgotten, and calling again
    later goes on. Complete journals are handed out by :meth:`take_finished` and :meth:`close`, to be sealed.
    ``follows=False``: the generation has nothing to do with the ring's one before it.
    """

    def __init__(
        self, data: Path, reader: Source, policy: Policy | None = None, *, resume: bool = True, follows: bool = True
    ) -> None:
        self.data = data
        self.reader = reader
        self.policy = policy or Policy()
        self.kind = kind_of(reader.dtype)
        self.rows = 0  # records written since this object exists
        self.lost = 0  # records lost since this object exists
        self.closed = False
        self._follows = follows
        self._frames = _frame_reader(reader) if self.kind == RingKind.FRAMES else None
        self._limit = max(64, CHUNK_BYTES // reader.dtype.itemsize)
        self._known: dict[int, Instrument] = {}
        self._waiting: Chunk | None = None
        self._finished: list[Path] = []
        self._segment = Segment()
        self._first_seq = reader.cursor
        self._writer = self._take_up() if resume else self._begin_anew()
        if reader.head < self.cursor:
            raise LakeError(f"{self.path} ends at record {self.cursor}, beyond the head {reader.head} of its ring")
        reader.cursor = self.cursor

    @property
    def cursor(self) -> int:
        """Position up to which records are in journals (or known to be lost)."""
        return self._writer.seq_to

    @property
    def empty(self) -> bool:
        """The journal holds no record and no loss yet: it is nothing but a cursor."""
        return self._writer.seq_to == self._writer.header.seq_from

    @property
    def path(self) -> Path:
        """The journal being written."""
        return self._writer.path

    def drain(self, max_records: int | None = None) -> int:
        """Move everything new (at most ``max_records``) from ring to journal; returns how many records.

        Raises OSError when the disk refuses; RingReset, after everything was taken, when the ring was replaced.
        """
        done = 0
        while True:
            self._settle()
            if self._waiting is not None:
                done += self._store(self._waiting)
                continue
            wanted = self._limit if max_records is None else min(self._limit, max_records - done)
            if wanted <= 0 or not self._read(wanted):
                break
        if self.reader.registered:
            self.reader.commit(self.cursor)
        return done

    def sync(self) -> None:
        """Make everything drained durable."""
        self._writer.sync()

    def descriptor(self) -> int:
        """See :meth:`JournalWriter.descriptor`."""
        return self._writer.descriptor()

    def take_finished(self) -> list[Path]:
        """Complete journals since the last call, in order."""
        done, self._finished = self._finished, []
        return done

    def close(self, *, final: bool = False) -> list[Path]:
        """End the journal; returns all complete journals not yet taken.

        ``final`` says that this generation will never go on (replay, a replaced ring). Otherwise an empty journal
        stays behind: it is the cursor of the next start.
        """
        self._settle()
        if not self.closed:
            if not self.empty:
                self._writer.add_end()
                self._segment = self._segment.next()
                self._writer.flush()
                fail("journal.after_end")
                if final:
                    self._finished.append(self._writer.path)
                else:
                    self._settle()
            elif final:
                self._writer.path.unlink(missing_ok=True)
            self.closed = True
            self._writer.close()
        return self.take_finished()

    def abandon(self) -> None:
        """Give the lock up without another write: what is not yet in the journal is still in the ring."""
        self.closed = True
        self._writer.close()

    def _settle(self) -> None:
        """Finish what a refusing disk interrupted: pending bytes, then the step to the next journal."""
        if self.closed:
            return
        self._writer.flush()
        if self._writer.ended:
            old = self._writer
            self._writer = self._begin(old.seq_to, None)  # it exists before the old one can be sealed and deleted
            fail("journal.after_rotate")
            self._finished.append(old.path)
            old.close()

    def _read(self, limit: int) -> bool:
        """Take the next records out of the ring; False if there is nothing new."""
        if self._frames is not None:
            entries, payload, start, lost = self._frames.read_raw(limit)
            chunk = chunk_of_entries(entries, payload, start)
        else:
            read = self.reader.read(limit)
            chunk, lost = Chunk(read.records), read.lost
        if lost[0] != lost[1]:
            self._writer.add_lost(lost)
            self._segment.after_loss()
            self.lost += lost[1] - lost[0]
        if len(chunk.records):
            self._waiting = chunk
        return bool(len(chunk.records)) or lost[0] != lost[1]

    def _store(self, chunk: Chunk) -> int:
        """Write ``chunk`` as far as it belongs to this journal; the rest goes on waiting."""
        self._learn(chunk)
        taken = cut(self._segment, self.policy, chunk.times(), chunk.closes_batch(), chunk.sizes())
        head, rest = chunk.split(taken)
        self._writer.add(head)
        self.rows += taken
        self._waiting = rest if len(rest.records) else None
        if self._waiting is not None:
            self._writer.add_end()
            self._segment = self._segment.next()
        self._writer.flush()
        return taken

    def _learn(self, chunk: Chunk) -> None:
        """Write down instruments the journal does not know: their rows are complete before records use them."""
        if self.kind == RingKind.FRAMES:
            return
        if self.reader.instrument_count == len(self._known) and not _names_instruments(chunk, self.kind):
            return
        new = [i for i in self.reader.instruments() if self._known.get(i.number) != i]
        self._known.update((i.number, i) for i in new)
        self._writer.add_instruments(new)

    def _begin(self, seq_from: int, previous: tuple[int, int] | None) -> JournalWriter:
        reader = self.reader
        header = header_for(
            reader.name, reader.generation, reader.dtype, seq_from, self._first_seq,
            segment=self._segment, meta=reader.meta, previous=previous,
            instruments=sorted(self._known.values(), key=lambda i: i.number),
        )  # fmt: skip
        return JournalWriter.create(journal_folder(self.data), header)

    def _own_files(self) -> list[JournalFile]:
        key = (self.reader.name, self.reader.generation)
        return [file for file in journal_files(self.data) if (file.ring, file.generation) == key]

    def _begin_anew(self) -> JournalWriter:
        """The first journal of a run that does not continue anything; what an earlier run left is void."""
        for file in self._own_files():
            if not is_free(file.path):
                raise EnvironmentRefused(f"{file.path} is being written or sealed by another process")
            file.path.unlink(missing_ok=True)
        return self._begin(self.reader.cursor, None)

    def _take_up(self) -> JournalWriter:
        """The journal of the last run, or the first one of a generation this lake has not seen."""
        ring, generation = self.reader.name, self.reader.generation
        sealed = last_certificate(self.data, ring, generation, 0)
        for file in reversed(self._own_files()):
            if sealed is not None and file.seq_from < sealed[1]:
                break  # sealed already; it only waits to be deleted
            try:
                writer, journal = JournalWriter.resume(file.path)
            except LakeError:  # a power cut before its header reached the disk: what it held is still in the ring
                set_aside(file.path)
                continue
            self._first_seq = journal.header.first_seq
            self._known = dict(journal.instruments)
            self._segment = segment_of(journal)
            return writer
        if sealed is not None:
            _, seq_to, self._first_seq = sealed
            return self._begin(seq_to, None)
        if not self._follows:
            return self._begin(self.reader.cursor, None)
        writer = self._begin(self.reader.cursor, previous_generation(self.data, ring, generation))
        for path in empty_predecessors(self.data, ring, generation):
            path.unlink(missing_ok=True)
        return writer


def segment_of(journal: Journal) -> Segment:
    """The rotation state at the end of a journal, recomputed from its records."""
    segment = Segment(journal.header.stream_ns, journal.header.open_batch)
    for chunk in journal.chunks():
        add(segment, chunk.times(), chunk.closes_batch(), chunk.sizes())
    if journal.lost and journal.lost[-1].seq_to == journal.seq_to:
        segment.after_loss()
    return segment.next() if journal.ended else segment


def set_aside(path: Path) -> Path:
    """Rename a journal that cannot be read to ``*.damaged``; it is kept for people, and ``verify`` names it."""
    return path.rename(path.with_suffix(".damaged"))


def _names_instruments(chunk: Chunk, kind: RingKind) -> bool:
    if kind != RingKind.RECORDS:
        return False
    records = chunk.records
    codes = records["sub"][records["kind"] == Kind.STATUS]
    return bool(np.isin(codes, (Status.INSTRUMENT_NEW, Status.INSTRUMENT_CHANGED)).any())


def _frame_reader(reader: Source) -> Any:
    from ringcollect.ring.frames import FrameReader  # loads the kernels, which record rings do not need

    assert isinstance(reader, Reader)  # frames come out of a ring only
    return FrameReader(reader)
