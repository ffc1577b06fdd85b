"""Which build goes on with what is asked for: the one in the folder, or a new one; never a second one beside it."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import msgspec

from ringcollect.config import RowPlan
from ringcollect.errors import ConfigError
from ringcollect.sources.offline.segments import Segment
from ringcollect.sources.offline.settings import Settings
from ringcollect.sources.offline.work import Description, Work, builds, find
from ringcollect.store.cursor import journal_files
from ringcollect.store.naming import folder_value, parse_journal_stem
from ringcollect.store.selection import Selection, may_share
from ringcollect.sync.bar_ring import bar_ring_name
from ringcollect.sync.row_ring import row_meta, row_ring_name
from ringcollect.sync.settings import Parameters


def describe(plan: RowPlan, parameters: Parameters, first: Segment, selection: Selection) -> Description:
    """A build of ``plan`` that begins at ``first``.

    Rows of all instruments from the very beginning have the generation of their records, as live; others have one of
    their own, a function of where they begin and of the choice.
    """
    ring = row_ring_name(first.exchange, plan.grid)
    meta = row_meta(first.exchange, plan.grid, parameters, first.ring, first.generation, plan.selection())
    filters = selection.filters()
    is_beginning = first.seq_from == first.first_seq and not selection.start_ns
    generation = first.generation
    if not is_beginning:
        generation = max(generation + 1, first.stream_ns[0] if first.stream_ns else 0)
    if filters:
        meta["filters"] = filters
        generation += 1 + zlib.crc32(json.dumps(filters, sort_keys=True).encode()) % 1_000_000_000
    return Description(
        ring=ring,
        exchange=first.exchange,
        source_generation=first.generation,
        generation=generation,
        origin=first.seq_from,
        start_ns=selection.start_ns,
        filters=filters,
        parameters=json.loads(msgspec.json.encode(parameters)),
        meta=meta,
        bars=[bar_ring_name(first.exchange, bar, plan.own_grid) for bar in parameters.bars],
    )


def open_work(settings: Settings, wanted: Description, first: Segment) -> Work:
    """The build in ``settings.out`` that goes on with ``wanted``, or a new one. ConfigError if others bar it."""
    out = settings.out
    for work in find(out, wanted.ring, wanted.source_generation):
        own = work.description
        if own.filters == wanted.filters:
            _check_same(out, work, wanted, first)
            return work
        if may_share(own.filters, wanted.filters):
            raise ConfigError(
                f"{out} has rows of {own.ring} for {_named(own.filters)}; {_named(wanted.filters)} would be there "
                "twice: give another --out"
            )
    _check_foreign(out, wanted)
    return Work.create(out, wanted, sync=settings.sync)


def _check_same(out: Path, work: Work, wanted: Description, first: Segment) -> None:
    own = work.description
    different = sorted(_different(own.meta, wanted.meta) | _different(own.parameters, wanted.parameters))
    if different:
        raise ConfigError(
            f"{out} has rows of {own.ring} made with other settings ({', '.join(different)}): give another --out, or "
            "the settings they were made with"
        )
    if first.seq_from < own.origin:
        raise ConfigError(
            f"{out} has rows of {own.ring} from record {own.origin} on; those before it need another --out"
        )
    if first.seq_from > work.position:
        raise ConfigError(
            f"{out} has rows of {own.ring} up to record {work.position} and the selection begins at record "
            f"{first.seq_from}: an earlier --start closes the gap, or give another --out"
        )


def _different(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def _check_foreign(out: Path, wanted: Description) -> None:
    """ConfigError if ``out`` holds rows of this ring that no build made: those of a live collector or a replay."""
    ours = {path.name for path in builds(out).glob(f"{wanted.ring}-*")}
    folder = out / "certificates" / f"exchange={folder_value(wanted.exchange)}"
    found = [parse_journal_stem(path.stem) for path in folder.glob(f"date=*/{wanted.ring}-*.json")]
    found += [(file.ring, file.generation, file.seq_from) for file in journal_files(out) if file.ring == wanted.ring]
    if any(f"{parts[0]}-{parts[1]}" not in ours for parts in found if parts is not None):
        raise ConfigError(f"{out} has rows of {wanted.ring} that were collected live: give another --out")


def _named(filters: dict[str, Any]) -> str:
    return ", ".join(f"{key} {' '.join(names)}" for key, names in filters.items()) or "all instruments"
