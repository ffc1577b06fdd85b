"""What a benchmark hands over: runs of each subject, and from them medians, ratios and targets.

A section is one benchmark; a case is one thing measured for several subjects, ours and peers'; every subject has one
number per alternating run. Everything printed or drawn is computed from these numbers.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Series:
    """One subject in one case: a number per run, in the unit of the section."""

    subject: str
    runs: tuple[float, ...]
    ours: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.runs)


@dataclass(frozen=True)
class Target:
    """``ours`` shall be at least ``at_least`` times as good as ``peer``. Reported, never asserted."""

    ours: str
    peer: str
    at_least: float


@dataclass(frozen=True)
class Skip:
    """A peer that was not run, and why."""

    subject: str
    reason: str


@dataclass(frozen=True)
class Ratio:
    """How many times as good ``ours`` is: of the medians, and the worst and best of the paired runs."""

    ours: str
    peer: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Case:
    """One thing measured. ``checks``: what was done to see that every subject did the work."""

    name: str
    detail: str = ""
    series: tuple[Series, ...] = ()
    targets: tuple[Target, ...] = ()
    skipped: tuple[Skip, ...] = ()
    checks: tuple[str, ...] = ()
    columns: dict[str, str | float] = field(default_factory=dict)
    """What stands first in the case's row, where the section is one table."""

    def of(self, subject: str) -> Series | None:
        """The runs of ``subject``, None if it took no part."""
        return next((one for one in self.series if one.subject == subject), None)


@dataclass(frozen=True)
class Section:
    """One benchmark. ``less_is_better``: the unit is a cost (ns per frame), not a speed (records per second).

    ``one_table``: a row a case, of one subject of ours and one peer, instead of a table a case.
    """

    name: str
    title: str
    unit: str
    cases: tuple[Case, ...]
    less_is_better: bool = True
    skipped: tuple[Skip, ...] = ()
    notes: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    one_table: bool = False

    def ratio(self, ours: Series, peer: Series) -> Ratio:
        """How many times as good ``ours`` is as ``peer``. Above 1 we win, whatever the unit."""
        pairs = [self._better(a, b) for a, b in zip(ours.runs, peer.runs, strict=False)]
        return Ratio(ours.subject, peer.subject, self._better(ours.median, peer.median), min(pairs), max(pairs))

    def _better(self, ours: float, peer: float) -> float:
        return peer / ours if self.less_is_better else ours / peer

    def ratios(self, case: Case) -> Iterator[Ratio]:
        """Every one of ours against every peer of the case."""
        for ours in case.series:
            for peer in case.series:
                if ours.ours and not peer.ours:
                    yield self.ratio(ours, peer)

    def reached(self, case: Case) -> Iterator[tuple[Target, Ratio | None]]:
        """The case's targets with what was measured; None where one of the two took no part."""
        for target in case.targets:
            ours, peer = case.of(target.ours), case.of(target.peer)
            yield target, self.ratio(ours, peer) if ours and peer else None


def save(section: Section, path: Path) -> None:
    """Write the section as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(section), indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Section:
    """Read what :func:`save` wrote."""
    return section_of(json.loads(path.read_text(encoding="utf-8")))


def section_of(data: dict[str, Any]) -> Section:
    """A section from its JSON object."""
    cases = tuple(
        Case(
            name=case["name"],
            detail=case["detail"],
            series=tuple(Series(one["subject"], tuple(one["runs"]), one["ours"]) for one in case["series"]),
            targets=tuple(Target(**one) for one in case["targets"]),
            skipped=tuple(Skip(**one) for one in case["skipped"]),
            checks=tuple(case["checks"]),
            columns=case.get("columns", {}),
        )
        for case in data["cases"]
    )
    skipped = tuple(Skip(**one) for one in data["skipped"])
    return Section(**data | {"cases": cases, "skipped": skipped, "notes": tuple(data["notes"])})
