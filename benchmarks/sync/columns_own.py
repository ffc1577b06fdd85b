"""The worker of ``ringcollect features build``: from a lake's raw files to files of rows."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.serving import Subject, serve
from benchmarks.sync.lake import config
from ringcollect.sources.offline.build import build
from ringcollect.sources.offline.settings import Settings


class Rebuilt:
    """Builds the same rows into a new folder each round: files, certificates, journal and checkpoint as always."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._place = Path(tempfile.mkdtemp(prefix="rebuilt-", dir=spec["folder"]))
        self._out = self._place / "rows"
        self._settings = Settings(data=Path(spec["lake"]), out=self._out, config=config(tuple(spec["columns"])))
        self._target = Path(spec["result"])
        self._columns: list[str] = spec["columns"]
        self.run()  # whatever is to be compiled is compiled here

    def prepare(self) -> None:
        """Nothing built yet."""
        shutil.rmtree(self._out, ignore_errors=True)

    def run(self) -> int:
        """Build everything; answers how many rows there are."""
        report = build(self._settings)
        if report.problems():
            raise RuntimeError("; ".join(report.problems()))
        return sum(one.rows for one in report.built)

    def evidence(self) -> str:
        """One file of all rows, sorted, for the comparison."""
        files = sorted((self._out / "sync" / "features").glob("**/*.parquet"))
        parts = [pq.read_table(path, columns=["ts_ns", *self._columns], partitioning="hive") for path in files]
        _write(parts, [_symbol(path) for path in files], self._target)
        return str(self._target)


def _symbol(path: Path) -> str:
    return next(part.removeprefix("symbol=") for part in path.parts if part.startswith("symbol="))


def _write(parts: list[Any], symbols: list[str], target: Path) -> None:
    import pyarrow as pa

    named = [
        part.append_column("symbol", pa.array([symbol] * len(part), pa.string()))
        for part, symbol in zip(parts, symbols, strict=True)
    ]
    pq.write_table(pa.concat_tables(named).sort_by([("symbol", "ascending"), ("ts_ns", "ascending")]), target)


def _open(spec: dict[str, Any]) -> Subject:
    return Rebuilt(spec)


if __name__ == "__main__":
    serve(_open, {})
