"""Silences as the stream shows them: two records of one (instrument, channel) further apart than a record should be.

Counted for the rows, at the record that ends the silence. The feed counts them for its ledger by the same limits
(docs/gaps.md); what it was told of other limits is told here too.
"""

from __future__ import annotations

import numpy as np

from ringcollect.jit import njit
from ringcollect.records import W_TAIL, W_TS_RECV, Kind
from ringcollect.sync.features.places import O_SILENCE
from ringcollect.sync.layout import I_HEARD, I_SILENCES, K_FUNDING, K_INDEX, K_INTEREST, K_MARK, K_TRADE, P_OPTIONS

BOOK, TRADE, BBO, FUNDING, INTEREST, MARK, INDEX = range(7)
CHANNELS = 7
K_BBO, K_CHECK = int(Kind.BBO), int(Kind.BOOK_CHECK)


@njit
def _channel(kind: int) -> int:
    if kind == K_TRADE:
        return TRADE
    if kind == K_BBO:
        return BBO
    if kind == K_FUNDING:
        return FUNDING
    if kind == K_INTEREST:
        return INTEREST
    if kind == K_MARK:
        return MARK
    if kind == K_INDEX:
        return INDEX
    return BOOK if kind <= K_CHECK else -1


@njit
def note_silence(record: np.ndarray, row: np.ndarray, params: np.ndarray) -> None:
    """``record`` came: count the silence it ends, if it ends one."""
    channel = _channel((record[W_TAIL] >> 32) & 0xFF)
    if channel < 0:
        return
    before = row[I_HEARD + channel]
    if before != 0 and record[W_TS_RECV] - before > params[P_OPTIONS + O_SILENCE + channel]:
        row[I_SILENCES] += 1
    row[I_HEARD + channel] = max(before, record[W_TS_RECV])
