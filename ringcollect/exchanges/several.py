"""A frame that gives batches of several streams, in the private batch one behind the other, each ended by LAST.

The kernel publishes all of them together and tells each stream's ledger, or leaves the whole frame to the feed.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import put_word, word_at, word_pointer
from ringcollect.exchanges import hot
from ringcollect.exchanges.protocol import Code
from ringcollect.jit import carray, njit
from ringcollect.records import CHANNEL_OF_KIND, RECORD_WORDS, W_TAIL, W_TS_EVENT, Flag, Kind
from ringcollect.ring import protocol

_NOT_OPEN, _TOO_LONG = int(Code.NOT_OPEN), int(Code.TOO_LONG)
_F_LAST, _F_BAD_TS = int(Flag.LAST), int(Flag.BAD_TS)
_CHANNELS = np.zeros(max(Kind) + 1, np.int64)
for _kind, _channel in CHANNEL_OF_KIND.items():
    _CHANNELS[_kind] = _channel
_RECORD_BYTES = RECORD_WORDS * 8


@njit
def channel_of(record: int) -> int:
    """The channel of the record at this address."""
    return _CHANNELS[(word_at(record, W_TAIL) >> 32) & 0xFF]


@njit
def _row_of(ctx: int, record: int) -> int:
    """Address of the hot row of a record's stream."""
    return hot.row_at(ctx, word_at(record, W_TAIL) & 0xFFFF, channel_of(record))


@njit
def _ready(ctx: int, n: int) -> bool:
    """Whether the kernel may publish every batch by itself: all its streams are open, and no news is old."""
    batch = word_at(ctx, hot.C_BATCH)
    begins = True
    for r in range(n):
        record = batch + r * _RECORD_BYTES
        if begins:
            row = _row_of(ctx, record)
            is_open = word_at(row, hot.OPEN)
            if is_open != word_at(ctx, hot.C_CONN) + 1 and is_open != hot.OPEN_TO_ALL:
                if word_at(row, hot.WANTED) != 0 or hot.wants_all(ctx):
                    return False
            elif 0 < word_at(record, W_TS_EVENT) < word_at(row, hot.LAST_TS):
                return False
        begins = word_at(record, W_TAIL) >> 48 & _F_LAST != 0
    return True


@njit
def _keep(ctx: int, n: int, ts_recv: int) -> int:
    """Tell the ledgers, and move together what somebody asked for: how many records that is."""
    batch = word_at(ctx, hot.C_BATCH)
    kept = first = 0
    for r in range(n):
        record = batch + r * _RECORD_BYTES
        if word_at(record, W_TAIL) >> 48 & _F_LAST == 0:
            continue
        begin = batch + first * _RECORD_BYTES
        row = _row_of(ctx, begin)
        count = r + 1 - first
        first = r + 1
        if word_at(row, hot.OPEN) == 0:
            continue
        if (word_at(begin, W_TAIL) >> 48) & _F_BAD_TS:
            hot.count(ctx, hot.C_BAD_TS, 1)
        put_word(row, hot.LAST_TS, max(word_at(row, hot.LAST_TS), word_at(begin, W_TS_EVENT)))
        hot.tell_ledger(row, count, ts_recv)
        to = batch + kept * _RECORD_BYTES
        if to != begin:
            for w in range(count * RECORD_WORDS):
                put_word(to, w, word_at(begin, w))
        kept += count
    return kept


@njit
def settle(ctx: int, records: int, for_the_feed: int, frame_bytes: int, ts_recv: int) -> int:
    """Publish and count ``records``, unless they are ``for_the_feed``: records published, or a code."""
    sequence = word_at(ctx, hot.C_SEQUENCE)
    if for_the_feed or word_at(ctx, hot.C_RING) == 0 or hot.is_hole(ctx, sequence) or not _ready(ctx, records):
        return _NOT_OPEN
    if records > word_at(ctx, hot.C_PIECE):
        return _TOO_LONG
    if sequence >= 0:
        put_word(ctx, hot.C_EXPECTED, sequence + 1)
    kept = _keep(ctx, records, ts_recv)
    if kept > 0:
        protocol.publish(
            carray(word_pointer(word_at(ctx, hot.C_RING)), (word_at(ctx, hot.C_RING_WORDS),)),
            carray(word_pointer(word_at(ctx, hot.C_BATCH)), (kept * RECORD_WORDS,)),
            kept,
        )
        put_word(ctx, hot.C_LAST_PUBLISHED, ts_recv)
    hot.count(ctx, hot.C_RECORDS, kept)
    hot.count(ctx, hot.C_DECODED if records > 0 else hot.C_IGNORED, 1)
    hot.count(ctx, hot.C_FRAMES_IN, 1)
    hot.count(ctx, hot.C_BYTES_IN, frame_bytes)
    return kept
