"""What every child shares: imported once by the forkserver, before any fork, and frozen.

Importing this module loads numba, runs every kernel once, and loads the transport and the four process mains. It
opens no loop, socket, file or lock and starts no thread, so that a fork of it is a whole process. multiprocessing
swallows an ImportError from here without a word: each child therefore calls :func:`assert_inherited`.
"""

from __future__ import annotations

import gc
import os
import threading

import click  # noqa: F401  the console script is run again as __mp_main__ in each child: shared, not one copy each

from ringcollect.errors import RingcollectError
from ringcollect.feed import process as _feed  # noqa: F401
from ringcollect.store import process as _store  # noqa: F401
from ringcollect.store.archive import process as _archive  # noqa: F401
from ringcollect.supervise.kernels import EXCHANGES_VARIABLE, preloaded, warm_kernels
from ringcollect.supervise.pages import give_back
from ringcollect.sync import process as _sync  # noqa: F401

WARMED = preloaded([name for name in os.environ.get(EXCHANGES_VARIABLE, "").split(",") if name])
warm_kernels(WARMED)
THREADS = threading.active_count()

gc.collect()
give_back("llvmlite")
gc.freeze()  # what was loaded here is never touched by a child's collector, so its pages stay shared


def assert_inherited() -> None:
    """Raise if this process did not get the kernels from the forkserver, or the forkserver was not fit to fork."""
    if gc.get_freeze_count() == 0:
        raise RingcollectError("the preloaded kernels were imported after the fork: nothing is shared")
    if THREADS != 1:
        raise RingcollectError(f"the forkserver had {THREADS} threads when it was frozen: a fork of it is not whole")
