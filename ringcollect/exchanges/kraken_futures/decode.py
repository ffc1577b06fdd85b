"""Frame to records in one kernel call: a level of a book or the whole of it, a print or the history of them.

The kernel writes the private batch of the context and answers the number of records or a negative
:class:`~ringcollect.exchanges.protocol.Code`; to publish, it tests ``seq`` against the stream's hot row. Whole books,
histories and forced orders are left to the feed, decoded. Of several trades, and of a forced one, which is told twice,
each part of the batch ends with LAST, and ``seq`` of a trade is the venue's until the decoder takes it.
"""

from __future__ import annotations

import math

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import bits_float, float_bits, out_of_line, put_word, word_at
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.kraken_futures import fields as at
from ringcollect.exchanges.kraken_futures.continuity import FITS, sequence_code
from ringcollect.exchanges.kraken_futures.scan import SUB_SHIFT, UUID_SHIFT, scan
from ringcollect.exchanges.protocol import Code
from ringcollect.exchanges.scanning import announce, find_symbol, mark_whole, unknown
from ringcollect.jit import njit
from ringcollect.records import (
    RECORD_WORDS,
    W_AUX,
    W_ID,
    W_PRICE,
    W_SEQ,
    W_SIZE,
    W_TAIL,
    W_TS_EVENT,
    W_TS_RECV,
    Channel,
    Flag,
    Kind,
    LiquidationSub,
    TradeSub,
)

_SLOW, _NOT_OPEN = int(Code.SLOW), int(Code.NOT_OPEN)
_NONE, _BOOK, _TRADE = int(Channel.NONE), int(Channel.BOOK), int(Channel.TRADE)
_BOOK_SNAPSHOT, _BOOK_DELTA = int(Kind.BOOK_SNAPSHOT), int(Kind.BOOK_DELTA)
_TRADE_KIND, _FORCED_KIND = int(Kind.TRADE), int(Kind.LIQUIDATION)
_FORCED, _AVERAGE = int(TradeSub.LIQUIDATION), int(LiquidationSub.AVERAGE)
_F_LAST, _F_SNAPSHOT, _F_UUID = int(Flag.LAST), int(Flag.SNAPSHOT), int(Flag.UUID)
_NAN = math.nan
_RECORD_BYTES = RECORD_WORDS * 8

_sequence_code = njit(sequence_code)


@njit
def _book(ctx: int, ts_recv: int) -> int:
    """One level, absolute; a size below zero is none."""
    size = bits_float(word_at(ctx, at.F_SIZE))
    seq = word_at(ctx, at.F_SEQ)
    price = bits_float(word_at(ctx, at.F_PRICE))
    put_level(word_at(ctx, hot.C_BATCH), 0, price, size if size > 0.0 else 0.0, word_at(ctx, at.F_SIDE))
    announce(ctx, _BOOK, seq, seq, -1)
    hot.fill(ctx, 1, word_at(ctx, at.F_TIMESTAMP), ts_recv, seq, 0, _BOOK_DELTA, 0)
    return 1


@njit
def _whole(ctx: int, ts_recv: int) -> int:
    """The whole book, without the levels of no size that it may hold."""
    out_of_line()
    batch, seq = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_SEQ)
    kept = 0
    for r in range(word_at(ctx, at.F_COUNT)):
        level = batch + r * _RECORD_BYTES
        size = bits_float(word_at(level, W_SIZE))
        if size > 0.0:
            put_level(batch, kept, bits_float(word_at(level, W_PRICE)), size, word_at(level, W_TAIL))
            kept += 1
    if kept == 0:
        put_level(batch, 0, _NAN, 0.0, 0)
        kept = 1
    announce(ctx, _BOOK, -1, seq, -1)
    hot.fill(ctx, kept, word_at(ctx, at.F_TIMESTAMP), ts_recv, seq, -1, _BOOK_SNAPSHOT, 0)
    mark_whole(ctx, kept)
    return kept


