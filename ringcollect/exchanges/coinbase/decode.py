"""Message to records in one kernel call: books, prints and tickers of both feeds.

``decode_hot(frame, ctx, ts_recv)`` writes the private batch of the context and answers the number of records or a
negative :class:`~ringcollect.exchanges.protocol.Code`. ``on_hot_frames`` goes on: it tests trade ids and the number of
the message on its connection, publishes and counts. What repeats the past (whole books, trades of before the
subscription) is decoded here too, but left to the feed to publish.
"""

from __future__ import annotations

import math

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import bits_float, put_word, word_at
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.coinbase import fields as at
from ringcollect.exchanges.coinbase.scan import scan as scan_advanced
from ringcollect.exchanges.coinbase.scan_exchange import scan as scan_exchange
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.protocol import Code, Verdict
from ringcollect.exchanges.scanning import announce, find_symbol, unknown
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
_DELTA_KIND, _SNAPSHOT_KIND, _TRADE_KIND, _BBO_KIND = (
    int(Kind.BOOK_DELTA), int(Kind.BOOK_SNAPSHOT), int(Kind.TRADE), int(Kind.BBO),
)  # fmt: skip
_CLEAR, _SNAPSHOT, _LAST = int(Flag.CLEAR), int(Flag.SNAPSHOT), int(Flag.LAST)
_FITS, _STALE, _GAP = int(Verdict.FITS), int(Verdict.STALE), int(Verdict.GAP)
_NAN = math.nan


@njit
def _complete(ctx: int, n: int, ts_recv: int, kind: int, first_flags: int) -> None:
    """What is still missing in ``n`` records; one without a time of its own has the message's."""
    batch, published = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_TS)
    base = word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | kind << 32
    flags = _SNAPSHOT if word_at(ctx, at.F_SNAPSHOT) else 0
    for r in range(n):
        record = batch + r * RECORD_WORDS * 8
        ts_event = word_at(record, W_TS_EVENT)
        if ts_event == 0:
            ts_event = published
            put_word(record, W_TS_EVENT, published)
        more = flags | hot.bad_ts_flag(ctx, ts_event, ts_recv)
        if r == 0:
            more |= first_flags
        if r == n - 1:
            more |= _LAST
        put_word(record, W_SEQ, 0)
        put_word(record, W_TS_RECV, ts_recv)
        put_word(record, W_TAIL, base | (word_at(record, W_TAIL) & 0xFF) << 40 | more << 48)
    put_word(ctx, hot.C_N, n)


@njit
def _book(ctx: int, ts_recv: int) -> int:
    batch, n = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_COUNT)
    whole = word_at(ctx, at.F_SNAPSHOT) != 0
    if n == 0:  # one record all the same, so that chain and frame counts close
        put_level(batch, 0, _NAN, 0.0, 0)
        put_word(batch, W_TS_EVENT, 0)
        n = 1
    for r in range(n):
        put_word(batch, r * RECORD_WORDS + W_ID, 0)
        put_word(batch, r * RECORD_WORDS + W_AUX, -1 if whole else 0)
    _complete(ctx, n, ts_recv, _SNAPSHOT_KIND if whole else _DELTA_KIND, _CLEAR if whole else 0)
    announce(ctx, _BOOK, -1, -1, -1)
    return n


@njit
def _prints(ctx: int, ts_recv: int) -> int:
    """In the order sent, which is newest first on Advanced Trade."""
    batch, n = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_COUNT)
    first_id = word_at(batch, W_ID)
    last_id = first_id
    for r in range(1, n):
        identity = word_at(batch, r * RECORD_WORDS + W_ID)
        first_id = min(first_id, identity)
        last_id = max(last_id, identity)
    _complete(ctx, n, ts_recv, _TRADE_KIND, 0)
    announce(ctx, _TRADE, first_id, last_id, -1)
    return n


@njit
def _ticker(ctx: int, ts_recv: int) -> int:
    """Best bid, best ask (a side without orders has the price 0 on the wire: NaN), and behind them the statistics."""
    batch = word_at(ctx, hot.C_BATCH)
    if word_at(ctx, hot.C_CAPACITY) < 2 + FIELDS:
        return _SLOW
    for r in range(2):
        price = bits_float(word_at(ctx, at.F_BID if r == 0 else at.F_ASK))
        size = bits_float(word_at(ctx, at.F_BID_SIZE if r == 0 else at.F_ASK_SIZE))
        if price == 0.0:
            price, size = _NAN, 0.0
        put_level(batch, r, price, size, 1 - 2 * r)
        put_word(batch, r * RECORD_WORDS + W_TS_EVENT, 0)
        put_word(batch, r * RECORD_WORDS + W_ID, 0)
        put_word(batch, r * RECORD_WORDS + W_AUX, 0)
    _complete(ctx, 2, ts_recv, _BBO_KIND, 0)
    there = word_at(ctx, at.F_SEEN) >> at.N_PRICE & (1 << at.N_LAST_NUMBER - at.N_PRICE + 1) - 1
    flags = _SNAPSHOT if word_at(ctx, at.F_SNAPSHOT) else 0
    count = put_statistics(ctx, 2, at.F_PRICE, there, word_at(ctx, at.F_TS), ts_recv, flags)
    announce(ctx, _NONE, -1, -1, -1)
    put_word(ctx, hot.C_N, count)
    return count


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    """Decode the message of ``n`` bytes at ``a``; ``ctx`` is the context's address."""
    if not scan_advanced(ctx, a, n) and not scan_exchange(ctx, a, n):
        return _SLOW
    instrument = find_symbol(ctx)
    kind = word_at(ctx, at.F_KIND)
    if kind == at.KIND_BOOK:
        answer = _book(ctx, ts_recv)
    elif kind == at.KIND_TRADE:
        answer = _prints(ctx, ts_recv)
    else:
        answer = _ticker(ctx, ts_recv)
    return unknown(ctx, ctx + hot.C_SCRATCH * 8) if instrument < 0 and answer != _SLOW else answer


@njit
def _verdict(ctx: int, known_id: int) -> int:
    """Trade ids count by one; books are numbered by nothing but their connection."""
    if word_at(ctx, hot.C_CHANNEL) != _TRADE or known_id < 0:
        return _FITS
    if word_at(ctx, hot.C_LAST_ID) <= known_id:
        return _STALE
    return _FITS if word_at(ctx, hot.C_FIRST_ID) == known_id + 1 else _GAP


@njit
def kernel(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, n, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    if word_at(ctx, hot.C_CHANNEL) == _NONE:
        return hot.settle_all_by_address(ctx, answer, word_at(ctx, at.F_SNAPSHOT), n, ts_recv)
    row = hot.open_row(ctx)
    if row == 0 or word_at(ctx, at.F_SNAPSHOT) != 0:
        return _NOT_OPEN
    return hot.settle_by_address(ctx, row, _verdict(ctx, word_at(row, hot.LAST_ID)), n, ts_recv)


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
