"""Kernels are compiled in a process of their own, before anything else: compiling takes memory nobody gets back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

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


class _Marker(msgspec.Struct):
    warm: tuple[str, ...] = ()


class Compiled(NamedTuple):
    """What one module cost: seconds, and the peak memory of the process that compiled it."""

    module: str
    seconds: float
    peak_bytes: int


def warm_apart(exchanges: Sequence[str] = ()) -> list[Compiled]:
    """Compile each kernel module of these exchanges (all, if none is named) in a process of its own, one by one.

    LLVM gives no memory back, and a small host has room for one module's compilation, not for the sum. Raises
    EnvironmentRefused naming the module.
    """
    from ringcollect.supervise.kernels import modules_of

    done = []
    for module in modules_of(exchanges):
        child = subprocess.run([sys.executable, "-c", _WARM_ONE, module], capture_output=True, text=True, check=False)
        if child.returncode != 0:
            said = child.stderr.strip().splitlines()
            raise EnvironmentRefused(f"{module} could not be compiled: {said[-1] if said else child.returncode}")
        seconds, peak = child.stdout.split()
        done.append(Compiled(module, float(seconds), int(peak)))
    return done


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


def is_warm(folder: Path, exchanges: Sequence[str] = ()) -> bool:
    """True if everything a collector of these exchanges (of all, if none is named) needs is in this cache folder."""
    from ringcollect.supervise.kernels import modules_of

    return set(modules_of(exchanges)) <= set(warm_modules(folder))


def ensure_warm(tell: Callable[[str], None], exchanges: Sequence[str] = ()) -> None:
    """Run ``ringcollect warm`` if this host's cache is cold for these exchanges, and say so.

    Raises EnvironmentRefused if it fails.
    """
    folder = choose_cache_dir()
    if is_warm(folder, exchanges):
        return
    tell(f"compiling the kernels into {folder} (once per version, about a minute)")
    named = [word for name in exchanges for word in ("--exchange", name)]
    done = subprocess.run(
        [sys.executable, "-m", "ringcollect.cli", "warm", *named], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise EnvironmentRefused(f"the kernels could not be compiled: {said[-1] if said else done.returncode}")
    tell(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "kernels compiled")
