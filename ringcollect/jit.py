"""The one way to numba: cache folder keyed by the package's sources, one set of compiler options.

numba stamps a cached function with its own file only, so an edited callee leaves stale machine code in cached
callers. The cache folder therefore ends in a hash of all our sources and numba's version. Import ``njit`` and
``intrinsic`` from here, never from numba, so that the folder is set before numba reads it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ringcollect.errors import EnvironmentRefused

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

KERNEL_SOURCES = ("records.py", "instruments.py", "jit.py", "ring", "decode", "exchanges", "sync")


def source_hash() -> str:
    """16 hex digits over numba's version and every ``.py`` of ``KERNEL_SOURCES``."""
    digest = hashlib.sha256(version("numba").encode())
    root = Path(__file__).parent
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


def _prepare() -> None:
    if os.environ.get("RINGCOLLECT_NUMBA_CACHE_SET") == "1":
        return  # a parent of ours has already chosen it: children share one hash per run
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


_prepare()

import numba  # noqa: E402
from numba import extending  # noqa: E402

__all__ = ["cache_dir", "intrinsic", "njit", "source_hash"]


intrinsic: Any = extending.intrinsic


def njit(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``numba.njit(cache=True, error_model="numpy")``, also with extra options (``inline="always"``)."""
    options = {"cache": True, "error_model": "numpy"} | options
    decorate: Any = numba.njit(**options)  # type: ignore[call-overload]
    return decorate if function is None else decorate(function)
