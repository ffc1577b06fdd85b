"""Sealed files and certificates that were made beside a lake take their place in it: data first, then what names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ringcollect.errors import LakeError
from ringcollect.store import parquet
from ringcollect.store.location import PIECE_BYTES, Lake
from ringcollect.store.naming import parse_journal_stem
from ringcollect.store.seal import sign


class Installed(NamedTuple):
    """What is in the lake now, relative to it, and how many bytes of data that is."""

    files: list[str]
    certificates: list[str]
    bytes: int


def install(beside: Path, lake: Lake) -> Installed:
    """Copy every file that the certificates in ``beside`` name, then the certificates.

    What the lake has already, byte for byte, is left; a name that other rows have gets a suffix. LakeError, and
    nothing is copied, if the lake has other records at the same positions.
    """
    known = _Known(lake)
    planned = [_plan(beside, lake, path, known) for path in sorted((beside / "certificates").rglob("*.json"))]
    done = Installed([], [], 0)
    total = 0
    for plan in planned:
        for source, target in plan.moves:
            total += (beside / source).stat().st_size
            if not plan.is_there and not _has(lake, target, beside / source):
                lake.write_pieces(target, _pieces(beside / source))
            done.files.append(target)
        if not plan.is_there:
            lake.write(plan.key, plan.content)
        done.certificates.append(plan.key)
    return done._replace(bytes=total)


class _Plan(NamedTuple):
    """A certificate as it will be, and (source, name in the lake) of its files. ``is_there``: the lake has it."""

    key: str
    content: bytes
    moves: list[tuple[str, str]]
    is_there: bool


def _plan(beside: Path, lake: Lake, path: Path, known: _Known) -> _Plan:
    key = path.relative_to(beside).as_posix()
    content = json.loads(path.read_bytes())
    there = _same_or_refuse(known, key, content)
    if there is not None:  # its files may be in merged ones meanwhile
        names = [entry["path"] for entry in there["files"]]
        sources = [entry["path"] for entry in content["files"]]
        return _Plan(key, b"", list(zip(sources, names, strict=True)), True)
    moves = []
    for entry in content["files"]:
        target = _free(lake, entry["path"], content, beside / entry["path"])
        moves.append((entry["path"], target))
        entry["path"] = target
    del content["sha256"]
    return _Plan(key, sign(content), moves, False)


class _Known:
    """The certificates of a lake by ring and generation, listed once per exchange."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._listed: dict[str, dict[tuple[str, int], list[tuple[int, str]]]] = {}

    def of(self, exchange_folder: str, ring: str, generation: int) -> list[tuple[int, str]]:
        """(seq_from, key) of each."""
        if exchange_folder not in self._listed:
            found: dict[tuple[str, int], list[tuple[int, str]]] = {}
            for entry in self.lake.files(exchange_folder):
                parts = parse_journal_stem(entry.key.rpartition("/")[2].removesuffix(".json"))
                if entry.key.endswith(".json") and parts is not None:
                    found.setdefault(parts[:2], []).append((parts[2], entry.key))
            self._listed[exchange_folder] = found
        return sorted(self._listed[exchange_folder].get((ring, generation), []))


def _same_or_refuse(known: _Known, key: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """The lake's certificate of these positions if it says the same; LakeError if it says something else."""
    ring, generation, seq_from, seq_to = (content[name] for name in ("ring", "generation", "seq_from", "seq_to"))
    of_exchange = key.rpartition("/")[0].rpartition("/")[0]
    there = [(start, other) for start, other in known.of(of_exchange, ring, generation) if start < seq_to]
    before = max((start for start, _ in there if start < seq_from), default=-1)
    for start, other_key in there:
        if start < before:
            continue  # what is before its neighbour ends before it, too
        other = json.loads(known.lake.read(other_key))
        if other["seq_to"] <= seq_from:
            continue
        if start != seq_from or other["claims"] != content["claims"] or other["seq_to"] != seq_to:
            raise LakeError(
                f"{known.lake} has other records {start} to {other['seq_to'] - 1} of {ring}, generation {generation}: "
                "written rows are numbered anew without their generation and seq, built ones need another --out"
            )
        return dict(other)
    return None


def _free(lake: Lake, key: str, content: dict[str, Any], source: Path) -> str:
    """The name for a file: its own, or with a suffix where other rows have it."""
    stem = key.removesuffix(".parquet")
    suffix = f"-{content['seq_from']}-{content['generation']}"
    plain = stem.removesuffix(f"-{content['seq_from']}")
    for name in (key, f"{plain}{suffix}.parquet", *(f"{plain}{suffix}-{n}.parquet" for n in range(1, 100))):
        if not lake.exists(name) or _has(lake, name, source):
            return name
    raise LakeError(f"{lake}: no free name for {key}")


def _has(lake: Lake, key: str, source: Path) -> bool:
    """Whether the lake's file has the same identity, which makes it the same bytes, but for another pyarrow."""
    known = lake.stat(key)
    if known is None:
        return False
    try:
        with lake.open_file(key) as opened:
            theirs = parquet.metadata_of(parquet.open_file(opened))
        ours = parquet.metadata_of(parquet.open_file(source))
    except LakeError:
        return False
    return theirs.get("identity") == ours.get("identity") and known.bytes == source.stat().st_size


def _pieces(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
