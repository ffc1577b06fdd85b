"""One run of rows that goes on and on: which settings and records made it, how far it is, and who is at it now.

It is a folder ``state/builds/<row ring>-<generation>`` beside the rows: a description, two checkpoints written in turn,
and one token whose name says how far the build is and whether somebody works on it. Whoever renames the token from
``.free`` to ``.taken`` builds; nobody else does.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ringcollect.errors import LakeError
from ringcollect.failpoints import fail
from ringcollect.store.durable import fsync_file, fsync_folder, make_folders
from ringcollect.sync import checkpoint
from ringcollect.sync.snapshot_ring import snapshot_ring_name

FREE, TAKEN, DONE = ".free", ".taken", ".done"
_DESCRIPTION = "build.json"
_STATE = "state"


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What decides the rows of a build. ``meta`` is the row ring's own description, ``filters`` the instruments.

    ``parameters`` is everything the engine is told, as JSON has it: what no row ring says of itself, too. ``bars`` are
    the names of the rings of bars.
    """

    ring: str
    exchange: str
    source_generation: int
    generation: int
    origin: int
    start_ns: int
    filters: dict[str, Any]
    parameters: dict[str, Any]
    meta: dict[str, Any]
    bars: list[str] = []


class Work:
    """A build in its folder. Only who holds its token (:meth:`claim`) may do anything but look."""

    def __init__(self, folder: Path, description: Description) -> None:
        self.folder = folder
        self.description = description
        self._number = 0
        self._fd = -1
        self._token: Path | None = None

    @classmethod
    def create(cls, out: Path, description: Description, *, sync: bool) -> Work:
        """Begin a build; one that another process began meanwhile is the same one."""
        folder = builds(out) / f"{description.ring}-{description.generation}"
        make_folders(folder.parent, sync=sync)
        temporary = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}")
        temporary.mkdir()
        (temporary / _DESCRIPTION).write_bytes(msgspec.json.encode(description))
        (temporary / _name(description.origin, FREE)).touch()
        fail("build.before_begin")
        try:
            temporary.rename(folder)
        except OSError:
            for path in temporary.iterdir():
                path.unlink()
            temporary.rmdir()
            if not (folder / _DESCRIPTION).is_file():
                raise
        if sync:
            fsync_folder(folder.parent)
        return cls(folder, description)

    @property
    def position(self) -> int:
        """The record that comes next, told by the token; of a build that is being worked on where it was last."""
        return _position(self._find())

    @property
    def is_done(self) -> bool:
        """The stream ended and its last rows are out."""
        return self._find().suffix == DONE

    def claim(self) -> bool:
        """Take the token; False if another process has it. One whose holder died is free."""
        while True:
            path = self._find()
            if path.suffix == DONE:
                return False
            try:
                fd = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue  # renamed while we looked
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                return False
            taken = path.with_suffix(TAKEN)
            try:
                path.rename(taken)
            except FileNotFoundError:  # its holder moved it on and let it go between our two steps
                os.close(fd)
                continue
            self._fd, self._token = fd, taken
            fail("build.after_claim")
            return True

    def advance(self, position: int, suffix: str = TAKEN) -> None:
        """Everything before ``position`` is built."""
        assert self._token is not None
        moved = self.folder / _name(position, suffix)
        self._token.rename(moved)
        self._token = moved

    def release(self) -> None:
        """Let others go on."""
        if self._token is not None:
            if self._token.suffix == TAKEN:
                self._token.rename(self._token.with_suffix(FREE))
            self._token = None
            os.close(self._fd)
            self._fd = -1

    def save(
        self, position: int, rows: int, snapshots: int, bars: Sequence[int], state: dict[str, np.ndarray], *, sync: bool
    ) -> None:
        """Keep the state after the records before ``position``, by which so many rows, snapshot records and bars of
        each kind had come."""
        self._number += 1
        own = self.description
        kept = checkpoint.Checkpoint(
            self._number, own.source_generation, own.generation, position, rows, state,
            own.generation if snapshots else 0, snapshots,
            bar_generations=(own.generation,) * len(bars), bars=tuple(bars),
        )  # fmt: skip
        checkpoint.save(self.folder, _STATE, kept)
        if sync:
            fsync_file(checkpoint.paths(self.folder, _STATE)[self._number % 2])
            fsync_folder(self.folder)

    def load(self) -> checkpoint.Checkpoint | None:
        """The newest whole state; None if there is none."""
        found = checkpoint.load(self.folder, _STATE)
        if found is not None:
            self._number = found.number
        return found

    def _find(self) -> Path:
        if self._token is not None:
            return self._token
        for _ in range(1000):  # a rename can hide the token from one listing
            for path in self.folder.glob("at-*"):
                if path.suffix in (FREE, TAKEN, DONE):
                    return path
        raise LakeError(f"{self.folder}: its token at-*{FREE} is gone; delete the folder and its rows to build anew")


def snapshots_of(ring: str) -> str:
    """``binance.100ms.sync`` of ``binance.100ms.row``: the ring of the snapshots that belong to the rows."""
    exchange, grid, _ = ring.split(".")
    return snapshot_ring_name(exchange, grid)


def builds(out: Path) -> Path:
    """Where the builds of a folder of rows are kept."""
    return out / "state" / "builds"


def find(out: Path, ring: str, source_generation: int) -> list[Work]:
    """The builds of ``ring`` from one generation of records, in the order of where they begin."""
    found = []
    for path in builds(out).glob(f"{ring}-*/{_DESCRIPTION}"):
        try:
            description = msgspec.json.decode(path.read_bytes(), type=Description)
        except msgspec.MsgspecError as error:
            raise LakeError(f"{path}: is no description of a build: {error}") from error
        if description.source_generation == source_generation:
            found.append(Work(path.parent, description))
    return sorted(found, key=lambda work: work.description.origin)


def _name(position: int, suffix: str) -> str:
    return f"at-{position:019d}{suffix}"


def _position(path: Path) -> int:
    return int(path.stem.removeprefix("at-"))
