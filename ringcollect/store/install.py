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
    certificates = sorted((beside / "certificates").rglob("*.json"))
    planned = [_plan(beside, lake, path) for path in certificates]
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


def _plan(beside: Path, lake: Lake, path: Path) -> _Plan:
    key = path.relative_to(beside).as_posix()
    content = json.loads(path.read_bytes())
    there = _same_or_refuse(lake, key, content)
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


def _same_or_refuse(lake: Lake, key: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """The lake's certificate of these positions if it says the same; LakeError if it says something else."""
    folder = key.rpartition("/")[0]
    own = (content["ring"], content["generation"], content["seq_from"])
    for entry in lake.files(folder.rpartition("/")[0]):
        parts = parse_journal_stem(entry.key.rpartition("/")[2].removesuffix(".json"))
        if not entry.key.endswith(".json") or parts is None or parts[:2] != own[:2] or parts[2] >= content["seq_to"]:
            continue
        other = json.loads(lake.read(entry.key))
        if other["seq_to"] <= content["seq_from"]:
            continue
        if parts != own or other["claims"] != content["claims"] or other["seq_to"] != content["seq_to"]:
            raise LakeError(
                f"{lake} has other records {parts[2]} to {other['seq_to'] - 1} of generation {own[1]} of {own[0]}: "
                "leave out generation and seq to have the rows numbered anew"
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
