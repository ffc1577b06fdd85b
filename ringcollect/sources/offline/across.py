"""Group O from files: the rows of several exchanges that a folder holds, compared as the live reader compares them.

Nothing but the rows decides: a row says itself whether it was there in time. How far a folder's rows of an exchange go
says how far the others can be compared; what is in the files of group O says where the next run goes on.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ringcollect.config import Config
from ringcollect.errors import LakeError
from ringcollect.instruments import Instrument
from ringcollect.sources.offline.report import Built
from ringcollect.sources.offline.row_files import RowFiles, Target
from ringcollect.sources.offline.segments import Entry, Segment, exchanges_of, places_of, unsealed
from ringcollect.store import parquet
from ringcollect.store.durable import make_folders
from ringcollect.store.schema import Column
from ringcollect.sync.across import FOREVER, Join, across_dtype
from ringcollect.sync.across_plan import AcrossPlan, across_meta, across_plans, across_ring_name
from ringcollect.sync.across_rings import behind
from ringcollect.sync.catalogue.venues import FLOW, MID, RETURN

_STAMPS = (Column("seq", "int64", "", ""), Column("ts_ns", "int64", "", ""), Column("ts_recv", "int64", "", ""))
_FLAGS = Column("row_flags", "uint32", "", "")
_VALUES = tuple(Column(name, "float64", "", "") for name in (MID, RETURN, FLOW))
_ROW = np.dtype(
    [("seq", "<i8"), ("ts_ns", "<i8"), ("ts_recv", "<i8"), ("instrument", "<u2"), ("row_flags", "<u4")]
    + [(column.name, "<f8") for column in _VALUES]
)
_CHUNK = 1 << 16
_SILENT_NS = 60_000_000_000
"""An exchange whose records end so long before those of others, and without a journal, is not collected any more."""


def ended(data: Path, exchanges: Sequence[str]) -> list[str]:
    """The exchanges of the lake ``data`` of which nothing will follow that concerns the others."""
    reach: dict[str, int] = {}
    over = []
    for exchange in exchanges:
        is_open = any(unsealed(data, exchange))  # before the segments are listed: a journal sealed meanwhile is open
        last = [places[-1].load() for places in places_of(data, exchange).values()][-1]
        reach[exchange] = last.stream_ns[1] if last.stream_ns else 0
        if not is_open:
            over.append((exchange, bool(last.meta.get("ends"))))
    newest = max(reach.values(), default=0)
    return [exchange for exchange, said in over if said or reach[exchange] + _SILENT_NS < newest]


def build_across(config: Config, target: Target, ended: Sequence[str]) -> list[Built]:
    """Compare what ``target.out`` holds of every grid with columns of group O, and write what is new of it.

    ``ended`` are the exchanges of which no rows will follow. A grid that another process is at is left to it. Raises
    LakeError for a file that is missing or damaged, or that was made with other settings.
    """
    if not (target.out / "certificates").is_dir():
        return []  # no rows of anything yet
    there = exchanges_of(target.out, ".row")
    built = []
    for plan in across_plans(config, there):
        with _alone(target.out, plan.grid) as mine:
            if mine:
                built += _Comparison(target, plan, ended).run()
    return built


@contextmanager
def _alone(out: Path, grid: str) -> Iterator[bool]:
    """Whether nobody else compares this grid now."""
    folder = out / "state" / "builds"
    make_folders(folder, sync=False)
    fd = os.open(folder / f"across-{grid}.lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


class _Comparison:
    """One grid: a stream of rows of each exchange, in step with each other, and files of group O for each."""

    def __init__(self, target: Target, plan: AcrossPlan, ended: Sequence[str]) -> None:
        self._sides = [_Side(target, plan, exchange) for exchange in plan.exchanges]
        self._ends = [FOREVER if exchange in ended else 0 for exchange in plan.exchanges]
        self._join = Join(len(self._sides), plan.columns, plan.delay_ns, self._name_of)

    def run(self) -> list[Built]:
        """Everything there is, as far as all of them are known; what is there already is not written again."""
        begin = min(side.end[0] for side in self._sides)
        streams = [side.rows(begin) for side in self._sides]
        known = [0] * len(streams)
        going = set(range(len(streams)))
        try:
            while going:
                slowest = min(going, key=known.__getitem__)
                rows = next(streams[slowest], None)
                if rows is None:
                    going.discard(slowest)
                    known[slowest] = max(known[slowest], self._ends[slowest])
                else:
                    self._join.add(slowest, rows)
                    known[slowest] = max(known[slowest], int(rows["ts_recv"].max()))
                for side, done in zip(self._sides, self._join.done(known), strict=True):
                    side.write(done)
        finally:
            for side in self._sides:
                side.close()
        return [side.built for side in self._sides]

    def _name_of(self, exchange: int, number: int) -> str:
        known = self._sides[exchange].table.get(number)
        return "" if known is None else known.unified


class _Side:
    """One exchange: its rows out of files, its rows of group O into files."""

    def __init__(self, target: Target, plan: AcrossPlan, exchange: str) -> None:
        self.table: dict[int, Instrument] = {}
        self.end = (-1, -1)
        self._out = target.out
        rows = places_of(self._out, exchange, f".{plan.grid}.row")
        self._places = [place for generation in rows.values() for place in generation]
        self._ring = across_ring_name(exchange, plan.grid)
        before = places_of(self._out, exchange, f".{plan.grid}.xv")
        generation = max(before, default=min(rows))
        meta = across_meta(plan, exchange)
        self._files = RowFiles(target, self._ring, generation, across_dtype(plan.columns), meta, self.table)
        self._seq = self._files.reach
        self._files.close()  # what a killed run left in a journal becomes a file: files say where to go on
        self._seen = len(self._files.sealed)
        before = places_of(self._out, exchange, f".{plan.grid}.xv")
        if before:
            last = before[generation][-1].load()
            _check_same(last, meta)
            self.end = _end_of(last)
        self.built = Built(ring=self._ring, generation=generation, source_generation=min(rows))

    def rows(self, begin_ns: int) -> Iterator[np.ndarray]:
        """Its rows from the stamp ``begin_ns`` on, in the order of their ring. Memory: one segment."""
        for place in self._places:
            segment = place.load()
            if segment.stream_ns is None or segment.stream_ns[1] < begin_ns:
                continue
            self.table.update({instrument.number: instrument for instrument in segment.instruments})
            parts = [_read(self._out, entry) for entry in segment.files]
            rows = np.concatenate(parts) if parts else np.empty(0, _ROW)
            rows = rows[rows["ts_ns"] >= begin_ns]
            rows.sort(order="seq")
            for start in range(0, len(rows), _CHUNK):
                yield rows[start : start + _CHUNK]

    def write(self, rows: np.ndarray) -> None:
        """Rows of group O that are done."""
        rows = behind(rows, self.end)
        if not len(rows):
            return
        self.end = int(rows["ts_ns"][-1]), int(rows["instrument"][-1])
        rows["seq"] = np.arange(self._seq, self._seq + len(rows))
        self._seq += len(rows)
        self._files.add(rows)
        self.built.rows += len(rows)
        self.built.until_ns = self.end[0]

    def close(self) -> None:
        """Make files of everything."""
        self._files.close()
        fresh = self._files.sealed[self._seen :]
        self.built.files, self.built.bytes = sum(one.files for one in fresh), sum(one.bytes for one in fresh)


def _read(out: Path, entry: Entry) -> np.ndarray:
    """What group O needs of one file of rows; values that were not chosen, and rows of another version, are NaN."""
    path = out / entry.path
    try:
        file = parquet.open_file(path)
        names = file.schema_arrow.names
        if _STAMPS[-1].name not in names:
            return np.empty(0, _ROW)  # schema version 1: such rows do not say when they were known
        columns = [*_STAMPS, _FLAGS, *(column for column in _VALUES if column.name in names)]
        parts = []
        for values in parquet.read(file, columns):
            rows = np.zeros(len(values["seq"]), _ROW)
            for column in _VALUES:
                rows[column.name] = np.nan
            for column in columns:
                rows[column.name] = values[column.name]
            rows["instrument"] = entry.instrument
            parts.append(rows)
    except (LakeError, OSError) as error:
        raise LakeError(f"{path}: {error}") from error
    return np.concatenate(parts) if parts else np.empty(0, _ROW)


def _end_of(segment: Segment) -> tuple[int, int]:
    """Stamp and instrument of the last row of a segment of group O."""
    last = [(int(entry.claims["ts_ns"][1]), entry.instrument) for entry in segment.files]
    return max(last, default=(-1, -1))


def _check_same(segment: Segment, meta: dict[str, object]) -> None:
    """LakeError for other columns or another time to wait; exchanges may join and go."""
    different = [name for name in ("columns", "delay_ns", "grid_ns") if segment.meta.get(name) != meta[name]]
    if different:
        raise LakeError(
            f"{segment.ring} was made with other settings ({', '.join(different)}): give another --out, or the "
            "settings it was made with"
        )
