"""Where compiled kernels are kept, known without importing numba: the supervisor asks before anything is compiled.

numba stamps a cached function with its own file only, so an edited callee leaves stale machine code in cached
callers. The cache folder therefore ends in a hash of our kernels' sources and numba's version. There is one folder per
installation and Python version, because numba keeps kernels by the path of their file: that this folder is warm must
not be said of one checkout by another with equal sources.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from ringcollect.errors import EnvironmentRefused

KERNEL_SOURCES = ("records.py", "instruments.py", "jit.py", "ring", "decode", "exchanges", "sync")


def source_hash() -> str:
    """16 hex digits over Python's and numba's version, where we are installed and every ``.py`` of the kernels."""
    root = Path(__file__).resolve().parent
    digest = hashlib.sha256(f"{sys.implementation.cache_tag} numba {version('numba')} {root}".encode())
    places = [root / name for name in KERNEL_SOURCES]
    files = [path for place in places for path in ([place] if place.suffix else place.rglob("*.py"))]
    for path in sorted(files):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_dir() -> Path:
    """``$RINGCOLLECT_CACHE`` or ``$XDG_CACHE_HOME`` or ``~/.cache``, then ``ringcollect/numba-<hash>``."""
    chosen = os.environ.get("RINGCOLLECT_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ringcollect"
    return base / f"numba-{source_hash()}"


def choose_cache_dir() -> Path:
    """Set numba's cache folder for this process and its children; raises EnvironmentRefused if it is unwritable."""
    if os.environ.get("RINGCOLLECT_NUMBA_CACHE_SET") == "1":
        return Path(os.environ["NUMBA_CACHE_DIR"])  # chosen by a parent of ours: children share one hash per run
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise EnvironmentRefused(
            f"the kernel cache {folder} is not writable ({error.strerror}); set RINGCOLLECT_CACHE to a writable folder"
        ) from error
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    os.environ["RINGCOLLECT_NUMBA_CACHE_SET"] = "1"
    return folder
