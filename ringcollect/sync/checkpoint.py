"""Checkpoints: the engine's arrays, the input cursor and the output head, in two files written in turn.

A file is ``magic, header length, crc32 of the rest, JSON header, array bytes``. It is written in place: whoever dies
in the middle leaves a file whose crc is wrong, and the other copy is whole. They live beside the rings, whose life
they share (a reboot takes both).
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ringcollect.failpoints import fail

MAGIC = b"RCCKPT01"
STATE_VERSION = 6
"""Meaning of the dumped arrays; another version is not loaded."""
_HEAD = 8 + 8 + 8


class Checkpoint(NamedTuple):
    """State after the records before ``cursor`` of generation ``generation``; ``rows`` had been emitted by then."""

    number: int
    generation: int
    row_generation: int
    cursor: int
    rows: int
    state: dict[str, np.ndarray]
    snapshot_generation: int = 0  # 0: there was no ring of snapshots
    snapshots: int = 0  # snapshot records emitted by then
    book_generation: int = 0  # 0: there was no ring of books
    books: int = 0  # its records written by then
    bar_generations: tuple[int, ...] = ()  # of the rings of bars, in the order of their kinds
    bars: tuple[int, ...] = ()  # bars of each kind by then


def paths(directory: Path, name: str) -> tuple[Path, Path]:
    """The two files of ``name`` (``<exchange>.<grid>``)."""
    return directory / f"{name}.ckpt.0", directory / f"{name}.ckpt.1"


def save(directory: Path, name: str, checkpoint: Checkpoint) -> None:
    """Write one checkpoint over the older of the two copies (number parity). Raises OSError."""
    arrays = {key: np.ascontiguousarray(array) for key, array in checkpoint.state.items()}
    header = json.dumps(
        {
            "version": STATE_VERSION,
            "number": checkpoint.number,
            "generation": checkpoint.generation,
            "row_generation": checkpoint.row_generation,
            "cursor": checkpoint.cursor,
            "rows": checkpoint.rows,
            "snapshot_generation": checkpoint.snapshot_generation,
            "snapshots": checkpoint.snapshots,
            "book_generation": checkpoint.book_generation,
            "books": checkpoint.books,
            "bar_generations": checkpoint.bar_generations,
            "bars": checkpoint.bars,
            "arrays": [[key, array.dtype.str, list(array.shape)] for key, array in arrays.items()],
        },
        sort_keys=True,
    ).encode()
    crc = zlib.crc32(header)
    for array in arrays.values():
        crc = zlib.crc32(array.data.cast("B") if array.size else b"", crc)
    with open(paths(directory, name)[checkpoint.number % 2], "wb") as file:
        file.write(MAGIC + len(header).to_bytes(8, "little") + crc.to_bytes(8, "little"))
        fail("checkpoint.after_head")
        file.write(header)
        for array in arrays.values():
            file.write(array.data)
        fail("checkpoint.before_close")
    fail("checkpoint.after_write")


def load(directory: Path, name: str) -> Checkpoint | None:
    """The newest whole checkpoint of ``name``, or None."""
    found = [one for path in paths(directory, name) if (one := _read(path)) is not None]
    return max(found, key=lambda one: one.number, default=None)


def remove(directory: Path, name: str) -> None:
    """Delete both copies: what follows has nothing to do with them."""
    for path in paths(directory, name):
        path.unlink(missing_ok=True)


def _read(path: Path) -> Checkpoint | None:
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    if len(raw) < _HEAD or raw[:8] != MAGIC:
        return None
    length = int.from_bytes(raw[8:16], "little")
    if zlib.crc32(raw[_HEAD:]) != int.from_bytes(raw[16:24], "little"):
        return None
    header = json.loads(raw[_HEAD : _HEAD + length])
    if header["version"] != STATE_VERSION:
        return None
    state = {}
    offset = _HEAD + length
    for key, dtype, shape in header["arrays"]:
        array = np.frombuffer(raw, np.dtype(dtype), int(np.prod(shape)), offset).reshape(shape)
        state[key] = array
        offset += array.nbytes
    return Checkpoint(
        header["number"], header["generation"], header["row_generation"], header["cursor"], header["rows"], state,
        header["snapshot_generation"], header["snapshots"], header["book_generation"], header["books"],
        tuple(header["bar_generations"]), tuple(header["bars"]),
    )  # fmt: skip
