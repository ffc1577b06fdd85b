"""Frame to records in one kernel call: books with their checksums, prints, and tickers.

``decode_hot(frame, ctx, ts_recv)`` writes the private batch of the context and answers the number of records or a
negative :class:`~ringcollect.exchanges.protocol.Code`. ``on_hot_frames`` goes on: it tests the prints' numbers against
the stream's hot row, publishes and counts. What a subscription begins with (type ``snapshot``) is left to the feed,
decoded.
"""

from __future__ import annotations

import math

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import bits_float, put_word, word_at
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.kraken import fields as at
from ringcollect.exchanges.kraken.scan import scan
from ringcollect.exchanges.protocol import Code, Verdict
from ringcollect.exchanges.scanning import add_flags, announce, find_symbol, mark_whole, unknown
from ringcollect.exchanges.statistics import FIELDS, put_statistics
from ringcollect.jit import njit
from ringcollect.records import (
    RECORD_WORDS,
    W_AUX,
    W_ID,
    W_SEQ,
    W_TAIL,
    W_TS_EVENT,
    W_TS_RECV,
    Channel,
    Flag,
    Kind,
)

_SLOW, _NOT_OPEN = int(Code.SLOW), int(Code.NOT_OPEN)
_NONE, _BOOK, _TRADE = int(Channel.NONE), int(Channel.BOOK), int(Channel.TRADE)
_BOOK_SNAPSHOT, _BOOK_DELTA, _CHECK, _TRADE_KIND, _BBO_KIND = (
    int(Kind.BOOK_SNAPSHOT), int(Kind.BOOK_DELTA), int(Kind.BOOK_CHECK), int(Kind.TRADE), int(Kind.BBO),
)  # fmt: skip
_FITS, _STALE, _GAP = int(Verdict.FITS), int(Verdict.STALE), int(Verdict.GAP)
_F_LAST, _F_SNAPSHOT = int(Flag.LAST), int(Flag.SNAPSHOT)
_NAN = math.nan


@njit
def _book(ctx: int, ts_recv: int) -> int:
    """A whole book or a delta, and behind it the checksum of what it makes."""
    batch, whole = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_WHOLE) != 0
    count = word_at(ctx, at.F_LEVELS)
    if count == 0:  # one record all the same: the frame is a link of the chain
        put_level(batch, 0, _NAN, 0.0, 0)
        count = 1
    checked = word_at(ctx, at.F_CHECKSUM) >= 0
    if checked and count >= word_at(ctx, hot.C_CAPACITY):
        return _SLOW
    announce(ctx, _BOOK, -1, -1, -1)
    kind = _BOOK_SNAPSHOT if whole else _BOOK_DELTA
    hot.fill(ctx, count, word_at(ctx, at.F_TS), ts_recv, 0, -1 if whole else 0, kind, 0)
    if whole:
        mark_whole(ctx, count)
    if checked:
        put_level(batch, count, _NAN, _NAN, 0)
        record = batch + count * RECORD_WORDS * 8
        put_word(record, W_SEQ, 0)
        put_word(record, W_TS_EVENT, word_at(ctx, at.F_TS))
        put_word(record, W_TS_RECV, ts_recv)
        put_word(record, W_ID, 0)
        put_word(record, W_AUX, word_at(ctx, at.F_CHECKSUM))
        flags = hot.bad_ts_flag(ctx, word_at(ctx, at.F_TS), ts_recv) | _F_LAST
        tail = word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | _CHECK << 32
        put_word(record, W_TAIL, tail | flags << 48)
        count += 1
        put_word(ctx, hot.C_N, count)
    return count


@njit
def _prints(ctx: int, ts_recv: int) -> int:
    """Prints have each their own time and id, which :func:`scan.scan` has written."""
    batch, count = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_LEVELS)
    base = word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | _TRADE_KIND << 32
    first_id = last_id = word_at(batch, W_ID)
    for r in range(count):
        record = batch + r * RECORD_WORDS * 8
        flags = hot.bad_ts_flag(ctx, word_at(record, W_TS_EVENT), ts_recv)
        if r == count - 1:
            flags |= _F_LAST
        put_word(record, W_TAIL, base | (word_at(record, W_TAIL) & 0xFF) << 40 | flags << 48)
        put_word(record, W_SEQ, 0)
        put_word(record, W_TS_RECV, ts_recv)
        first_id = min(first_id, word_at(record, W_ID))
        last_id = max(last_id, word_at(record, W_ID))
    announce(ctx, _TRADE, first_id, last_id, -1)
    put_word(ctx, hot.C_N, count)
    return count


@njit
def _ticker(ctx: int, ts_recv: int) -> int:
    """Best bid and best ask (a price of 0 is a side without orders: NaN), and behind them the statistics."""
    batch, ts_event = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_TS)
    if word_at(ctx, hot.C_CAPACITY) < 2 + FIELDS:
        return _SLOW
    for k in range(2):
        price, size = bits_float(word_at(ctx, at.F_BEST + 2 * k)), bits_float(word_at(ctx, at.F_BEST + 2 * k + 1))
        put_level(batch, k, price if price != 0.0 else _NAN, size, 1 - 2 * k)
    hot.fill(ctx, 2, ts_event, ts_recv, 0, 0, _BBO_KIND, 0)
    there = word_at(ctx, at.F_SEEN) >> (at.F_STATISTICS - at.F_BEST)
    count = put_statistics(ctx, 2, at.F_STATISTICS, there, ts_event, ts_recv, 0)
    announce(ctx, _NONE, -1, -1, -1)
    put_word(ctx, hot.C_N, count)
    return count


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    scratch = ctx + hot.C_SCRATCH * 8
    if not scan(ctx, a, n, scratch):
        return _SLOW
    instrument = find_symbol(ctx)
    channel = word_at(ctx, at.F_CHANNEL)
    if channel == at.CH_BOOK:
        answer = _book(ctx, ts_recv)
    else:
        answer = _prints(ctx, ts_recv) if channel == at.CH_TRADE else _ticker(ctx, ts_recv)
        if word_at(ctx, at.F_WHOLE) != 0:
            add_flags(word_at(ctx, hot.C_BATCH), 0, answer, _F_SNAPSHOT)
    return unknown(ctx, scratch) if instrument < 0 and answer != _SLOW else answer


@njit
def _verdict(ctx: int, known_id: int) -> int:
    """Nothing numbers books; prints count by one."""
    if word_at(ctx, hot.C_CHANNEL) != _TRADE or known_id < 0:
        return _FITS
    if word_at(ctx, hot.C_LAST_ID) <= known_id:
        return _STALE
    return _FITS if word_at(ctx, hot.C_FIRST_ID) == known_id + 1 else _GAP


@njit
def kernel(ctx: int, a: int, length: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, length, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    if word_at(ctx, hot.C_CHANNEL) == _NONE:
        return hot.settle_all_by_address(ctx, answer, word_at(ctx, at.F_WHOLE), length, ts_recv)
    row = hot.open_row(ctx)
    if row == 0 or word_at(ctx, at.F_WHOLE) != 0:
        return _NOT_OPEN
    return hot.settle_by_address(ctx, row, _verdict(ctx, word_at(row, hot.LAST_ID)), length, ts_recv)


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
