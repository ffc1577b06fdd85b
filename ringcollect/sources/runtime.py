"""A folder for one source's rings, gone afterwards, also when an earlier source was killed before it could tidy up."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ringcollect.errors import NotFoundError
from ringcollect.ring.mapping import is_locked

PREFIX = "ringcollect-source-"
_NEEDED_BYTES = 128 << 20
_SHARED_MEMORY = Path("/dev/shm")


@contextlib.contextmanager
def private_runtime() -> Iterator[Path]:
    """A new folder in shared memory where that has room (a container's may be 64 MB), else in the temporary folder."""
    base = _base()
    _remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _base() -> Path:
    if _SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK):
        space = os.statvfs(_SHARED_MEMORY)
        if space.f_bavail * space.f_frsize >= _NEEDED_BYTES:
            return _SHARED_MEMORY
    return Path(tempfile.gettempdir())


def _remove_abandoned(base: Path) -> None:
    """Folders of ours with rings that nobody holds: their process is dead."""
    for folder in base.glob(f"{PREFIX}*"):
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
            continue
        rings = list(folder.glob("*.ring"))
        with contextlib.suppress(NotFoundError, FileNotFoundError):  # it is being removed by its owner right now
            if rings and not any(is_locked(ring) for ring in rings):
                shutil.rmtree(folder, ignore_errors=True)
