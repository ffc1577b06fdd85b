"""A small lake to archive, and what an archive must hold of it, told without the code that archives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ringcollect.store.archive.keys import Keys
from ringcollect.store.archive.marks import Watch
from ringcollect.store.archive.send import Sent, send
from ringcollect.store.archive.settings import Target
from ringcollect.store.location import Lake
from ringcollect.store.rotation import Policy
from tests import synthetic
from tests.store import lake

MARKS = (".archived", ".removed", ".removing")


def make(folder: Path, seconds: int = 400) -> Path:
    """A lake of a few segments of two kinds of files; returns its folder."""
    whole = synthetic.stream(seconds)
    kept = whole[(whole["instrument"] == 0) & np.isin(whole["kind"], (4, 5))]
    kept["seq"] = np.arange(len(kept))
    return lake.make_lake(folder, kept, chunk=20, policy=Policy(time_ns=60_000_000_000, records=60))


def target(archive: Path | str, layout: str = "hive", server: str = "") -> Target:
    """The archive in a folder or bucket."""
    return Target(str(archive), keys=Keys(layout, server))


def silent(_key: str, _bytes: int) -> None:
    """Nobody watches."""


def send_all(
    data: Path, where: Target, *, remove: bool = False, tell: Callable[[str, int], None] = silent
) -> list[Sent]:
    """Every waiting segment, as the archiver does it."""
    to: Lake = where.open()
    return [
        send(data, pending.certificate, where, to, remove=remove, tell=tell)
        for pending in Watch(data, where.mark, removes=remove).look()
    ]


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a lake in a folder by its path; without journals, state and marks."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.name.startswith(".")
        and path.suffix not in MARKS
        and path.relative_to(folder).parts[0] not in ("journal", "state")
    }
