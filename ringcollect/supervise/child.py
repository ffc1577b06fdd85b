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

from setproctitle import setproctitle

from ringcollect.errors import RingcollectError

ORPHAN_BUDGET_S = 4.5
"""Seconds an orphan gets to stop by itself; the promise is 5 s."""


class StopFlag:
    """The ``stop()`` a child's main polls: true from SIGTERM or the supervisor's death on."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    def ask(self, *_: object) -> None:
        """Make it true (also usable as a signal handler)."""
        self.asked = True


def main(name: str, target: str, args: tuple[Any, ...], setup: tuple[str, Any] | None, preload: str) -> None:
    """Run ``module:function`` ``target`` as the child ``name`` until it returns.

    ``setup`` is another ``module:function`` with its one argument, called first (logging). ``preload`` names the
    module this process must have inherited from the forkserver ("" for none). Exits with the ``exit_code`` of a
    RingcollectError, whose message goes to the log's last resort, standard error.
    """
    stop = StopFlag()
    signal.signal(signal.SIGTERM, stop.ask)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides the order
    setproctitle(f"ringcollect: {name}")
    threading.Thread(target=_watch_supervisor, args=(stop,), name="supervisor-watch", daemon=True).start()
    try:
        if preload:
            _assert_inherited(preload)
        if setup is not None:
            resolve(setup[0])(setup[1])
        resolve(target)(*args, stop)
    except RingcollectError as error:
        sys.stderr.write(f"ringcollect {name}: {error}\n")
        sys.stderr.flush()
        sys.exit(error.exit_code)


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
