"""The kernel that decodes what no exchange's own does, by the table its context names: one for all exchanges.

:func:`decode` is called through its address (context word ``hot.C_SHARED``), so that it is compiled once and not once
more into every exchange's kernel. A frame may give batches of several instruments and channels: the private batch
holds them one behind the other, each ended by LAST, and the context's channel is NONE.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, put_word, word_at, word_pointer
from ringcollect.exchanges import hot
from ringcollect.exchanges.protocol import Code
from ringcollect.exchanges.tabular.scan import walk
from ringcollect.jit import Entry, carray, njit, types
from ringcollect.records import (
    CHANNEL_OF_KIND,
    RECORD_WORDS,
    W_ID,
    W_TAIL,
    W_TS_EVENT,
    Channel,
    Flag,
    Kind,
)
from ringcollect.ring import protocol

_SLOW, _NOT_OPEN, _TOO_LONG = int(Code.SLOW), int(Code.NOT_OPEN), int(Code.TOO_LONG)
_NONE, _BOOK = int(Channel.NONE), int(Channel.BOOK)
_F_LAST, _F_BAD_TS = int(Flag.LAST), int(Flag.BAD_TS)
_CHANNELS = np.zeros(max(Kind) + 1, np.int64)
for _kind, _channel in CHANNEL_OF_KIND.items():
    _CHANNELS[_kind] = _channel
_RECORD_BYTES = RECORD_WORDS * 8


@njit
def _row_of(ctx: int, record: int) -> int:
    """Address of the hot row of a record's stream."""
    tail = word_at(record, W_TAIL)
    return hot.row_at(ctx, tail & 0xFFFF, _CHANNELS[(tail >> 32) & 0xFF])


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
def _settle_batches(ctx: int, n: int, ts_recv: int) -> int:
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
def decode(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """The frame of ``n`` bytes at ``a``: records in the private batch, 0 if nothing is to be recorded, or a Code.

    ``publish`` 1: into the ring and counted where every stream is open; the answer is what was published. SLOW: the
    typed path decides.
    """
    if n > word_at(ctx, hot.C_MAX_FRAME):
        return _SLOW
    records = walk(ctx, a, n, ts_recv)
    if records < 0:
        return _SLOW
    batch = word_at(ctx, hot.C_BATCH)
    is_book = records > 0 and _CHANNELS[(word_at(batch, W_TAIL) >> 32) & 0xFF] == _BOOK
    put_word(ctx, hot.C_N, records)
    put_word(ctx, hot.C_CHANNEL, _BOOK if is_book else _NONE)
    put_word(ctx, hot.C_INSTRUMENT, word_at(batch, W_TAIL) & 0xFFFF)
    put_word(ctx, hot.C_FIRST_ID, -1)
    put_word(ctx, hot.C_LAST_ID, word_at(batch, W_ID) if is_book else -1)
    put_word(ctx, hot.C_PREV_ID, -1)
    if publish == 0:
        return records
    if word_at(ctx, hot.C_RING) == 0 or is_book or not _ready(ctx, records):
        return _NOT_OPEN
    if records > word_at(ctx, hot.C_PIECE):
        return _TOO_LONG
    kept = _settle_batches(ctx, records, ts_recv)
    if kept > 0:
        protocol.publish(
            carray(word_pointer(word_at(ctx, hot.C_RING)), (word_at(ctx, hot.C_RING_WORDS),)),
            carray(word_pointer(batch), (kept * RECORD_WORDS,)),
            kept,
        )
        put_word(ctx, hot.C_LAST_PUBLISHED, ts_recv)
    hot.count(ctx, hot.C_RECORDS, kept)
    hot.count(ctx, hot.C_DECODED if records > 0 else hot.C_IGNORED, 1)
    hot.count(ctx, hot.C_FRAMES_IN, 1)
    hot.count(ctx, hot.C_BYTES_IN, n)
    return kept


ENTRY = Entry(decode, lambda: (types.int64,) * 5)


@njit
def decode_body(body: bytes, ctx: np.ndarray, ts_recv: int) -> int:
    """:func:`decode` of a whole body, called from Python; nothing is published."""
    return hot.shared(ctx, _SLOW, address_of(body), len(body), ts_recv, 0)


def warm() -> None:
    """Compile the kernel."""
    ctx = np.zeros(hot.CONTEXT_WORDS, np.int64)
    ctx[hot.C_SHARED] = ENTRY.address
    decode_body(b"x", ctx, 0)
