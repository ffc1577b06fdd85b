"""The records of one instrument's book out of a lake: raw and rest together, in ring order, from a position on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby

import numpy as np
import pyarrow as pa

from ringcollect.store import files, parquet
from ringcollect.store.files import LakeFile
from ringcollect.store.location import Lake
from ringcollect.store.scan_rows import Wanted, rows_of_folder
from ringcollect.store.schema import TABLES_BY_NAME
from ringcollect.store.selection import FOREVER
from ringcollect.store.tables import to_records

BOOK_COLUMNS = TABLES_BY_NAME["orderbooks"].columns
_SCHEMA = parquet.arrow_schema([column for column in BOOK_COLUMNS if column.name != "native_symbol"])


def book_rows(lake: Lake, listed: list[list[LakeFile]], generation: int, seq_from: int) -> Iterator[np.ndarray]:
    """RECORD arrays in ring order: positions from ``seq_from`` on of ``generation``.

    ``listed`` are the files of each tier, by day. Memory: a batch of rows of each.
    """
    streams = [_rows_of_tier(lake, one, generation, seq_from) for one in listed if one]
    waiting = [(stream, next(stream, None)) for stream in streams]
    held = [(stream, rows) for stream, rows in waiting if rows is not None]
    while held:
        until = min(int(rows["seq"][-1]) for _, rows in held)
        ready, rest = [], []
        for stream, rows in held:
            cut = int(np.searchsorted(rows["seq"], until, side="right"))
            ready.append(rows[:cut])
            left = rows[cut:] if cut < len(rows) else next(stream, None)
            if left is not None:
                rest.append((stream, left))
        held = rest
        both = np.concatenate(ready)
        yield both[np.argsort(both["seq"], kind="stable")]


def _rows_of_tier(lake: Lake, listed: list[LakeFile], generation: int, seq_from: int) -> Iterator[np.ndarray]:
    wanted = Wanted(_SCHEMA, BOOK_COLUMNS, "seq", seq_from, FOREVER, {})
    for folder, members in groupby(listed, key=files.folder_of):
        for batch in rows_of_folder(lake, list(members), wanted, partial(files.files_of_folder, lake, folder)):
            rows = records_of(batch)
            mine = rows[batch["generation"].to_numpy() == generation]
            if len(mine):
                yield mine


def records_of(batch: pa.RecordBatch) -> np.ndarray:
    """The RECORD rows of a batch with the columns of orderbooks; ``instrument`` is 0."""
    columns = {name: batch[name].to_numpy(zero_copy_only=False) for name in batch.schema.names}
    return to_records("orderbooks", columns, 0)
