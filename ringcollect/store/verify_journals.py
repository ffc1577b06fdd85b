"""Journals under ``verify``: what is in the lake but not sealed yet."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ringcollect.errors import LakeError
from ringcollect.store.cursor import journal_files, journal_folder
from ringcollect.store.journal import Header, Journal, Lost
from ringcollect.store.report import Loss, Report


class Unsealed(NamedTuple):
    """A journal that is not sealed yet, without its content."""

    place: str
    header: Header
    seq_to: int
    rows: int
    lost: list[Lost]
    notes: list[str]
    problems: list[str]

    @property
    def key(self) -> tuple[str, int, int]:
        """(ring, generation, seq_from)."""
        return self.header.ring, self.header.generation, self.header.seq_from

    def add_to(self, report: Report) -> None:
        """Count it and say what is wrong with it. One without records or losses is nothing but a cursor."""
        for what in self.problems:
            report.problem(self.place, what)
        for what in self.notes:
            report.note(self.place, what)
        if self.rows or self.lost:
            report.unsealed_journals += 1
            report.unsealed_records += self.rows
            report.lost += [Loss(self.header.ring, self.header.generation, *lost) for lost in self.lost]


def open_journals(data: Path, report: Report) -> list[Unsealed]:
    """Every journal below the folder ``data``; what cannot be read goes into ``report``."""
    for path in sorted(journal_folder(data).glob("*.damaged")):
        report.problem(path.relative_to(data).as_posix(), "is a journal that could not be read")
    found = []
    for file in journal_files(data):
        place = file.path.relative_to(data).as_posix()
        try:
            journal = Journal.open(file.path)
        except FileNotFoundError:
            continue  # sealed while we looked: its certificate comes next
        except LakeError as error:
            report.problem(place, str(error))
            continue
        problems = [
            f"bytes {bad.at} to {bad.end - 1} are damaged" for bad in journal.damage if bad.end <= journal.good_bytes
        ]
        try:
            for _ in journal.chunks():
                pass
        except LakeError as error:
            problems.append(str(error))
        torn = f"its last {journal.torn_bytes} bytes are no whole frame: being written, or torn by a crash"
        found.append(
            Unsealed(
                place,
                journal.header,
                journal.seq_to,
                journal.rows,
                journal.lost,
                [torn] if journal.torn_bytes else [],
                problems,
            )
        )
    return found
