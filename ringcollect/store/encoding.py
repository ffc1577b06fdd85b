"""How each column is encoded: chosen by measurement (docs/decisions/0022-encodings.md), a function of the values alone.

Whole numbers that grow are stored as differences. Floats are stored plainly for zstd to find what repeats, which is
what prices and sizes do; as a dictionary where the same few values keep changing places (levels of a book); with their
bytes apart where hardly anything repeats (features). Which of them it is, a sample of the column tells. The level of
zstd is spent on floats: differences do not get smaller by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import zstandard

from ringcollect.store.schema import Column

FAST_LEVEL = 1
SAMPLE = 1 << 14
TRIAL = 1 << 12
LEAST_TRIAL = 64
CHANGED, DISTINCT, DISTINCT_IN_LONG = 0.6, 0.3, 0.5
DICTIONARY, PLAIN, DELTA, SPLIT = "RLE_DICTIONARY", "PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"

_BY_TYPE = {
    "int64": DELTA, "uint64": DELTA, "int32": DELTA, "bool": PLAIN, "binary": PLAIN,
    "uint8": DICTIONARY, "int8": DICTIONARY, "uint16": DICTIONARY, "uint32": DICTIONARY, "string": DICTIONARY,
}  # fmt: skip
_BY_NAME = {
    "generation": DICTIONARY,  # one value
    "uuid": PLAIN,  # no two alike
    "conn": PLAIN,
    "sub": PLAIN,
    # The same value in all records of a frame: zstd finds that as it is, and faster than differences are packed.
    "prev_id": PLAIN,
}
_PER_FRAME = {"ts_recv": PLAIN, "id": PLAIN}


class Encoding(NamedTuple):
    """How a column is written: ``name`` as Parquet calls it, and the level of zstd."""

    name: str
    level: int


def encoding_of(column: Column, values: np.ndarray | None, level: int, *, of_levels: bool) -> Encoding:
    """The encoding of ``column`` with ``values`` (of a float column, else not looked at).

    ``level`` is the configured one; ``of_levels`` says that the table has a row per level of a book.
    """
    if column.type == "float64" and values is not None:
        return Encoding(_of_floats(values), level)
    name = _BY_NAME.get(column.name, _BY_TYPE.get(column.type, PLAIN))
    if of_levels:
        name = _PER_FRAME.get(column.name, name)
    return Encoding(name, level if column.type in ("string", "binary") else FAST_LEVEL)


def _of_floats(values: np.ndarray) -> str:
    rows = len(values)
    sample = _middle(values, SAMPLE).view(np.int64)
    if len(sample) < LEAST_TRIAL:
        return PLAIN
    changed = np.count_nonzero(sample[1:] != sample[:-1]) / len(sample)
    if changed <= CHANGED:
        return PLAIN
    distinct = len(np.unique(sample)) / len(sample)
    if distinct < (DISTINCT_IN_LONG if rows > 4 * SAMPLE else DISTINCT):
        return DICTIONARY
    return _of_trial(_middle(values, TRIAL))


def _of_trial(values: np.ndarray) -> str:
    """Plain, or with the bytes apart: whichever zstd makes smaller of a sample."""
    compressor = zstandard.ZstdCompressor(level=FAST_LEVEL)
    apart = np.ascontiguousarray(values.view(np.uint8).reshape(-1, 8).T)
    plain, split = (len(compressor.compress(form.tobytes())) for form in (values, apart))
    return SPLIT if split < plain else PLAIN


def _middle(values: np.ndarray, count: int) -> np.ndarray:
    start = max(0, (len(values) - count) // 2)
    return np.ascontiguousarray(values[start : start + count])
