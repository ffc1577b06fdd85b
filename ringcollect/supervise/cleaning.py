"""What dead processes leave in the runtime folder, and taking it away."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from ringcollect.observe.process_table import TABLE_FILE
from ringcollect.observe.snapshot import STATE_FILE
from ringcollect.observe.status import LOCK_FILE, is_running
from ringcollect.ring.mapping import release, try_lock
from ringcollect.ring.paths import control_path

OPEN_LOCK = ".open.lock"
"""Producers take it while they look for, build or take over a ring (``Producer.open``)."""


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """Names of files removed and of rings kept; ``bytes`` is what that freed."""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    bytes: int = 0


def clean(runtime: Path, *, dry_run: bool = False) -> Cleaned:
    """Remove rings without a producer and, without a supervisor, its table, state and checkpoints.

    Producers are kept out meanwhile, so that none takes a ring over while it is being removed. While a supervisor
    runs its restarting children's rings are not touched at all.
    """
    if not runtime.is_dir():
        return Cleaned()
    rings = sorted(runtime.glob("*.ring"))
    if is_running(runtime):
        return Cleaned(kept=tuple(path.name for path in rings))
    gate = os.open(runtime / OPEN_LOCK, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        dead = [path for path in rings if _is_dead(path)]
        kept = tuple(path.name for path in rings if path not in dead)
        doomed = [path for ring in dead for path in (ring, control_path(ring)) if path.exists()]
        if not kept:
            doomed += _leftovers(runtime)
        freed = sum(path.stat().st_size for path in doomed)
        if not dry_run:
            for path in doomed:
                path.unlink(missing_ok=True)
    finally:
        os.close(gate)
    return Cleaned(removed=tuple(path.name for path in doomed), kept=kept, bytes=freed)


def _is_dead(path: Path) -> bool:
    """True if nobody holds the ring's lock. Taken for real: a starting producer cannot slip in between."""
    fd = os.open(path, os.O_RDWR)
    if try_lock(fd):
        release(fd)
        return True
    os.close(fd)
    return False


def _leftovers(runtime: Path) -> list[Path]:
    """Everything else of ours, once no ring lives."""
    names = [runtime / name for name in (TABLE_FILE, STATE_FILE, LOCK_FILE) if (runtime / name).exists()]
    patterns = ("*.ckpt.[01]", "*.ctl", "*.new", ".*.new", "*.state.json")
    found = {path for pattern in patterns for path in runtime.glob(pattern)} | set(names)
    paired = {control_path(ring) for ring in runtime.glob("*.ring")}
    return sorted(found - paired)
