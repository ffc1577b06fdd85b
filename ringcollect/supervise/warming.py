"""Kernels are compiled in a process of their own, before anything else: compiling takes memory nobody gets back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ringcollect.errors import EnvironmentRefused
from ringcollect.kernel_cache import choose_cache_dir

MARKER = "warm.json"
"""In the cache folder once every kernel is there; the folder's name changes with the kernels."""


_WARM_ONE = """
import resource, sys
from ringcollect.supervise.kernels import warm_kernels
done, = warm_kernels(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(done.seconds, peak)
"""


class Compiled(NamedTuple):
    """What one module cost: seconds, and the peak memory of the process that compiled it."""

    module: str
    seconds: float
    peak_bytes: int


def warm_apart() -> list[Compiled]:
    """Compile each kernel module in a process of its own, one after the other: LLVM gives no memory back, and a
    small host has room for one module's compilation, not for the sum. Raises EnvironmentRefused naming the module."""
    from ringcollect.supervise.kernels import KERNEL_MODULES

    done = []
    for module in KERNEL_MODULES:
        child = subprocess.run([sys.executable, "-c", _WARM_ONE, module], capture_output=True, text=True, check=False)
        if child.returncode != 0:
            said = child.stderr.strip().splitlines()
            raise EnvironmentRefused(f"{module} could not be compiled: {said[-1] if said else child.returncode}")
        seconds, peak = child.stdout.split()
        done.append(Compiled(module, float(seconds), int(peak)))
    return done


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
