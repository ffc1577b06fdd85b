"""The worker of our own books: the kernel that applies levels, and the whole synchronizer around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decode.book import Books
from benchmarks.serving import Subject, serve
from benchmarks.sync import feeding
from ringcollect.instruments import Instrument


class OwnBooks:
    """All levels in one call of the kernel; prices on the tick grid the venue states."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._ticks: list[float] = spec["ticks"]
        self._levels = np.load(Path(spec["case"]) / "levels.npy")
        self.passes = int(spec["passes"])
        self.prepare()

    def prepare(self) -> None:
        """Empty books; what they grow by is grown with the first pass over the records."""
        self._books = Books("binance", "spot", self._ticks)
        self._books.of(self._levels)

    def run(self) -> int:
        """Apply every level."""
        self._books.apply(len(self._levels))
        return len(self._levels)

    def evidence(self) -> list[list[list[list[float]]]]:
        """The best levels of each book."""
        return [self._books.top(number, 5) for number in range(len(self._ticks))]


class Synchronized:
    """The same records through the synchronizer, rows of the smallest set included."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._ticks: list[float] = spec["ticks"]
        self._records = np.load(Path(spec["case"]) / "levels.npy")
        self.passes = int(spec["passes"])
        self.prepare()

    def prepare(self) -> None:
        """A new engine."""
        self._engine = feeding.engine_of(("minimal",), lambda number: Instrument(
            number=number, exchange="binance", market="spot", symbol=f"I{number}", tick_size=self._ticks[number]
        ))  # fmt: skip

    def run(self) -> int:
        """Every level, and every row."""
        feeding.feed(self._engine, self._records)
        self._engine.finalize(feeding.ignore)
        return len(self._records)

    def evidence(self) -> list[list[list[list[float]]]]:
        """The best levels of each book."""
        return [[side[:5].tolist() for side in self._engine.book(number)] for number in range(len(self._ticks))]


SUBJECTS: dict[str, type[OwnBooks] | type[Synchronized]] = {"book": OwnBooks, "synchronizer": Synchronized}


def _open(spec: dict[str, Any]) -> Subject:
    return SUBJECTS[spec["subject"]](spec)


if __name__ == "__main__":
    serve(_open, {})
