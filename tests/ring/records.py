"""Rings for tests: records whose every field follows from their position, and producers that die without closing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ringcollect.records import RECORD, Flag, Kind
from ringcollect.ring.mapping import release
from ringcollect.ring.producer import Producer


def build(folder: Path, capacity: int = 64, generation: int = 1, **options: object) -> Producer:
    """The ring ``x.rec``, taken over or new."""
    return Producer.open(folder, "x.rec", capacity=capacity, generation=generation, **options)


def build_path(folder: Path) -> Path:
    """The file of ``x.rec``."""
    return folder / "x.rec.ring"


def batch(first: int, n: int) -> np.ndarray:
    """Records whose every field follows from the position they will get."""
    records = np.zeros(n, RECORD)
    at = np.arange(first, first + n)
    records["ts_event"], records["ts_recv"] = at * 3, at * 5
    records["price"], records["size"] = at / 4, at / 8
    records["id"], records["aux"] = at * 7, -at
    records["instrument"], records["kind"] = at % 1000, Kind.TRADE
    records["flags"][-1:] = Flag.LAST
    return records


def is_true(records: np.ndarray) -> bool:
    """Whether every field of every record is what ``batch`` made for its ``seq``."""
    at = records["seq"]
    columns = {
        "ts_event": at * 3, "ts_recv": at * 5, "price": at / 4, "size": at / 8, "id": at * 7, "aux": -at,
        "instrument": at % 1000,
    }  # fmt: skip
    return all(np.array_equal(records[name], column) for name, column in columns.items())


def assert_true_to_position(records: np.ndarray) -> None:
    """As :func:`is_true`, as an assertion."""
    assert is_true(records), records


def die(ring: Producer) -> None:
    """What the kernel does for a process that is killed: the lock goes, the header stays as it is."""
    ring.control.close()
    release(ring._fd)
    ring._fd = -1
