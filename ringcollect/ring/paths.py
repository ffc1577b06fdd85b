"""Where rings live: a tmpfs folder per user on Linux, an ordinary folder elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ringcollect.errors import EnvironmentRefused, RingError
from ringcollect.runtime import runtime_dir

__all__ = [
    "check_name",
    "control_path",
    "ensure_runtime_dir",
    "half_built",
    "ring_path",
    "runtime_dir",
    "undrained_path",
    "undrained_rings",
]

UNDRAINED = "undrained"
"""Folder, beside the rings, of those that were replaced before their journal had all of them."""
OPEN_LOCK = ".open.lock"
"""Producers take it while they look for, build or take over a ring; ``clean`` takes it to keep them out meanwhile."""
_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")


def ensure_runtime_dir(folder: Path) -> Path:
    """Create ``folder`` with mode 0750; raises EnvironmentRefused if that, or writing there, is refused."""
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentRefused(f"cannot create the runtime folder {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EnvironmentRefused(f"the runtime folder {folder} is not writable by uid {os.getuid()}")
    return folder


def ring_path(folder: Path, name: str) -> Path:
    """``<folder>/<name>.ring``; the name is ``<exchange>.<what>``, lower case."""
    check_name(name)
    return folder / f"{name}.ring"


def control_path(ring: Path) -> Path:
    """The control file beside a ring file."""
    return ring.with_suffix(".ctl")


def undrained_path(ring: Path, generation: int) -> Path:
    """Where a replaced ring waits for its journal, with its control file."""
    return ring.parent / UNDRAINED / f"{ring.stem}.{generation}.ring"


def undrained_rings(folder: Path) -> list[Path]:
    """Every ring of a runtime folder that waits for its journal, those of one name by generation."""
    found = [path for path in (folder / UNDRAINED).glob("*.ring") if path.stem.rpartition(".")[2].isdigit()]
    return sorted(found, key=lambda path: (path.stem.rpartition(".")[0], int(path.stem.rpartition(".")[2])))


def under_construction(path: Path) -> Path:
    """The temporary name of a ring or control file that this process builds."""
    return path.with_name(f"{path.name}.{os.getpid()}.new")


def half_built(ring: Path) -> list[Path]:
    """Temporary files of this ring, by whomever. Under ``OPEN_LOCK`` nobody is building, so they are of the dead."""
    names = (ring.name, control_path(ring).name)
    return sorted(path for name in names for path in ring.parent.glob(f"{name}.*.new"))


def check_name(name: str) -> None:
    """Refuse ring names that could leave the runtime folder."""
    if not _NAME.fullmatch(name) or len(name) > 100:
        raise RingError(f"{name!r} is not a ring name (like binance.rec or binance.100ms.row)")
