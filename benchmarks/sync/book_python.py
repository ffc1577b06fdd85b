"""The worker of books as Python programs keep them: dicts that nobody sorts, and sortedcontainers' SortedDict."""

from __future__ import annotations

import pickle
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sortedcontainers import SortedDict  # type: ignore[import-untyped, import-not-found, unused-ignore]

from benchmarks.serving import Subject, serve


class PythonBooks:
    """A mapping of price to size a side; ``kind`` makes one."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._kind: Any = {"dict": dict, "sorteddict": SortedDict}[spec["subject"]]
        self._count = len(spec["ticks"])
        self._rows = pickle.loads((Path(spec["case"]) / "levels.pickle").read_bytes())
        self.prepare()

    def prepare(self) -> None:
        """Empty books."""
        self._books = [(self._kind(), self._kind()) for _ in range(self._count)]

    def run(self) -> int:
        """Every level; the best price is not asked for, which a dict could only find by looking at all."""
        books = self._books
        for number, side, price, size, clear in self._rows:
            if clear:
                books[number][0].clear()
                books[number][1].clear()
            levels = books[number][side < 0]
            if size:
                levels[price] = size
            else:
                levels.pop(price, None)
        return len(self._rows)

    def evidence(self) -> list[list[list[list[float]]]]:
        """The best levels of each book."""
        return [
            [[list(one) for one in sorted(side.items(), reverse=which == 0)[:5]] for which, side in enumerate(book)]
            for book in self._books
        ]


def _open(spec: dict[str, Any]) -> Subject:
    return PythonBooks(spec)


if __name__ == "__main__":
    serve(_open, {"sortedcontainers": version("sortedcontainers")})
