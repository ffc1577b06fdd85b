"""Frame to records in one kernel call: book deltas, prints and best prices of all markets.

``decode_hot(frame, ctx, ts_recv)`` writes the private batch of the context and answers the number of records or a
negative :class:`~ringcollect.exchanges.protocol.Code`. ``on_hot_frames`` goes on: it tests the venue's continuity rule
against the stream's hot row, publishes and counts. Whole books are left to the feed, decoded; tickers are the shared
kernel's.
"""

from __future__ import annotations

import math

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import bits_float, float_bits, put_word, word_at
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.bybit import fields as at
from ringcollect.exchanges.bybit.continuity import FITS, STALE, update_code
from ringcollect.exchanges.bybit.scan import scan
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.protocol import Code
from ringcollect.exchanges.scanning import announce, find_symbol, mark_whole, unknown
from ringcollect.jit import njit
from ringcollect.records import (
    RECORD_WORDS,
    W_PRICE,
    W_SEQ,
    W_SIZE,
    W_TAIL,
    W_TS_EVENT,
    W_TS_RECV,
    Channel,
    Flag,
    Kind,
)

_SLOW, _UNKNOWN_SYMBOL, _NOT_OPEN = int(Code.SLOW), int(Code.UNKNOWN_SYMBOL), int(Code.NOT_OPEN)
_NONE, _BOOK, _TRADE, _BBO = int(Channel.NONE), int(Channel.BOOK), int(Channel.TRADE), int(Channel.BBO)
_BOOK_SNAPSHOT, _BOOK_DELTA = int(Kind.BOOK_SNAPSHOT), int(Kind.BOOK_DELTA)
_TRADE_KIND, _BBO_KIND = int(Kind.TRADE), int(Kind.BBO)
_F_LAST = int(Flag.LAST)
_NAN = math.nan

_update_code = njit(update_code)


@njit
def _ts_event(ctx: int) -> int:
    """The matching engine's time before the publisher's; 0 when none was sent."""
    return word_at(ctx, at.F_CTS) if word_at(ctx, at.F_CTS) >= 0 else max(word_at(ctx, at.F_TS), 0)


@njit
def _row(ctx: int, instrument: int, channel: int) -> int:
    """Address of a hot row."""
    return hot.row_at(ctx, instrument, channel)


@njit
def _book(ctx: int, ts_recv: int, instrument: int) -> int:
    """A snapshot or a delta of the instrument's primary book."""
    whole = word_at(ctx, at.F_TYPE) == at.TYPE_SNAPSHOT
    if not whole and word_at(ctx, at.F_TYPE) != at.TYPE_DELTA:
        return _SLOW
    if instrument >= 0 and word_at(_row(ctx, instrument, _BOOK), at.R_DEPTH) != word_at(ctx, at.F_DEPTH):
        return _SLOW
    count = word_at(ctx, at.F_LEVELS)
    if count == 0:  # one record all the same, so that chain and frame counts close
        put_level(word_at(ctx, hot.C_BATCH), 0, _NAN, 0.0, 0)
        count = 1
    update = word_at(ctx, at.F_UPDATE)
    announce(ctx, _BOOK, -1 if whole else update, update, -1)
    kind = _BOOK_SNAPSHOT if whole else _BOOK_DELTA
    hot.fill(ctx, count, _ts_event(ctx), ts_recv, update, -1 if whole else 0, kind, 0)
    if whole:
        mark_whole(ctx, count)
    return count


@njit
def _best_of(batch: int, count: int, side: int, price: float, size: float) -> tuple[float, float]:
    """Best price and size of a side after ``count`` levels of both; (``price``, ``size``) were it before, 0 = none."""
    for r in range(count):
        level = batch + r * RECORD_WORDS * 8
        gone = word_at(level, W_TAIL) == side and bits_float(word_at(level, W_SIZE)) == 0.0
        if gone and bits_float(word_at(level, W_PRICE)) == price:
            price = size = 0.0
    found = False
    for r in range(count):
        level = batch + r * RECORD_WORDS * 8
        one, left = bits_float(word_at(level, W_PRICE)), bits_float(word_at(level, W_SIZE))
        if word_at(level, W_TAIL) != side or left == 0.0:
            continue
        if not found or side * one > side * price or (one == price and left > size):
            found = True
            price, size = one, left
    return price, size


