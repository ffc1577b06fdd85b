"""Kernels are compiled in a process of their own, before anything else: compiling takes memory nobody gets back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from ringcollect.errors import EnvironmentRefused
from ringcollect.kernel_cache import choose_cache_dir

MARKER = "warm.json"
"""In the cache folder once every kernel is there; the folder's name changes with the kernels."""


_FEATURES_AT_ONCE = 4
_WARM_ONE = """
import resource, sys
from ringcollect.supervise.kernels import warm_kernels
for name in sys.argv[1:]:
    done, = warm_kernels([name])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(done.seconds, peak, flush=True)
"""


class _Marker(msgspec.Struct):
    warm: tuple[str, ...] = ()


class Compiled(NamedTuple):
    """What one module cost: seconds, and the peak memory of the process that compiled it."""

    module: str
    seconds: float
    peak_bytes: int


def warm_apart(exchanges: Sequence[str] = (), groups: str = "A", jobs: int = 1) -> list[Compiled]:
    """Compile the kernel modules of these exchanges and groups (all, if no exchange is named) in short-lived processes.

    LLVM gives no memory back, and a small host has room for one module's compilation, or for a few groups of features,
    not for the sum; ``jobs`` of the processes run at a time. Raises EnvironmentRefused naming the module.
    """
    from ringcollect.supervise.kernels import KERNEL_MODULES, modules_of

    asked = modules_of(exchanges, groups)
    with ThreadPoolExecutor(jobs) as pool:
        done = [one for some in pool.map(_warm_together, _together(asked)) for one in some]
    if jobs > 1:
        # Two processes that write one function's index at once may lose an entry: what is missing is compiled here.
        _warm_together(asked)
    return sorted(done, key=lambda one: KERNEL_MODULES.index(one.module))


def _warm_together(modules: Sequence[str]) -> list[Compiled]:
    """Compile or load modules in one process; raises EnvironmentRefused naming the one that failed."""
    child = subprocess.run([sys.executable, "-c", _WARM_ONE, *modules], capture_output=True, text=True, check=False)
    told = [line.split() for line in child.stdout.splitlines()]
    if child.returncode != 0:
        said = child.stderr.strip().splitlines()
        failed = modules[min(len(told), len(modules) - 1)]
        raise EnvironmentRefused(f"{failed} could not be compiled: {said[-1] if said else child.returncode}")
    return [Compiled(name, float(seconds), int(peak)) for name, (seconds, peak) in zip(modules, told, strict=True)]


def _together(modules: Sequence[str]) -> list[list[str]]:
    """Which modules share a process: a few groups of features at a time, everything else none."""
    from ringcollect.supervise.kernels import FEATURE_MODULES

    small = [module for module in modules if module in FEATURE_MODULES]
    alone = [[module] for module in modules if module not in FEATURE_MODULES]
    return alone + [small[i : i + _FEATURES_AT_ONCE] for i in range(0, len(small), _FEATURES_AT_ONCE)]


def mark_warm(folder: Path, report: Mapping[str, object], modules: Sequence[str]) -> None:
    """Note in the cache folder that these modules are compiled, beside those noted before."""
    noted = sorted({*warm_modules(folder), *modules})
    (folder / MARKER).write_bytes(msgspec.json.encode({**report, "warm": noted}))


def warm_modules(folder: Path) -> tuple[str, ...]:
    """Kernel modules that ``ringcollect warm`` has compiled into this cache folder."""
    try:
        return msgspec.json.decode((folder / MARKER).read_bytes(), type=_Marker).warm
    except (OSError, msgspec.DecodeError):
        return ()


def is_warm(folder: Path, exchanges: Sequence[str] = (), groups: str = "A") -> bool:
    """True if what a collector of these exchanges and groups needs (all, if none is named) is in this cache folder."""
    from ringcollect.supervise.kernels import modules_of

    return set(modules_of(exchanges, groups)) <= set(warm_modules(folder))


def ensure_warm(tell: Callable[[str], None], exchanges: Sequence[str] = (), groups: str = "A") -> None:
    """Run ``ringcollect warm`` if this host's cache is cold for these exchanges and groups of features, and say so.

    Raises EnvironmentRefused if it fails.
    """
    folder = choose_cache_dir()
    if is_warm(folder, exchanges, groups):
        return
    tell(f"compiling the kernels into {folder} (once per version, about a minute)")
    named = [word for name in exchanges for word in ("--exchange", name)]
    done = subprocess.run(
        [sys.executable, "-m", "ringcollect.cli", "warm", *named, "--groups", groups],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise EnvironmentRefused(f"the kernels could not be compiled: {said[-1] if said else done.returncode}")
    tell(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "kernels compiled")
