"""Named places where a test can kill the process: ``RINGCOLLECT_FAIL=journal.after_write:3``.

``name:n`` kills at the n-th passage (default 1) with SIGKILL, so that nothing is flushed or cleaned up;
``name:n:error`` raises OSError(ENOSPC) instead, once. Several are separated by commas. Without the variable
``fail`` is one dictionary look-up.
"""

from __future__ import annotations

import errno
import os
import signal


def _parse(text: str) -> dict[str, tuple[int, str]]:
    points: dict[str, tuple[int, str]] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = item.partition(":")
        count, _, action = rest.partition(":")
        points[name] = (int(count or 1), action or "kill")
    return points


_armed = _parse(os.environ.get("RINGCOLLECT_FAIL", ""))


def fail(name: str) -> None:
    """Pass the failpoint ``name``; dies or raises here if it is armed and its count is reached."""
    if name not in _armed:
        return
    count, action = _armed[name]
    if count > 1:
        _armed[name] = (count - 1, action)
        return
    del _armed[name]
    if action == "error":
        raise OSError(errno.ENOSPC, f"failpoint {name}")
    os.kill(os.getpid(), signal.SIGKILL)
