"""Named counters in a ring's header, readable by anybody without asking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ringcollect.ring.layout import COUNTERS_WORD


class Counters(Mapping[str, int]):
    """Named int64 words in the ring's header; the producer counts, anybody reads."""

    def __init__(self, words: np.ndarray, names: tuple[str, ...]) -> None:
        self.words = words[COUNTERS_WORD : COUNTERS_WORD + len(names)]
        self.names = names
        self._index = {name: i for i, name in enumerate(names)}

    def __getitem__(self, name: str) -> int:
        return int(self.words[self._index[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Position of ``name`` in ``words``, for kernels."""
        return self._index[name]

    def count(self, name: str, by: int = 1) -> None:
        """Add ``by`` (producer only)."""
        self.words[self._index[name]] += by
