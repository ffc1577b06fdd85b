"""What every child process does before and around its own main: signals, title, log, and knowing when to stop.

A child stops when it is told to (SIGTERM) or when the supervisor is gone: a pipe held open by the supervisor ends
with it, however it ended. Death of the *forkserver*, which is the child's parent for the kernel, says nothing, so
PR_SET_PDEATHSIG would not do.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import Any

import structlog
from setproctitle import setproctitle

from ringcollect.config import Log
from ringcollect.errors import RingcollectError
from ringcollect.observe.logs import configure

ORPHAN_BUDGET_S = 4.0
"""Seconds an orphan gets to stop by itself; the promise is 5 s, on a loaded host too."""


class StopFlag:
    """The ``stop()`` a child's main polls: true from SIGTERM or the supervisor's death on."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    def ask(self, *_: object) -> None:
        """Make it true (also usable as a signal handler)."""
        self.asked = True


def main(name: str, title: str, target: str, args: tuple[Any, ...], log: Log, preload: str) -> None:
    """Run ``module:function`` ``target`` as the child ``name`` until it returns; ``ps`` shows ``title``.

    ``preload`` names the module this process must have inherited from the forkserver ("" for none). A failure goes
    to the log and becomes the exit code: that of a RingcollectError, else 1.
    """
    stop = StopFlag()
    signal.signal(signal.SIGTERM, stop.ask)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # so does a terminal's end; and who reloads tells the supervisor
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides the order
    setproctitle(title)
    threading.Thread(target=_watch_supervisor, args=(stop,), name="supervisor-watch", daemon=True).start()
    try:
        configure(log, name)
        if preload:
            _assert_inherited(preload)
        resolve(target)(*args, stop)
    except RingcollectError as error:
        structlog.get_logger().error("process_failed", reason=str(error))
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001  reported with its traceback, and the supervisor counts the death
        structlog.get_logger().exception("process_crashed")
        sys.exit(1)


def resolve(target: str) -> Callable[..., Any]:
    """The function ``module:function`` names."""
    module, _, function = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _assert_inherited(preload: str) -> None:
    """Raise unless the forkserver really has imported ``preload``: it swallows an ImportError without a word."""
    module = sys.modules.get(preload)
    if module is None:
        importlib.import_module(preload)  # raises what the forkserver swallowed
        raise RingcollectError(f"{preload} was not preloaded by the forkserver; nothing is shared")
    module.assert_inherited()


def _watch_supervisor(stop: StopFlag) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    stop.ask()
    threading.Event().wait(ORPHAN_BUDGET_S)
    os._exit(5)  # orphaned and still here: what is in rings and journals is safe, what holds a lock must go
