"""The book of an instrument as it arrived: the applied one, and what waits for its row behind it."""

from __future__ import annotations

import numpy as np

from ringcollect.records import RECORD
from ringcollect.sync import layout as at

Side = dict[float, float]


def chain_is_whole(row: np.ndarray) -> bool:
    """Whether everything up to the last record is known, and a batch is not being read just now."""
    return bool(
        row[at.I_CHAINED]
        and not (
            row[at.I_BROKEN] or row[at.I_DOUBT] or row[at.I_IN_BATCH] or row[at.I_CHECK_FAILED] or row[at.I_EXCLUDED]
        )
    )


def waiting_updates(row: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """The book records that wait, in ring order (dtype RECORD)."""
    slots, slot = [], int(row[at.I_UPDATES_HEAD])
    while slot >= 0:
        slots.append(slot)
        slot = int(pool[slot, at.POOL_NEXT])
    return np.ascontiguousarray(pool[slots, : at.POOL_TIME]).reshape(-1).view(RECORD)


def apply_waiting(bids: Side, asks: Side, trusted: bool, waiting: np.ndarray, depth: int) -> bool:
    """Apply ``waiting`` to both sides, by the rule of the records page; whether the book has a base then."""
    fields = ("kind", "flags", "side", "price", "size")
    for kind, flags, side, price, size in zip(*(waiting[name].tolist() for name in fields), strict=True):
        if kind == at.K_CHECK:
            continue
        is_void = kind == at.K_STATUS
        if is_void or flags & at.B_CLEAR:
            trusted = not is_void
            bids.clear()
            asks.clear()
        if is_void:
            continue
        if side and price == price and size >= 0:
            levels = bids if side > 0 else asks
            if size:
                levels[price] = size
            else:
                levels.pop(price, None)
        if flags & at.B_LAST and depth:
            for levels, best_first in ((bids, True), (asks, False)):
                for worst in sorted(levels, reverse=best_first)[depth:]:
                    del levels[worst]
    return trusted
