"""Message to records in one kernel call: complete books with their best prices, and prints.

A book message is two batches, the book and its top: ``decode_hot`` writes one behind the other and answers how many
records there are; ``hot.C_N`` is the book's part. ``on_hot_frames`` publishes both, or leaves both to the feed.
"""

from __future__ import annotations

import math

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import bits_float, put_word, word_at
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.protocol import Code, Verdict
from ringcollect.exchanges.recent import content_key
from ringcollect.exchanges.scanning import add_flags, announce, find_symbol, unknown
from ringcollect.exchanges.upbit import fields as at
from ringcollect.exchanges.upbit.scan import scan
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_PRICE, W_SIZE, Channel, Flag, Kind

_SLOW, _NOT_OPEN = int(Code.SLOW), int(Code.NOT_OPEN)
_BOOK, _TRADE, _BBO = int(Channel.BOOK), int(Channel.TRADE), int(Channel.BBO)
_BOOK_KIND, _TRADE_KIND, _BBO_KIND = int(Kind.BOOK_SNAPSHOT), int(Kind.TRADE), int(Kind.BBO)
_CLEAR, _SNAPSHOT = int(Flag.CLEAR), int(Flag.SNAPSHOT)
_FITS = int(Verdict.FITS)
_NAN = math.nan


@njit
def _best(ctx: int, n: int, ts_recv: int) -> None:
    """The book's first bid and first ask, behind its ``n`` records; a side without levels is NaN."""
    batch, bids, asks = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_BIDS), word_at(ctx, at.F_ASKS)
    put_level(batch, n, _NAN, 0.0, 1)
    put_level(batch, n + 1, _NAN, 0.0, -1)
    for w in (W_PRICE, W_SIZE):
        if bids > 0:
            put_word(batch, n * RECORD_WORDS + w, word_at(batch, w))
        if asks > 0:
            put_word(batch, (n + 1) * RECORD_WORDS + w, word_at(batch, bids * RECORD_WORDS + w))
    put_word(ctx, hot.C_BATCH, batch + n * RECORD_WORDS * 8)
    hot.fill(ctx, 2, word_at(ctx, at.F_TS), ts_recv, 0, 0, _BBO_KIND, 0)
    put_word(ctx, hot.C_BATCH, batch)


@njit
def _book(ctx: int, ts_recv: int) -> int:
    batch = word_at(ctx, hot.C_BATCH)
    n = word_at(ctx, at.F_BIDS) + word_at(ctx, at.F_ASKS)
    if n == 0:
        put_level(batch, 0, _NAN, 0.0, 0)
        n = 1
    _best(ctx, n, ts_recv)
    hot.fill(ctx, n, word_at(ctx, at.F_TS), ts_recv, 0, -1, _BOOK_KIND, 0)
    if word_at(ctx, at.F_SNAPSHOT):
        add_flags(batch, 0, n + 2, _SNAPSHOT)
    add_flags(batch, 0, 1, _CLEAR)
    announce(ctx, _BOOK, -1, -1, -1)
    return n + 2


@njit
def _trade(ctx: int, ts_recv: int) -> int:
    if word_at(ctx, at.F_SIDE) == 0:
        return _SLOW
    price, size = bits_float(word_at(ctx, at.F_PRICE)), bits_float(word_at(ctx, at.F_SIZE))
    put_level(word_at(ctx, hot.C_BATCH), 0, price, size, word_at(ctx, at.F_SIDE))
    hot.fill(ctx, 1, word_at(ctx, at.F_TS), ts_recv, word_at(ctx, at.F_ID), word_at(ctx, at.F_ID), _TRADE_KIND, 0)
    if word_at(ctx, at.F_SNAPSHOT):
        add_flags(word_at(ctx, hot.C_BATCH), 0, 1, _SNAPSHOT)
    announce(ctx, _TRADE, -1, -1, -1)  # ids that are not dense tell nothing
    return 1


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    scratch = ctx + hot.C_SCRATCH * 8
    if not scan(ctx, a, n, scratch):
        return _SLOW
    instrument = find_symbol(ctx)
    answer = _book(ctx, ts_recv) if word_at(ctx, at.F_KIND) == at.KIND_BOOK else _trade(ctx, ts_recv)
    return unknown(ctx, scratch) if instrument < 0 and answer != _SLOW else answer


@njit
def kernel(ctx: int, a: int, length: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, length, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    row = hot.open_row(ctx)
    if word_at(ctx, hot.C_CHANNEL) == _TRADE:
        return hot.settle_by_address(ctx, row, _FITS, length, ts_recv) if row != 0 else _NOT_OPEN
    put_word(ctx, hot.C_CHANNEL, _BBO)
    best = hot.open_row(ctx)
    if best == 0 and hot.is_wanted(ctx):
        return _SLOW
    put_word(ctx, hot.C_CHANNEL, _BOOK)
    n = word_at(ctx, hot.C_N)
    if row == 0 or word_at(ctx, at.F_TS) <= word_at(row, hot.LAST_TS):
        return _SLOW  # no newer than the last one: sent again, or overtaken
    if hot.settle_by_address(ctx, row, _FITS, length, ts_recv) < 0:
        return _SLOW
    put_word(row, hot.CONTENT, content_key(word_at(ctx, hot.C_BATCH), n))
    return n + hot.settle_more(ctx, best, n, 2, ts_recv) if best != 0 else n


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
