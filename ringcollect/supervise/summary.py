"""What a run came to: counted since its own start, with everything that is not well as one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ringcollect.observe.rings import RingReport
from ringcollect.observe.snapshot import ProcessReport, Snapshot
from ringcollect.observe.text import columns, size, span
from ringcollect.store.writer_state import STATE_FILE as WRITER_STATE_FILE
from ringcollect.supervise.run import Outcome


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal process says it sealed, since it started; ``failures`` were tried again. ``error`` is why the
    last try failed, empty if it did not; ``unsealed`` journals with records are left to the next start."""

    journals: int = 0
    files: int = 0
    rows: int = 0
    bytes: int = 0
    failures: int = 0
    error: str = ""
    unsealed: int = 0


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One run. ``lost`` is by ``ring for reader``, ``published`` records or rows by ring, memory in bytes."""

    seconds: float
    exit_code: int
    frames: int
    frame_fates: dict[str, int]
    published: dict[str, int]
    lost: dict[str, int]
    gaps: int
    written: Written
    processes: tuple[ProcessReport, ...]
    pss_sum: int
    ring_pss_sum: int
    restarts: dict[str, int]
    problems: tuple[str, ...]
    data: str


FATES = ("decoded", "control", "ignored", "rejected")


def summarize(outcome: Outcome) -> Summary:
    """The run's numbers, and its problems (empty: nothing was lost)."""
    begin, final = outcome.begin, outcome.final
    grown = {ring.name: _since(ring, begin) for ring in final.rings}
    feeds = [ring for ring in final.rings if "frames_in" in ring.counters]
    fates = {fate: sum(_counter(ring, begin, fate) for ring in feeds) for fate in FATES}
    frames = sum(_counter(ring, begin, "frames_in") for ring in feeds)
    lost = {
        f"{ring.name} for {consumer.name}": consumer.lost - _lost_before(ring, consumer.name, begin)
        for ring in final.rings
        for consumer in ring.consumers
    }
    gaps = sum(_counter(ring, begin, name) for ring in feeds for name in ("seq_gaps", "trade_gaps"))
    written = read_written(Path(final.runtime))
    left = {
        f"{ring.name} for {consumer.name}": consumer.lag
        for ring in final.rings
        for consumer in ring.consumers
        if consumer.name == "journal" and consumer.lag
    }
    problems = [f"{count:,} records lost: {where}" for where, count in lost.items() if count]
    problems += [f"{count:,} records still in memory: {where}" for where, count in left.items()]
    problems += [f"killed past its stop budget: {name}" for name in outcome.killed]
    if frames != sum(fates.values()):
        problems.append(f"{frames:,} frames in, but {sum(fates.values()):,} accounted for")
    if fates["rejected"]:
        problems.append(f"{fates['rejected']:,} frames rejected (kept in rejects/)")
    if gaps:
        problems.append(f"{gaps:,} gaps in what the exchange sent us")
    problems += [
        f"{name} was restarted {times} times: what the exchange sent meanwhile is missing"
        for name, times in outcome.restarts.items()
        if name.startswith("feed-")  # the others lose nothing: the rings hold it
    ]
    if written.error and written.unsealed:
        problems.append(
            f"{written.unsealed} journals could not be sealed ({written.error}): the next start tries again"
        )
    archive = final.archive
    if archive is not None and archive.error and archive.waiting_segments:
        problems.append(
            f"{archive.waiting_segments:,} segments could not be archived ({archive.error}): the next start tries again"
        )
    return Summary(
        seconds=(final.at_ns - final.started_ns) / 1e9,
        exit_code=outcome.exit_code or (1 if problems else 0),
        frames=frames,
        frame_fates=fates,
        published=grown,
        lost=lost,
        gaps=gaps,
        written=written,
        processes=outcome.running.processes,
        pss_sum=outcome.running.pss_sum,
        ring_pss_sum=outcome.running.ring_pss_sum,
        restarts=outcome.restarts,
        problems=tuple(problems),
        data=final.data,
    )


def read_written(runtime: Path) -> Written:
    """The journal process's last word on what it sealed; zeros if there is none."""
    try:
        said: Any = msgspec.json.decode((runtime / WRITER_STATE_FILE).read_bytes())
        unsealed = said.get("unsealed", {}).get("count", 0)
        return msgspec.convert(said.get("sealed", {}) | {"unsealed": unsealed}, Written)
    except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
        return Written()


def lines(summary: Summary) -> list[str]:
    """For a terminal or a log; the problems last."""
    fates = ", ".join(f"{count:,} {fate}" for fate, count in summary.frame_fates.items())
    written = summary.written
    out = [
        f"ran {span(summary.seconds)}",
        f"frames in     {summary.frames:,} = {fates}",
    ]
    out += [f"published     {count:,} in {ring}" for ring, count in summary.published.items()]
    out.append(
        f"written       {written.rows:,} rows in {written.files} files, {written.bytes / 1e6:.1f} MB, "
        f"from {written.journals} journals"
    )
    if written.failures:
        out.append(f"sealing       failed {written.failures} times and was tried again")
    if written.unsealed:
        out.append(f"not sealed    {written.unsealed} journals: the next start seals them, nothing of them is lost")
    out += [f"lost          {count:,} of {where}" for where, count in summary.lost.items()]
    out.append(f"gaps          {summary.gaps:,}")
    out += [f"restarts      {times} of {name}" for name, times in summary.restarts.items()]
    out += ["", columns(["memory", "PSS MB", "rings MB"], [*map(_memory, summary.processes), _memory_sum(summary)]), ""]
    out += [f"PROBLEM: {problem}" for problem in summary.problems]
    return out


def _memory(process: ProcessReport) -> list[str]:
    return [process.name if process.counted else f"({process.name})", size(process.pss), size(process.ring_pss)]


def _memory_sum(summary: Summary) -> list[str]:
    return ["sum", size(summary.pss_sum), size(summary.ring_pss_sum)]


def _before(ring: RingReport, begin: Snapshot) -> RingReport | None:
    """The same generation of this ring as it was when the run began."""
    return next((old for old in begin.rings if (old.name, old.generation) == (ring.name, ring.generation)), None)


def _since(ring: RingReport, begin: Snapshot) -> int:
    old = _before(ring, begin)
    return ring.head - (old.head if old is not None else 0)


def _counter(ring: RingReport, begin: Snapshot, name: str) -> int:
    """What a counter grew by; one that was set back by a restart of its feed counts from zero."""
    old = _before(ring, begin)
    now = ring.counters.get(name, 0)
    before = old.counters.get(name, 0) if old is not None else 0
    return now - before if now >= before else now


def _lost_before(ring: RingReport, name: str, begin: Snapshot) -> int:
    old = _before(ring, begin)
    return next((consumer.lost for consumer in old.consumers if consumer.name == name), 0) if old is not None else 0
