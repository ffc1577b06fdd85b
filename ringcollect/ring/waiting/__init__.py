"""Waiting for rings: a process looks at the heads of all its rings with one call, and waits between two looks.

Producers tell nobody that they published (docs/decisions/0012-no-futex.md), so whoever waits looks again and again. How
it spends the time in between is a strategy, one file each: ``adaptive`` sleeps, ``yielding`` lets others run,
``spinning`` does nothing else. docs/waiting.md has the price list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ringcollect.ring.waiting.adaptive import LONGEST_S, SHORTEST_S, Adaptive
from ringcollect.ring.waiting.spinning import Spinning
from ringcollect.ring.waiting.watch import Watch
from ringcollect.ring.waiting.yielding import Yielding

STRATEGIES = ("adaptive", "yield", "spin")


class Waiting(Protocol):
    """A strategy."""

    def wait(self, watch: Watch, longest_s: float, stop: Callable[[], bool]) -> bool:
        """True as soon as a watched ring has something; False after ``longest_s`` seconds, or when ``stop()`` is true.

        A signal handler runs, and ``stop`` is asked, at least once per interval of the strategy.
        """


def strategy(name: str, shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S) -> Waiting:
    """The strategy ``name`` of :data:`STRATEGIES`; the interval (seconds) is for ``adaptive`` only."""
    if name == "spin":
        return Spinning()
    if name == "yield":
        return Yielding()
    if name == "adaptive":
        return Adaptive(shortest_s, longest_s)
    raise ValueError(f"no waiting strategy {name!r}; there are {', '.join(STRATEGIES)}")


__all__ = ["LONGEST_S", "SHORTEST_S", "STRATEGIES", "Adaptive", "Spinning", "Waiting", "Watch", "Yielding", "strategy"]
