"""How far this host's clock may be from UTC, as its kernel was told by ntpd, chrony or timesyncd.

Read with ``ntp_adjtime`` (Linux, macOS; ``adjtimex`` of other C libraries), modes 0: nothing is set, no privilege
asked.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import NamedTuple

_UNSYNC, _NANO = 0x0040, 0x2000  # of status: nobody disciplines the clock; offset is in ns, not us
_ERROR = 5  # returned where it is not to be relied on


class ClockQuality(NamedTuple):
    """Seconds. ``offset`` is what is still being slewed away, None where nobody disciplines the clock;
    ``dispersion`` is the kernel's bound of the error, which grows while nobody does."""

    offset: float | None
    dispersion: float


class _Timex(ctypes.Structure):
    """The part of ``struct timex`` that all systems begin with, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def clock_quality() -> ClockQuality | None:
    """What the kernel knows now; None where it cannot be asked."""
    ask = _function()
    if ask is None:
        return None
    found = _Timex()
    code = ask(ctypes.byref(found))
    return None if code < 0 else _quality(code, found.status, found.offset, found.maxerror)


def _quality(code: int, status: int, offset: int, maxerror_us: int) -> ClockQuality:
    unit = 1e-9 if status & _NANO else 1e-6
    is_known = code != _ERROR and not status & _UNSYNC
    return ClockQuality(offset * unit if is_known else None, maxerror_us * 1e-6)


@functools.cache
def _function() -> Callable[..., int] | None:
    library = ctypes.CDLL(None, use_errno=True)
    for name in ("ntp_adjtime", "adjtimex"):
        function: Callable[..., int] | None = getattr(library, name, None)
        if function is not None:
            return function
    return None
