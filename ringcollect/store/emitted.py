"""Which rows were given already, by (generation, seq), so that a second look at a folder gives none of them again."""

from __future__ import annotations

import numpy as np


class Emitted:
    """Spans of positions per generation: one per file, whose rows stand in ring order."""

    def __init__(self) -> None:
        self._spans: dict[int, list[list[int]]] = {}
        self._of_file: dict[int, list[int]] = {}

    def begin_file(self) -> None:
        """What is added next comes from another file: rows between the two are not given yet."""
        self._of_file = {}

    def add(self, generations: np.ndarray, seqs: np.ndarray) -> None:
        """Consecutive rows of the file (int64 both): everything between the first and the last of a generation."""
        if not len(seqs):
            return
        cuts = np.flatnonzero(np.diff(generations)) + 1
        for own, part in zip(np.split(generations, cuts), np.split(seqs, cuts), strict=True):
            generation = int(own[0])
            if generation not in self._of_file:
                self._of_file[generation] = [int(part[0]), int(part[0])]
                self._spans.setdefault(generation, []).append(self._of_file[generation])
            self._of_file[generation][1] = int(part[-1])

    def fresh(self, generations: np.ndarray, seqs: np.ndarray) -> np.ndarray:
        """bool per row: not given yet."""
        keep = np.ones(len(seqs), bool)
        for generation, spans in self._spans.items():
            mine = generations == generation
            if mine.any():
                for first, last in spans:
                    keep &= ~(mine & (seqs >= first) & (seqs <= last))
        return keep
