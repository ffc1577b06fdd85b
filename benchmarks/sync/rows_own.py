"""The worker of rows: records of a file through an engine with chosen features."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving import Subject, serve
from benchmarks.sync import feeding
from ringcollect.instruments import Instrument


class Rows:
    """A synchronizer of its own for each round; a unit is a row. Processor time: nothing here waits for anything."""

    clock = staticmethod(time.process_time_ns)

    def __init__(self, spec: dict[str, Any]) -> None:
        self._records = np.asarray(np.load(Path(spec["records"]), mmap_mode="r"))
        self._ticks: list[float | None] = spec["ticks"]
        self._features: tuple[str, ...] = tuple(spec["features"])
        self._bars: tuple[str, ...] = tuple(spec.get("bars", ()))
        self.passes = int(spec.get("passes", 1))
        self._rows = feeding.Counted()
        self._last = np.zeros(0)
        self.prepare()
        self.run()  # whatever is to be compiled is compiled here

    def _instrument(self, number: int) -> Instrument:
        return Instrument(
            number=number, exchange="binance", market="spot", symbol=f"I{number}", tick_size=self._ticks[number]
        )

    def prepare(self) -> None:
        """Nothing known yet."""
        self._engine = feeding.engine_of(self._features, self._instrument, self._bars)
        self._rows = feeding.Counted()

    def run(self) -> int:
        """All records; rows that wait for their hold-back at the end are not asked for."""
        feeding.feed(self._engine, self._records, self._rows)
        return self._rows.rows

    def evidence(self) -> dict[str, int]:
        """Rows of the last round; columns of a row; bytes of state of one instrument, but for its levels."""
        ints, floats = (self._engine.dump()[name] for name in ("ints", "floats"))
        return {
            "rows": self._rows.rows,
            "columns": len(self._engine.plan.columns),
            "bytes": 8 * (ints.shape[1] + floats.shape[1]),
            "row_bytes": self._engine.dtype.itemsize,
        }


def _open(spec: dict[str, Any]) -> Subject:
    return Rows(spec)


if __name__ == "__main__":
    serve(_open, {})
