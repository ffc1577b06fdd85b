"""One pass over a lake: every chosen exchange, generation and grid, each as far as its sealed segments go."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ringcollect.config import RowPlan
from ringcollect.errors import LakeError
from ringcollect.instruments import Instrument
from ringcollect.sources.offline import removal
from ringcollect.sources.offline.across import build_across, ended
from ringcollect.sources.offline.builder import Builder, Task
from ringcollect.sources.offline.opening import describe, open_work
from ringcollect.sources.offline.report import Built, Report
from ringcollect.sources.offline.segments import Place, Segment, exchanges_of, places_of, unsealed, within
from ringcollect.sources.offline.settings import Settings
from ringcollect.sources.offline.versions import Versions
from ringcollect.sources.offline.work import Work
from ringcollect.store.location import Lake
from ringcollect.store.naming import DAY_NS
from ringcollect.store.removed import is_removed
from ringcollect.store.retention.mark import Retired
from ringcollect.store.selection import FOREVER, Selection
from ringcollect.sync.parameters import parameters_of
from ringcollect.sync.process import wants_of

_LATENCY_NS = 1_000_000_000
"""Records this long after the end of a selection are read for the rows before it: they come late by their latency."""


def build(settings: Settings) -> Report:
    """Build what is not built yet of everything ``settings.selection`` names.

    Raises NotFoundError without a lake, ConfigError where ``out`` has other rows. What is wrong with one exchange is
    in the report and does not keep the others from being built.
    """
    begun = time.monotonic()
    report = Report()
    chosen, end_ns = settings.selection.exchanges, _limit(settings.selection, DAY_NS)
    exchanges = exchanges_of(settings.data)
    over = ended(settings.data, exchanges) if settings.selection.end_ns >= FOREVER else []
    for exchange in exchanges:
        if (chosen and exchange not in chosen) or settings.stop():
            continue
        # Before the segments are listed: a journal that is sealed meanwhile is in the list then.
        open_journals = {generation for generation, _ in unsealed(settings.data, exchange)}
        for generation, places in places_of(settings.data, exchange).items():
            near = within(places, 0, end_ns)
            report.found += len(within(near, settings.selection.start_ns, end_ns))
            if settings.delete_source:
                _note(report, removal.go_on(settings.data, near))
            present = [place for place in near if not is_removed(place.path) and not _is_retired(settings.data, place)]
            _Generation(settings, exchange, present, report, is_open=generation in open_journals).build()
    _compare(settings, report, over)
    report.seconds = time.monotonic() - begun
    return report


def _compare(settings: Settings, report: Report, over: list[str]) -> None:
    """Group O of what is built by now, unless a part was chosen: with some of the venues it would be another number."""
    selection = settings.selection
    if selection.is_part or selection.exchanges or settings.stop():
        return
    if report.errors or any(one.state == "busy" for one in report.built):
        over = []  # more rows may follow after all
    try:
        report.built += build_across(settings.config, settings.target(), over)
    except LakeError as error:
        report.errors.append(str(error))


def _is_retired(data: Path, place: Place) -> bool:
    """Whether retention took any of a segment's files: the records that are left are no stream."""
    if not (place.path.parent / "retired").is_dir():
        return False
    retired = Retired(Lake.open(data))
    return any(retired.has(entry.path) for entry in place.load().files)


class _Safe(NamedTuple):
    """How far one grid's rows are safe, and where they are."""

    work: Work
    position: int


class _Generation:
    """One generation of one exchange's records: its grids one after another."""

    def __init__(
        self, settings: Settings, exchange: str, places: list[Place], report: Report, *, is_open: bool
    ) -> None:
        self._settings = settings
        self._exchange = exchange
        self._places = places
        self._report = report
        self._is_open = is_open
        self._plans = settings.config.row_plans(exchange)

    def build(self) -> None:
        """All grids; then, if wanted, the segments go that all of them are past."""
        safe: list[_Safe] = []
        try:
            first = self._first()
        except LakeError as error:
            self._report.errors.append(str(error))
            return
        if first is None:
            return
        for plan in self._plans:
            try:
                done = self._build_plan(plan, first)
            except LakeError as error:
                self._report.errors.append(str(error))
                continue
            if done is not None:
                safe.append(done)
        if self._settings.delete_source and len(safe) == len(self._plans):
            position = min(one.position for one in safe)
            removed = removal.remove(self._settings, self._places, position, [one.work.description for one in safe])
            _note(self._report, removed)

    def _first(self) -> Segment | None:
        """The first segment of the selection. LakeError for a certificate that is none."""
        selection = self._settings.selection
        for place in within(self._places, selection.start_ns, selection.end_ns):
            segment = place.load()
            if segment.stream_ns is not None and segment.stream_ns[0] >= selection.end_ns:
                return None
            if segment.stream_ns is None or segment.stream_ns[1] >= selection.start_ns:
                return segment
        return None

    def _build_plan(self, plan: RowPlan, first: Segment) -> _Safe | None:
        settings, selection = self._settings, self._settings.selection
        parameters = parameters_of(settings.config, plan)
        wanted = describe(plan, parameters, first, selection)
        work = open_work(settings, wanted, first)
        if not work.claim():
            if work.is_done:
                return _Safe(work, work.position)
            own = work.description
            self._report.built.append(
                Built(ring=own.ring, generation=own.generation, source_generation=own.source_generation, state="busy")
            )
            return None
        try:
            task = Task(
                parameters=parameters,
                wants=_both(wants_of(plan), selection),
                asks=selection.wants,
                is_whole=not selection.is_part or parameters.mode == "external" or parameters.max_row_latency_ns > 0,
                limit_ns=_limit(selection, parameters.resolved_hold_back_ns() + _LATENCY_NS),
            )
            builder = Builder(settings, work, task, self._versions())
            self._report.built.append(builder.built)
            position = builder.run(self._places, is_over=self._is_over(first))
            return _Safe(work, position)
        finally:
            work.release()

    def _versions(self) -> Versions:
        versions = Versions(self._exchange)
        versions.learn_registry(self._settings.data / "state" / "instruments" / f"{self._exchange}.jsonl")
        return versions

    def _is_over(self, first: Segment) -> bool:
        """Whether nothing can follow: the stream of a replay or import, all of it sealed and chosen."""
        return bool(first.meta.get("ends")) and not self._is_open and self._settings.selection.end_ns >= FOREVER


def _note(report: Report, removed: removal.Removed) -> None:
    report.removed_segments += removed.segments
    report.removed_bytes += removed.bytes
    report.errors += removed.problems


def _limit(selection: Selection, more_ns: int) -> int:
    return FOREVER if selection.end_ns >= FOREVER else selection.end_ns + more_ns


def _both(planned: Callable[[Instrument], bool] | None, selection: Selection) -> Callable[[Instrument], bool] | None:
    """Whose rows: the plan's choice and the selection's."""
    if not selection.is_part:
        return planned
    return lambda instrument: selection.wants(instrument) and (planned is None or planned(instrument))
