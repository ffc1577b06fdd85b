"""The sealed segments of a record ring, found by their certificates: which files, which positions, what was lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.instruments import Instrument
from ringcollect.store.cursor import exchange_of, journal_files
from ringcollect.store.naming import date_of, folder_value, parse_journal_stem

RECORDS = ".rec"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a segment, as its certificate has it."""

    path: str
    rows: int
    tier: str
    table: str
    instrument: int
    claims: dict[str, Any]


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """What building rows needs of a certificate. ``lost``: (from, to, cause); ``stream_ns``: first and last time."""

    ring: str
    exchange: str
    generation: int
    seq_from: int
    seq_to: int
    first_seq: int
    records: int
    lost: list[tuple[int, int, str]]
    stream_ns: tuple[int, int] | None
    meta: dict[str, Any]
    files: list[Entry]
    instruments: list[Instrument]


class Place(NamedTuple):
    """A segment known by the name of its certificate."""

    path: Path
    generation: int
    seq_from: int

    def load(self) -> Segment:
        """The segment. LakeError naming the file if it is no certificate of ours."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Segment)
        except msgspec.MsgspecError as error:
            raise LakeError(f"{self.path}: is not a certificate of records: {error}") from error


def exchanges_of(data: Path, suffix: str = RECORDS) -> list[str]:
    """The exchanges the lake has certificates of, of record rings or others. NotFoundError if there is no lake."""
    folder = data / "certificates"
    if not folder.is_dir():
        raise NotFoundError(f"no sealed segments in {data}: there is no folder certificates/")
    names = {
        exchange_of(path.name) for day in folder.glob("exchange=*/date=*") for path in day.glob(f"*{suffix}-*.json")
    }
    return sorted(names)


def places_of(data: Path, exchange: str, suffix: str = RECORDS) -> dict[int, list[Place]]:
    """By generation, oldest first: the segments of ``<exchange>.rec`` (or another suffix) in ring order."""
    ring = f"{exchange}{suffix}"
    found: dict[int, list[Place]] = {}
    folder = data / "certificates" / f"exchange={folder_value(exchange)}"
    for path in folder.glob(f"date=*/{ring}-*.json"):
        parts = parse_journal_stem(path.stem)
        if parts is not None and parts[0] == ring:
            found.setdefault(parts[1], []).append(Place(path, parts[1], parts[2]))
    return {generation: sorted(found[generation], key=lambda place: place.seq_from) for generation in sorted(found)}


def within(places: list[Place], start_ns: int, end_ns: int) -> list[Place]:
    """Those that may have records of ``[start_ns, end_ns)``: a segment lies in the folder of its one UTC day."""
    first = date_of(max(start_ns, 0))
    last = None if end_ns >= 2**62 else date_of(end_ns)
    return [
        place
        for place in places
        if first <= (day := place.path.parent.name.removeprefix("date=")) and (last is None or day <= last)
    ]


def unsealed(data: Path, exchange: str) -> Iterator[tuple[int, int]]:
    """(generation, seq_from) of the journals of ``<exchange>.rec`` that are not sealed yet."""
    for file in journal_files(data):
        if file.ring == f"{exchange}{RECORDS}":
            yield file.generation, file.seq_from
