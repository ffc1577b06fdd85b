"""Everything a feed's session is told, in order, and of which calls the cost is wanted: a file for the workers.

A session is a function of its calls, so that each run goes through the whole stream once with a session of its own:
ids, books and windows of recent ids are in the state that a live feed's are in when the frame comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks.simulated import Told
from ringcollect.feed.plan import Plan


class Label(NamedTuple):
    """What a frame is about; of one with several channels its first record, unless one is a liquidation.

    ``way``: ``frame`` or ``REST``.
    """

    market: str
    channel: str
    way: str


class Call(NamedTuple):
    """One call of the session. ``label``: a place in the script's labels, -1 = not timed."""

    told: Told
    label: int = -1


@dataclass
class Tally:
    """What is known of the timed frames of one label before anything is timed."""

    frames: int = 0
    records: int = 0
    by_kernel: int = 0
    channels: set[str] = field(default_factory=set)


@dataclass
class Script:
    """``source``: ``simulated``, or the capture's name."""

    source: str
    plan: Plan
    labels: list[Label] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """For the workers."""
        path = folder / f"{self.plan.exchange}_{self.source}.jsonl"
        with path.open("wb") as file:
            file.write(msgspec.json.encode(self.plan) + b"\n")
            for call in self.calls:
                file.write(msgspec.json.encode(call) + b"\n")
        return path


def read(path: Path) -> tuple[Plan, list[Call]]:
    """What :meth:`Script.write` wrote, as far as a worker needs it."""
    with path.open("rb") as file:
        plan = msgspec.json.decode(file.readline(), type=Plan)
        return plan, [Call((name, arguments), label) for (name, arguments), label in map(msgspec.json.decode, file)]
