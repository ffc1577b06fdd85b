"""``--delete-source``: segments go once their rows were read back and every claim about them was made again.

First a mark beside the certificate says, durably, that they go and where their rows are; then the files go. So a lake
is never short of records without saying so, wherever the process dies.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ringcollect.failpoints import fail
from ringcollect.sources.offline.segments import Place, Segment
from ringcollect.sources.offline.settings import Settings
from ringcollect.sources.offline.work import Description, snapshots_of
from ringcollect.store.compaction.removal import unlink_merged
from ringcollect.store.durable import write_whole
from ringcollect.store.location import Lake
from ringcollect.store.naming import folder_value, parse_journal_stem
from ringcollect.store.removed import begun_mark, end_removal
from ringcollect.store.report import Report
from ringcollect.store.verify_certificates import check_certificate


class Removed(NamedTuple):
    """What went, and why something did not."""

    segments: int
    bytes: int
    problems: list[str]


def remove(settings: Settings, places: Sequence[Place], position: int, rows: Sequence[Description]) -> Removed:
    """Remove the segments of ``places`` that end at or before ``position`` and lie within the selection."""
    selection = settings.selection
    done: list[tuple[Place, Segment]] = []
    for place in places:
        segment = place.load()
        if segment.seq_to > position:
            break
        if segment.stream_ns is not None and (
            segment.stream_ns[0] < selection.start_ns or segment.stream_ns[1] >= selection.end_ns
        ):
            continue
        done.append((place, segment))
    if not done:
        return Removed(0, 0, [])
    problems = _check_rows(settings.out, rows)
    if problems:
        return Removed(0, 0, [*problems, f"{done[0][1].ring}: no segment was removed: its rows are not all good"])
    total = 0
    for place, segment in done:
        total += _remove(settings, place, segment, rows)
    return Removed(len(done), total, [])


def _check_rows(out: Path, rows: Sequence[Description]) -> list[str]:
    """Every claim about the rows, made again from their files."""
    report, lake = Report(str(out)), Lake.open(out)
    for own in rows:
        folder = out / "certificates" / f"exchange={folder_value(own.exchange)}"
        for ring in (own.ring, snapshots_of(own.ring), *own.bars):
            for path in sorted(folder.glob(f"date=*/{ring}-{own.generation}-*.json")):
                if parse_journal_stem(path.stem) is not None:
                    check_certificate(lake, path.relative_to(out).as_posix(), report, strict=True)
    return [f"{problem.place}: {problem.what}" for problem in report.problems]


def _remove(settings: Settings, place: Place, segment: Segment, rows: Sequence[Description]) -> int:
    mark = {
        "ring": segment.ring,
        "generation": segment.generation,
        "seq_from": segment.seq_from,
        "seq_to": segment.seq_to,
        "records": segment.records,
        "rows": [{"ring": own.ring, "generation": own.generation} for own in rows],
        "out": str(settings.out),
    }
    content = json.dumps(mark, sort_keys=True, indent=1).encode()
    write_whole(begun_mark(place.path), content, "build.mark", sync=settings.sync)
    return _unlink(settings.data, place.path, segment)


def go_on(data: Path, places: Sequence[Place]) -> Removed:
    """End the removals that a kill cut short."""
    begun = [place for place in places if begun_mark(place.path).exists()]
    return Removed(len(begun), sum(_unlink(data, place.path, place.load()) for place in begun), [])


def _unlink(data: Path, certificate: Path, segment: Segment) -> int:
    total = 0
    lake = Lake.open(data)
    for entry in segment.files:
        path = data / entry.path
        if path.exists():
            total += path.stat().st_size
            path.unlink()
        else:
            total += unlink_merged(lake, entry.path)
        fail("build.after_unlink")
    end_removal(certificate)
    return total
