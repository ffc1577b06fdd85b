"""Kernels are compiled in a process of their own, before anything else: compiling takes memory nobody gets back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ringcollect.errors import EnvironmentRefused
from ringcollect.kernel_cache import choose_cache_dir

MARKER = "warm.json"
"""In the cache folder once every kernel is there; the folder's name changes with the kernels."""


def is_warm(folder: Path) -> bool:
    """True if ``ringcollect warm`` has finished for this cache folder."""
    return (folder / MARKER).exists()


def ensure_warm(tell: Callable[[str], None]) -> None:
    """Run ``ringcollect warm`` if this host's cache is cold, and say so; raises EnvironmentRefused if it fails."""
    folder = choose_cache_dir()
    if is_warm(folder):
        return
    tell(f"compiling the kernels into {folder} (once per version, about a minute)")
    done = subprocess.run(
        [sys.executable, "-m", "ringcollect.cli", "warm"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise EnvironmentRefused(f"the kernels could not be compiled: {said[-1] if said else done.returncode}")
    tell(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "kernels compiled")
