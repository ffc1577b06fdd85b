"""A limit order book of integer ticks and lots, aggregated by level."""

from __future__ import annotations

from bisect import bisect_left, insort


class Side:
    """One side of the book. ``keys`` is sorted so that the best level is last; ``sign`` is +1 bid, -1 ask."""

    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.levels: dict[int, int] = {}
        self.keys: list[int] = []

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def best(self) -> int:
        """Tick of the best level; the side must not be empty."""
        return self.sign * self.keys[-1]

    def tick_at(self, depth: int) -> int:
        """Tick of the level ``depth`` places behind the best."""
        return self.sign * self.keys[-1 - depth]

    def put(self, tick: int, lots: int) -> None:
        """Set a level to ``lots``; zero removes it."""
        if lots > 0:
            if tick not in self.levels:
                insort(self.keys, self.sign * tick)
            self.levels[tick] = lots
        elif self.levels.pop(tick, 0):
            key = self.sign * tick
            del self.keys[bisect_left(self.keys, key)]

    def top(self, count: int) -> list[tuple[int, int]]:
        """The best ``count`` levels as (tick, lots), best first."""
        return [(self.sign * key, self.levels[self.sign * key]) for key in reversed(self.keys[-count:])]
