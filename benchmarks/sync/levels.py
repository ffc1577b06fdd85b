"""What every book is given: the level records of a stream, as records, as tuples, and as hftbacktest's events."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

from benchmarks.streams import Stream
from ringcollect.records import Flag, Kind

DEPTH_EVENT, DEPTH_SNAPSHOT_EVENT = 1, 4
LOCAL_EVENT, BUY_EVENT, SELL_EVENT = 1 << 30, 1 << 29, 1 << 28
"""hftbacktest's numbers (hftbacktest.types of 2.4.4)."""
EVENT = np.dtype(
    [
        ("ev", "u8"), ("exch_ts", "i8"), ("local_ts", "i8"), ("px", "f8"), ("qty", "f8"), ("order_id", "u8"),
        ("ival", "i8"), ("fval", "f8"),
    ]
)  # fmt: skip
"""Its row of 64 bytes."""


def levels_of(stream: Stream) -> np.ndarray:
    """The levels of all books in ring order, dtype RECORD: what is not part of a book yet is left out."""
    records = stream.records
    book = np.isin(records["kind"], (int(Kind.BOOK_SNAPSHOT), int(Kind.BOOK_DELTA)))
    return records[book & (records["side"] != 0) & ((records["flags"] & int(Flag.UNSYNCED)) == 0)].copy()


def write(levels: np.ndarray, instruments: int, folder: Path) -> None:
    """``levels.npy``, ``levels.pickle`` and ``events_N.npy`` of each instrument."""
    last = levels.copy()
    last["flags"][-1] |= int(Flag.LAST)  # the stream may end within a frame
    np.save(folder / "levels.npy", last)
    clear = (levels["flags"] & int(Flag.CLEAR)) != 0
    fields = (levels["instrument"], levels["side"], levels["price"], levels["size"], clear)
    rows = list(zip(*(field.tolist() for field in fields), strict=True))
    (folder / "levels.pickle").write_bytes(pickle.dumps(rows, protocol=5))
    for number in range(instruments):
        np.save(folder / f"events_{number}.npy", _events(levels[levels["instrument"] == number]))


def _events(levels: np.ndarray) -> np.ndarray:
    """Its local processor alone hears them, so that it keeps one book, as everybody else does."""
    events = np.zeros(len(levels), EVENT)
    snapshot = levels["kind"] == int(Kind.BOOK_SNAPSHOT)
    kind = np.where(snapshot, DEPTH_SNAPSHOT_EVENT, DEPTH_EVENT)
    events["ev"] = kind | LOCAL_EVENT | np.where(levels["side"] > 0, BUY_EVENT, SELL_EVENT)
    events["exch_ts"] = events["local_ts"] = np.maximum.accumulate(levels["ts_recv"])
    events["px"], events["qty"] = levels["price"], levels["size"]
    return events
