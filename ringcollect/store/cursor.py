"""Where a ring's journal goes on: found on disk, never in shared memory alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from ringcollect.errors import EnvironmentRefused, LakeError
from ringcollect.store.durable import lock_now
from ringcollect.store.journal import Journal
from ringcollect.store.naming import JOURNAL_SUFFIX, folder_value, parse_journal_stem


class JournalFile(NamedTuple):
    """A journal on disk, known by its name."""

    path: Path
    ring: str
    generation: int
    seq_from: int


class _Reach(msgspec.Struct):
    """The part of a certificate that says how far the ring was sealed."""

    seq_to: int
    first_seq: int


def journal_folder(data: Path) -> Path:
    """Journals that are not sealed yet."""
    return data / "journal"


def journal_files(data: Path) -> list[JournalFile]:
    """All journals in the lake, oldest position first within a ring and generation."""
    found = []
    for path in journal_folder(data).glob(f"*{JOURNAL_SUFFIX}"):
        parts = parse_journal_stem(path.stem)
        if parts is not None:
            found.append(JournalFile(path, *parts))
    return sorted(found, key=lambda f: (f.ring, f.generation, f.seq_from))


def exchange_of(ring: str) -> str:
    """``binance`` of ``binance.100ms.row``."""
    return ring.split(".", 1)[0]


def last_certificate(data: Path, ring: str, generation: int | None, before: int) -> tuple[int, int, int] | None:
    """(generation, seq_to, first_seq) of the newest certificate of ``ring``.

    ``generation`` None asks for the newest generation older than ``before``.
    """
    folder = data / "certificates" / f"exchange={folder_value(exchange_of(ring))}"
    days = sorted((day for day in folder.glob("date=*") if day.is_dir()), reverse=True)
    for day in days:
        found = [
            (parts, path)
            for path in day.glob(f"{ring}-*.json")
            if (parts := parse_journal_stem(path.stem)) is not None
            and parts[0] == ring
            and (parts[1] == generation if generation is not None else parts[1] < before)
        ]
        if found:
            parts, path = max(found)
            try:
                reach = msgspec.json.decode(path.read_bytes(), type=_Reach)
            except msgspec.DecodeError as error:
                raise LakeError(f"{path}: {error}") from error
            return parts[1], reach.seq_to, reach.first_seq
    return None


def previous_generation(data: Path, ring: str, generation: int) -> tuple[int, int] | None:
    """(generation, seq_to) where the ring's last generation before this one ended in this lake."""
    candidates = []
    sealed = last_certificate(data, ring, None, generation)
    if sealed is not None:
        candidates.append(sealed[:2])
    for file in journal_files(data):
        if file.ring == ring and file.generation < generation:
            journal = readable(file.path)
            if journal is not None:
                candidates.append((file.generation, journal.seq_to))
    return max(candidates, default=None)


def readable(path: Path) -> Journal | None:
    """The journal, or None if it vanished meanwhile or is none."""
    try:
        return Journal.open(path)
    except (FileNotFoundError, LakeError):
        return None


def left_behind(data: Path, current: set[Path]) -> list[Path]:
    """Journals with records or losses that no living writer holds, oldest first; without those in ``current``."""
    found = []
    for file in journal_files(data):
        if file.path in current or not is_free(file.path):
            continue
        try:
            if not Journal.open(file.path).empty:
                found.append(file.path)
        except FileNotFoundError:
            continue
        except LakeError:
            found.append(file.path)  # the sealer sets it aside and says why
    return found


def is_free(path: Path) -> bool:
    """True if no living process writes or seals the journal."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        lock_now(fd, path)
    except EnvironmentRefused:
        return False
    finally:
        os.close(fd)
    return True


def empty_predecessors(data: Path, ring: str, generation: int) -> Iterator[Path]:
    """Journals of older generations that hold nothing but their place: the new generation's header now says it."""
    for file in journal_files(data):
        if file.ring == ring and file.generation < generation:
            journal = readable(file.path)
            if journal is not None and journal.empty:
                yield file.path
