"""Running the command line as a user does: a process of its own, its streams and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def ringcollect(
    *args: str, cwd: Path, env: dict[str, str] | None = None, timeout_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """``ringcollect args`` in ``cwd``; nothing of this shell's settings reaches it but what ``env`` says."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RINGCOLLECT")}
    return subprocess.run(
        [sys.executable, "-m", "ringcollect", *args],
        cwd=cwd,
        env=clean | (env or {}),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
