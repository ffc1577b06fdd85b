"""What a feature kernel is called with, as arrays.

A group's kernel is a function of five int64, ``kernel(what, row, values, event, wide)``: what happened (ON_...), and
the addresses of the instrument's ``ints``, of its ``floats``, of the event and of the row being written. It is called
through its address, so that each group is compiled once and alone, and one that is off is not even loaded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ringcollect.decode.memory import word_pointer
from ringcollect.jit import Entry, carray, inlined, types
from ringcollect.sync.features.places import E_PARAMS, EVENT
from ringcollect.sync.layout import INTS

_UNBOUNDED = 1 << 40


def group_entry(kernel: Any) -> Entry:
    """A group's kernel, to be called through its address."""
    return Entry(kernel, lambda: (types.int64,) * 5)


@inlined
def words_at(address: int) -> np.ndarray:
    """int64 words from ``address`` on, as many as there are."""
    return carray(word_pointer(address), (_UNBOUNDED,))


@inlined
def row_at(address: int) -> np.ndarray:
    """The instrument's words of ``ints``."""
    return carray(word_pointer(address), (INTS,))


@inlined
def event_at(address: int) -> np.ndarray:
    """The event's words; its floats are ``event.view(np.float64)``."""
    return carray(word_pointer(address), (EVENT,))


@inlined
def sides_at(address: int) -> np.ndarray:
    """The sorted parts of every book side, as ``books`` (sync/layout.py)."""
    return carray(word_pointer(address), (_UNBOUNDED, 2)).view(np.float64)


@inlined
def params_of(event: np.ndarray) -> np.ndarray:
    """What the configuration chose."""
    return words_at(event[E_PARAMS])
