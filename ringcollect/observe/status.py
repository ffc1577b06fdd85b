"""What ``ringcollect status`` knows, without asking any process."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from ringcollect.errors import NotFoundError
from ringcollect.observe.health import State
from ringcollect.observe.observer import Observer
from ringcollect.observe.process_table import ProcessTable, read_table
from ringcollect.observe.snapshot import Snapshot, iso, read_snapshot
from ringcollect.ring.mapping import is_locked

LOCK_FILE = "supervisor.lock"
SILENT_AFTER_S = 10.0
"""The supervisor writes its snapshot every second; older than this it hangs."""


def is_running(runtime: Path) -> bool:
    """True while a supervisor holds the lock of ``runtime``."""
    try:
        return is_locked(runtime / LOCK_FILE)
    except NotFoundError:
        return False


def running_table(runtime: Path) -> ProcessTable:
    """The process table of the running collector; raises NotFoundError if there is none."""
    table = read_table(runtime) if is_running(runtime) else None
    if table is None:
        raise NotFoundError(f"no collector is running on {runtime}")
    return table


def check(runtime: Path) -> tuple[State, str]:
    """(state, one line) from the supervisor's snapshot: cheap enough for a probe every second."""
    if not is_running(runtime):
        return State.ERROR, f"ERROR not running on {runtime}"
    snapshot = read_snapshot(runtime)
    if snapshot is None:
        return State.OFFLINE, "OFFLINE starting"
    return _judged(snapshot)


def current(runtime: Path, between_s: float = 0.3) -> tuple[Snapshot, Observer]:
    """A fresh look, with rates over ``between_s``, and state and windows as the supervisor keeps them.

    Raises NotFoundError if no collector is running.
    """
    table = running_table(runtime)
    observer = Observer(runtime, shortest_s=between_s)
    observer.look(table)
    time.sleep(between_s)
    now = observer.look(table)
    kept = read_snapshot(runtime)
    if kept is None:
        return now, observer
    state, _ = _judged(kept)
    reason = kept.reason if state is kept.state else "the supervisor does not report"
    now = msgspec.structs.replace(now, state=state, reason=reason, since_ns=kept.since_ns, windows=kept.windows)
    return now, observer


def _judged(snapshot: Snapshot) -> tuple[State, str]:
    silent_s = time.time() - snapshot.at_ns / 1e9
    if silent_s > SILENT_AFTER_S:
        return State.ERROR, f"ERROR the supervisor has not reported for {silent_s:.0f} s"
    reason = f": {snapshot.reason}" if snapshot.reason else ""
    return snapshot.state, f"{snapshot.state} since {iso(snapshot.since_ns)}{reason}"
