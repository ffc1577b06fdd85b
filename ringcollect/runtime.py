"""Where the runtime files (rings, control files, checkpoints) of this user live."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def runtime_dir(configured: str | None = None) -> Path:
    """``configured``, else ``RINGCOLLECT_RUNTIME``, else ``/dev/shm/ringcollect-<uid>``.

    Where there is no tmpfs (macOS) the last is an ordinary folder under the temporary one.
    """
    chosen = configured or os.environ.get("RINGCOLLECT_RUNTIME")
    if chosen:
        return Path(chosen).expanduser()
    base = Path("/dev/shm") if sys.platform == "linux" else Path(tempfile.gettempdir())
    return base / f"ringcollect-{os.getuid()}"


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``path`` by rename, readable by the group."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.write_bytes(content)
    temporary.chmod(0o640)
    temporary.rename(path)
