"""What ``verify`` found, for people and as data."""

from __future__ import annotations

from typing import Any

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing found, and where."""

    place: str
    what: str


class Loss(msgspec.Struct, frozen=True):
    """Records [seq_from, seq_to) of one ring that are in no file, known and written down as lost."""

    ring: str
    generation: int
    seq_from: int
    seq_to: int
    cause: str


class Coverage(msgspec.Struct, frozen=True):
    """What the lake holds of one generation of one ring."""

    ring: str
    generation: int
    seq_from: int
    seq_to: int
    segments: int


class Report(msgspec.Struct):
    """The outcome. ``problems`` are claims that fail, ``notes`` what is worth knowing.

    ``retired_files`` are certified and were removed by retention, with ``retired_records`` in them.
    """

    data: str
    problems: list[Finding] = []
    lost: list[Loss] = []
    notes: list[Finding] = []
    coverage: list[Coverage] = []
    certificates: int = 0
    files: int = 0
    records: int = 0
    bytes: int = 0
    chain_gaps: int = 0
    unsealed_journals: int = 0
    unsealed_records: int = 0
    retired_files: int = 0
    retired_records: int = 0

    @property
    def records_lost(self) -> int:
        """Records known to be lost."""
        return sum(loss.seq_to - loss.seq_from for loss in self.lost)

    @property
    def exit_code(self) -> int:
        """0 good, 1 a claim fails or something was lost, 3 nothing to check."""
        if self.problems or self.lost:
            return 1
        return 0 if self.certificates or self.files or self.unsealed_journals else 3

    def add(self, other: Report) -> None:
        """Take over what ``other`` found elsewhere."""
        for name in ("problems", "lost", "notes", "coverage"):
            getattr(self, name).extend(getattr(other, name))
        for name in self.__struct_fields__:
            if isinstance(getattr(self, name), int):
                setattr(self, name, getattr(self, name) + getattr(other, name))

    def of_server(self, name: str) -> Report:
        """The same, with each place named as one of the collector ``name``'s."""
        for findings in (self.problems, self.notes):
            findings[:] = [Finding(f"server={name}: {finding.place}", finding.what) for finding in findings]
        return self

    def problem(self, place: str, what: str) -> None:
        """A claim that fails."""
        self.problems.append(Finding(place, what))

    def note(self, place: str, what: str) -> None:
        """Not a failure."""
        self.notes.append(Finding(place, what))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, with the totals."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain | {"records_lost": self.records_lost, "exit_code": self.exit_code}

    def lines(self) -> list[str]:
        """For a terminal or a log, worst last."""
        out = [f"note: {note.place}: {note.what}" for note in self.notes]
        for loss in self.lost:
            span = f"records {loss.seq_from} to {loss.seq_to - 1}"
            out.append(f"lost: {loss.ring} generation {loss.generation}: {span} ({loss.cause})")
        if self.retired_files:
            out.append(f"removed by retention: {self.retired_records} records in {self.retired_files} certified files")
        out += [f"problem: {problem.place}: {problem.what}" for problem in self.problems]
        out.append(
            f"{self.certificates} certificates, {self.files} files, {self.records} records, {self.bytes} bytes; "
            f"{self.unsealed_records} records in {self.unsealed_journals} journals not yet sealed; "
            f"{self.records_lost} records lost; {len(self.problems)} problems"
        )
        return out
