"""Where a book can begin: the nearest whole ones before a moment, found from the newest file backwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from ringcollect.errors import LakeError
from ringcollect.records import Flag
from ringcollect.store import files, parquet
from ringcollect.store.book_rows import BOOK_COLUMNS, records_of
from ringcollect.store.files import LakeFile
from ringcollect.store.location import Lake
from ringcollect.store.parquet import group_range

_NAMES = [column.name for column in BOOK_COLUMNS if column.name != "native_symbol"]


class Base(NamedTuple):
    """A whole book: received (or, DERIVED, stamped) at ``ts_recv``, beginning at ``seq`` of ``generation``."""

    ts_recv: int
    generation: int
    seq: int
    date: str


def last_clear(lake: Lake, listed: Sequence[LakeFile], ts_ns: int, sub: int, after_ns: int = -1) -> Base | None:
    """The last CLEAR of book ``sub`` with ``ts_recv`` up to ``ts_ns`` in files of one tier (in the order of time).

    None if it is not after ``after_ns``, where the search ends. Opens files from the newest backwards; NotFoundError if
    one was taken away since it was listed.
    """
    for file in reversed(listed):
        opened = files.open_file(lake, file)
        try:
            if _latest(opened) < after_ns:
                return None
            found = _last_in(opened, file, ts_ns, sub)
        except parquet.UNREADABLE as error:
            raise LakeError(f"{file.path}: cannot be read: {error}") from error
        finally:
            opened.close()
        if found is not None:
            return found if found.ts_recv > after_ns else None
    return None


def first_at(lake: Lake, listed: Sequence[LakeFile], ts_ns: int) -> Base | None:
    """The first record with ``ts_recv`` from ``ts_ns`` on, in files of one tier (in the order of time)."""
    for file in listed:
        opened = files.open_file(lake, file)
        try:
            for group in range(opened.metadata.num_row_groups):
                high = group_range(opened, group, "ts_recv")[1]
                if high < ts_ns:
                    continue
                times = opened.read_row_group(group, columns=["generation", "seq", "ts_recv"])
                at = np.flatnonzero(times["ts_recv"].to_numpy() >= ts_ns)
                if len(at):
                    first = int(at[0])
                    generation, seq, ts_recv = (int(times[n][first].as_py()) for n in ("generation", "seq", "ts_recv"))
                    return Base(ts_recv, generation, seq, file.date)
        finally:
            opened.close()
    return None


def whole_book(lake: Lake, listed: Sequence[LakeFile], base: Base) -> np.ndarray:
    """The records (RECORD) of the DERIVED book that begins at ``base``. LakeError if it is not there whole."""
    pieces: list[np.ndarray] = []
    for file in listed:
        if file.date != base.date:
            continue
        opened = files.open_file(lake, file)
        with opened:
            for group in range(opened.metadata.num_row_groups):
                high = group_range(opened, group, "seq")[1]
                if high < base.seq:
                    continue
                for batch in opened.iter_batches(row_groups=[group], columns=_NAMES):
                    rows = records_of(batch)
                    rows = rows[(batch["generation"].to_numpy() == base.generation) & (rows["seq"] >= base.seq)]
                    ends = np.flatnonzero(rows["flags"] & Flag.LAST)
                    pieces.append(rows[: int(ends[0]) + 1] if len(ends) else rows)
                    if len(ends):
                        whole = np.concatenate(pieces)
                        if np.array_equal(whole["seq"], np.arange(base.seq, base.seq + len(whole))):
                            return whole
                        raise LakeError(f"{file.path}: the book at seq {base.seq} is not whole")
    raise LakeError(f"the book of seq {base.seq}, generation {base.generation} has no end")


def _last_in(opened: pq.ParquetFile, file: LakeFile, ts_ns: int, sub: int) -> Base | None:
    for group in reversed(range(opened.metadata.num_row_groups)):
        if not group_range(opened, group, "is_snapshot")[1] or group_range(opened, group, "ts_recv")[0] > ts_ns:
            continue
        rows = opened.read_row_group(group, columns=["generation", "seq", "ts_recv", "flags", "sub"])
        flags, times = rows["flags"].to_numpy(), rows["ts_recv"].to_numpy()
        mine = ((flags & Flag.CLEAR) != 0) & ((flags & Flag.UNSYNCED) == 0)
        at = np.flatnonzero(mine & (rows["sub"].to_numpy() == sub) & (times <= ts_ns))
        if len(at):
            last = int(at[-1])
            generation, seq = (int(rows[name][last].as_py()) for name in ("generation", "seq"))
            return Base(int(times[last]), generation, seq, file.date)
    return None


def _latest(opened: pq.ParquetFile) -> int:
    return max(
        (group_range(opened, group, "ts_recv")[1] for group in range(opened.metadata.num_row_groups)),
        default=-1,
    )
