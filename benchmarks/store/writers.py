"""Who can write a table to a Parquet file: ours, and the writers whose defaults people use. One thread each."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.figures import Skip
from benchmarks.store.rows import Piece
from ringcollect.config import Config
from ringcollect.store import parquet

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read when polars is imported

OURS = "ringcollect"
BARE = "bare write_table, our encodings"
PYARROW, POLARS, DUCKDB = "pyarrow's defaults", "Polars' defaults", "DuckDB's defaults"
LEVEL = Config().storage.zstd_level
Write = Callable[[Piece, Path], None]


def ours(piece: Piece, path: Path) -> None:
    """As the sealer writes a file."""
    with open(path, "wb") as target:
        parquet.write(target, piece.columns, piece.metadata, piece.values, LEVEL)


def bare(piece: Piece, path: Path) -> None:
    """One call of pyarrow with the same encodings, which it is told."""
    encodings = parquet.encodings_of(piece.columns, piece.values, LEVEL)
    with open(path, "wb") as target, parquet.writer(target, piece.columns, piece.metadata, encodings) as file:
        file.write_table(piece.arrow)


def _pyarrow(piece: Piece, path: Path) -> None:
    pq.write_table(piece.arrow, path)


def writers(pieces: Sequence[Piece]) -> tuple[dict[str, Write], list[Skip]]:
    """All of them by name; what is not installed is skipped."""
    found: dict[str, Write] = {OURS: ours, PYARROW: _pyarrow}
    skipped = []
    for name, make in ((POLARS, _polars), (DUCKDB, _duckdb)):
        try:
            found[name] = make(pieces)
        except ImportError as error:
            skipped.append(Skip(name, str(error)))
    return found, skipped


def _polars(pieces: Sequence[Piece]) -> Write:
    polars: Any = importlib.import_module("polars")
    frames = {id(piece): polars.from_arrow(piece.arrow) for piece in pieces}
    return lambda piece, path: frames[id(piece)].write_parquet(path)


def _duckdb(pieces: Sequence[Piece]) -> Write:
    duckdb: Any = importlib.import_module("duckdb")
    connection = duckdb.connect(config={"threads": 1})
    for piece in pieces:
        connection.register(f"p{id(piece)}", piece.arrow)
    return lambda piece, path: connection.execute(f"COPY p{id(piece)} TO '{path}' (FORMAT parquet)")