@njit
def _oldest_first(batch: int, n: int) -> bool:
    """Turn a history round, which comes newest first; False if it is in no order."""
    if n > 1 and word_at(batch, W_SEQ) > word_at(batch + _RECORD_BYTES, W_SEQ):
        for r in range(n // 2):
            one, other = batch + r * _RECORD_BYTES, batch + (n - 1 - r) * _RECORD_BYTES
            for w in range(RECORD_WORDS):
                kept = word_at(one, w)
                put_word(one, w, word_at(other, w))
                put_word(other, w, kept)
    for r in range(1, n):
        if word_at(batch, (r - 1) * RECORD_WORDS + W_SEQ) > word_at(batch, r * RECORD_WORDS + W_SEQ):
            return False
    return True


@njit
def _forced(ctx: int, n: int) -> int:
    """Of ``n`` complete trades the forced ones once more, behind them, as forced orders: records then, or SLOW."""
    out_of_line()
    batch, total = word_at(ctx, hot.C_BATCH), n
    for r in range(n):
        trade = batch + r * _RECORD_BYTES
        tail = word_at(trade, W_TAIL)
        if tail >> 24 & 0xFF != _FORCED:
            continue
        if total >= word_at(ctx, hot.C_CAPACITY):
            return _SLOW
        order = batch + total * _RECORD_BYTES
        total += 1
        put_word(order, W_SEQ, 0)
        put_word(order, W_TS_EVENT, word_at(trade, W_TS_EVENT))
        put_word(order, W_TS_RECV, word_at(trade, W_TS_RECV))
        put_word(order, W_PRICE, word_at(trade, W_PRICE))
        put_word(order, W_SIZE, word_at(trade, W_SIZE))
        put_word(order, W_ID, word_at(trade, W_SEQ))
        put_word(order, W_AUX, float_bits(_NAN))
        kept = tail & (0xFF << 40 | 0xFFFFFF) | _AVERAGE << 24 | _FORCED_KIND << 32
        flags = tail >> 48 & 0xFFFF & ~(_F_UUID | _F_LAST)
        put_word(order, W_TAIL, kept | flags << 48)
    if total > n:
        last = (total - 1) * RECORD_WORDS + W_TAIL
        put_word(batch, last, word_at(batch, last) | _F_LAST << 48)
    return total


@njit
def _prints(ctx: int, ts_recv: int) -> int:
    """Trades that :func:`scan.scan` has read, each a part of its own. A print is named by its UUID."""
    batch, count, history = (
        word_at(ctx, hot.C_BATCH),
        word_at(ctx, at.F_COUNT),
        word_at(ctx, at.F_FEED) != at.FEED_TRADE,
    )
    if history and not _oldest_first(batch, count):
        return _SLOW
    head = word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | _TRADE_KIND << 32
    has_forced = False
    for r in range(count):
        record = batch + r * _RECORD_BYTES
        tail = word_at(record, W_TAIL)
        sub = tail >> SUB_SHIFT & 0xFF
        has_forced = has_forced or sub == _FORCED
        flags = hot.bad_ts_flag(ctx, word_at(record, W_TS_EVENT), ts_recv) | _F_LAST
        flags |= (_F_SNAPSHOT if history else 0) | (_F_UUID if tail >> UUID_SHIFT != 0 else 0)
        put_word(record, W_TS_RECV, ts_recv)
        put_word(record, W_TAIL, head | sub << 24 | (tail & 0xFF) << 40 | flags << 48)
    if history or has_forced:
        announce(ctx, _NONE, -1, -1, -1)
        count = _forced(ctx, count) if has_forced else count
    else:
        seq = word_at(batch, W_SEQ)
        announce(ctx, _TRADE, seq, seq, -1)
        put_word(batch, W_SEQ, 0)
    put_word(ctx, hot.C_N, max(count, 0))
    return count


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    if not scan(ctx, a, n):
        return _SLOW
    instrument = find_symbol(ctx)
    feed = word_at(ctx, at.F_FEED)
    if feed == at.FEED_BOOK:
        answer = _book(ctx, ts_recv)
    else:
        answer = _whole(ctx, ts_recv) if feed == at.FEED_WHOLE else _prints(ctx, ts_recv)
    return unknown(ctx, ctx + hot.C_SCRATCH * 8) if instrument < 0 and answer != _SLOW else answer


@njit
def kernel(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, n, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    if word_at(ctx, hot.C_CHANNEL) == _NONE or word_at(ctx, at.F_FEED) == at.FEED_WHOLE:
        return _NOT_OPEN
    row = hot.open_row(ctx)
    if row == 0:
        return _NOT_OPEN
    known, seq = word_at(row, hot.LAST_ID), word_at(ctx, hot.C_LAST_ID)
    verdict = _sequence_code(known, seq, seq, -1) if known >= 0 else FITS
    return hot.settle_by_address(ctx, row, verdict, n, ts_recv)


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
