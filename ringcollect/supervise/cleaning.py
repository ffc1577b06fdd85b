"""What dead processes leave in the runtime folder, and taking it away.

Nothing of the living goes, whenever they start: the supervisor's lock is held meanwhile, so that no supervisor starts
write its files, and the producers' gate, so that none builds a ring or takes one over. Under both, a ring whose lock is
free is of the dead. The two lock files themselves stay: whoever removes a lock file lets two processes hold it.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

import msgspec

from ringcollect.errors import EnvironmentRefused, NotFoundError, RingError
from ringcollect.observe.process_table import TABLE_FILE
from ringcollect.observe.snapshot import STATE_FILE
from ringcollect.ring import control, layout
from ringcollect.ring.mapping import is_locked
from ringcollect.ring.paths import OPEN_LOCK, UNDRAINED, check_name
from ringcollect.store.writer_state import STATE_FILE as JOURNAL_STATE_FILE
from ringcollect.supervise.lock import SupervisorLock

_HALF_BUILT = re.compile(r"(?P<name>.+)\.(ring|ctl)\.\d+\.new")
_STATES = (TABLE_FILE, STATE_FILE, JOURNAL_STATE_FILE)
_HALF_WRITTEN = re.compile(rf"\.({'|'.join(map(re.escape, _STATES))})\.\d+(\.new)?")
_CHECKPOINT = re.compile(r"(?P<name>.+)\.ckpt\.[01]")


class Cleaned(msgspec.Struct, frozen=True, kw_only=True):
    """Names of files removed and of rings kept; ``bytes`` is what that freed."""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    bytes: int = 0


def clean(runtime: Path, *, dry_run: bool = False) -> Cleaned:
    """Remove rings without a producer and, if none has one, the tables, states and checkpoints beside them.

    While a supervisor runs nothing is touched: a ring whose feed is just being restarted is not of the dead. Raises
    EnvironmentRefused for files that this user may not remove.
    """
    if not runtime.is_dir():
        return Cleaned()
    try:
        lock = SupervisorLock(runtime)
    except EnvironmentRefused:
        return Cleaned(kept=tuple(path.name for path in _rings(runtime)))
    try:
        return _clean(runtime, dry_run)
    finally:
        lock.release()


def _clean(runtime: Path, dry_run: bool) -> Cleaned:
    gate = os.open(runtime / OPEN_LOCK, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX)
        rings = _rings(runtime)
        kept = [ring for ring in rings if _is_alive(ring)]
        doomed = [ring for ring in rings if ring not in kept]
        doomed += [path for path in _controls(runtime) if path.with_suffix(".ring") in doomed or _is_orphan(path)]
        doomed += [path for path in runtime.iterdir() if _named_like(path, _HALF_BUILT)]
        doomed += [*_rings(runtime / UNDRAINED), *_controls(runtime / UNDRAINED)]
        if not kept:
            doomed += _states(runtime)
        freed = sum(path.stat().st_size for path in doomed)
        if not dry_run:
            for path in doomed:
                _remove(path)
    finally:
        os.close(gate)
    names = sorted(path.name for path in doomed)
    return Cleaned(removed=tuple(names), kept=tuple(path.name for path in kept), bytes=freed)


def _rings(runtime: Path) -> list[Path]:
    """Rings, by name: files named like one that begin like one."""
    return [path for path in sorted(runtime.glob("*.ring")) if _is_ours(path, layout.MAGIC)]


def _controls(runtime: Path) -> list[Path]:
    return [path for path in sorted(runtime.glob("*.ctl")) if _is_ours(path, control.MAGIC)]


def _is_ours(path: Path, magic: bytes) -> bool:
    if not _is_name(path.stem):
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:  # not a file, gone, or of another user: not ours to judge
        return False


def _is_name(name: str) -> bool:
    try:
        check_name(name)
    except RingError:
        return False
    return True


def _is_alive(ring: Path) -> bool:
    try:
        return is_locked(ring)
    except NotFoundError:
        return False


def _is_orphan(path: Path) -> bool:
    """True for the control file of a ring that is not there: its producer died while building."""
    return not os.path.lexists(path.with_suffix(".ring"))


def _named_like(path: Path, pattern: re.Pattern[str]) -> bool:
    found = pattern.fullmatch(path.name)
    return found is not None and _is_name(found["name"]) and path.is_file()


def _states(runtime: Path) -> list[Path]:
    """Everything else of ours, once no ring lives."""
    named = [runtime / name for name in _STATES]
    temporary = [path for path in runtime.iterdir() if _HALF_WRITTEN.fullmatch(path.name)]
    checkpoints = [path for path in runtime.iterdir() if _named_like(path, _CHECKPOINT)]
    return [path for path in (*named, *temporary, *checkpoints) if path.is_file()]


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentRefused(f"cannot remove {path} (uid {os.getuid()}): {error.strerror}") from error