@njit
def _best(ctx: int, ts_recv: int, instrument: int) -> int:
    """A snapshot of depth 1, or a change of it as sent until 2023; a side without orders is NaN."""
    whole = word_at(ctx, at.F_TYPE) == at.TYPE_SNAPSHOT
    if not whole and (word_at(ctx, at.F_TYPE) != at.TYPE_DELTA or instrument < 0):
        return _SLOW
    batch, count = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_LEVELS)
    row = _row(ctx, max(instrument, 0), _NONE)
    bid, bid_size, ask, ask_size = 0.0, 0.0, 0.0, 0.0
    if not whole:
        bid, bid_size = bits_float(word_at(row, at.R_BID)), bits_float(word_at(row, at.R_BID_SIZE))
        ask, ask_size = bits_float(word_at(row, at.R_ASK)), bits_float(word_at(row, at.R_ASK_SIZE))
    bid, bid_size = _best_of(batch, count, 1, bid, bid_size)
    ask, ask_size = _best_of(batch, count, -1, ask, ask_size)
    if instrument >= 0:
        put_word(row, at.R_BID, float_bits(bid))
        put_word(row, at.R_BID_SIZE, float_bits(bid_size))
        put_word(row, at.R_ASK, float_bits(ask))
        put_word(row, at.R_ASK_SIZE, float_bits(ask_size))
    put_level(batch, 0, bid if bid != 0.0 else _NAN, bid_size, 1)
    put_level(batch, 1, ask if ask != 0.0 else _NAN, ask_size, -1)
    update = word_at(ctx, at.F_UPDATE)
    announce(ctx, _BBO, update, update, -1)
    hot.fill(ctx, 2, _ts_event(ctx), ts_recv, update, 0, _BBO_KIND, 0)
    return 2


@njit
def _prints(ctx: int, ts_recv: int) -> int:
    """Prints have each their own time and id, which :func:`scan.scan` has written."""
    batch, count = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_LEVELS)
    base = word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | _TRADE_KIND << 32
    for r in range(count):
        record = batch + r * RECORD_WORDS * 8
        note = word_at(record, W_TAIL)
        flags = (note >> 16) | hot.bad_ts_flag(ctx, word_at(record, W_TS_EVENT), ts_recv)
        if r == count - 1:
            flags |= _F_LAST
        put_word(record, W_TAIL, base | (note & 0xFF) << 40 | (note >> 8 & 0xFF) << 24 | flags << 48)
        put_word(record, W_SEQ, 0)
        put_word(record, W_TS_RECV, ts_recv)
    announce(ctx, _TRADE, -1, -1, -1)
    put_word(ctx, hot.C_N, count)
    return count


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    if not scan(ctx, a, n):
        return _SLOW
    instrument = find_symbol(ctx)
    if word_at(ctx, at.F_TOPIC) == at.TOPIC_TRADE:
        answer = _prints(ctx, ts_recv)
    elif word_at(ctx, at.F_DEPTH) == at.BEST:
        answer = _best(ctx, ts_recv, instrument)
    else:
        answer = _book(ctx, ts_recv, instrument)
    return unknown(ctx, ctx + hot.C_SCRATCH * 8) if instrument < 0 and answer != _SLOW else answer


@njit
def _verdict(ctx: int, known_id: int) -> int:
    """The venue's rule for the decoded frame against the last accepted id; prints are counted by nothing."""
    channel = word_at(ctx, hot.C_CHANNEL)
    last_id = word_at(ctx, hot.C_LAST_ID)
    if channel == _BOOK:
        return _update_code(known_id, last_id, last_id, -1)
    return FITS if channel == _TRADE or last_id > known_id else STALE


@njit
def kernel(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, n, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    row = hot.open_row(ctx)
    whole = word_at(ctx, hot.C_CHANNEL) == _BOOK and word_at(ctx, at.F_TYPE) == at.TYPE_SNAPSHOT
    if row == 0 or whole:
        return _NOT_OPEN
    return hot.settle_by_address(ctx, row, _verdict(ctx, word_at(row, hot.LAST_ID)), n, ts_recv)


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
