"""What a figure depends on besides the code: the host and the versions."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.workers import ROOT

PACKAGES = ("numba", "numpy", "llvmlite", "msgspec", "orjson", "websockets", "uvloop", "aiohttp")


def facts() -> dict[str, str]:
    """Names and values to print and store with every result."""
    found = {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "ringcollect": _commit(),
        "processor": _processor(),
        "processors": f"{os.cpu_count()}, governor {_governor()}",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load at start": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    return found | {name: version_of(name) for name in PACKAGES}


def version_of(package: str) -> str:
    """The installed version, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    try:
        commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", "ringcollect"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return f"{version_of('ringcollect')}, not in a repository"
    return commit.stdout.strip() + (" with changes" if changed.stdout.strip() else "")


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _governor() -> str:
    try:
        return Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").read_text().strip()
    except OSError:
        return "not shown by this host"
