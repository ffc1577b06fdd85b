"""Frame to records in one kernel call: book updates, prints and best prices of all markets.

``decode_hot(frame, ctx, ts_recv)`` writes the private batch of the context and answers the number of records or a
negative :class:`~ringcollect.exchanges.protocol.Code`. ``on_hot_frames`` goes on: it tests the venue's continuity rule
against the stream's hot row, publishes and counts. Whole books, and changes without ids (before 2022-12) of a book that
has some, are left to the feed, decoded; the replay of old prints goes the typed way.
"""

from __future__ import annotations

import math

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import put_word, word_at
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.okx import fields as at
from ringcollect.exchanges.okx.continuity import FITS, GAP, STALE, update_code
from ringcollect.exchanges.okx.scan import scan
from ringcollect.exchanges.protocol import Code
from ringcollect.exchanges.scanning import add_flags, announce, find_symbol, mark_whole, unknown
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
_BOOK, _TRADE, _BBO = int(Channel.BOOK), int(Channel.TRADE), int(Channel.BBO)
_BOOK_SNAPSHOT, _BOOK_DELTA, _CHECK, _TRADE_KIND, _BBO_KIND = (
    int(Kind.BOOK_SNAPSHOT), int(Kind.BOOK_DELTA), int(Kind.BOOK_CHECK), int(Kind.TRADE), int(Kind.BBO),
)  # fmt: skip
_F_LAST, _F_CLEAR = int(Flag.LAST), int(Flag.CLEAR)
_NAN = math.nan

_update_code = njit(update_code)


@njit
def _is_whole(ctx: int) -> bool:
    """Whether the frame's book is complete, as short ones always are."""
    return word_at(ctx, at.F_CHANNEL) == at.CH_SHORT or word_at(ctx, at.F_ACTION) == at.ACTION_SNAPSHOT


@njit
def _known(ctx: int, instrument: int) -> int:
    """What is known of an instrument's book (``fields.R_BOOK``)."""
    return word_at(hot.row_at(ctx, instrument, _BOOK), at.R_BOOK)


@njit
def _book(ctx: int, ts_recv: int) -> int:
    """A whole book or a delta, and behind it its checksum if there is one (0 is none)."""
    sequence, batch = word_at(ctx, at.F_SEQ), word_at(ctx, hot.C_BATCH)
    whole = _is_whole(ctx)
    if not whole and word_at(ctx, at.F_ACTION) != at.ACTION_UPDATE:
        return _SLOW
    count = word_at(ctx, at.F_LEVELS)
    if count == 0:  # one record all the same: the heartbeat is a link of the chain
        put_level(batch, 0, _NAN, 0.0, 0)
        count = 1
    checked = word_at(ctx, at.F_CHECKSUM) != 0
    if checked and count >= word_at(ctx, hot.C_CAPACITY):
        return _SLOW
    announce(ctx, _BOOK, -1, sequence, -1 if whole else word_at(ctx, at.F_PREV))
    kind = _BOOK_SNAPSHOT if whole else _BOOK_DELTA
    identity = max(sequence, 0)
    hot.fill(ctx, count, word_at(ctx, at.F_TS), ts_recv, identity, -1 if whole else 0, kind, 0)
    if word_at(ctx, at.F_CHANNEL) == at.CH_SHORT:
        add_flags(batch, 0, 1, _F_CLEAR)  # every one of them is news
    elif whole:
        mark_whole(ctx, count)
    if checked:
        put_level(batch, count, _NAN, _NAN, 0)
        record = batch + count * RECORD_WORDS * 8
        put_word(record, W_SEQ, 0)
        put_word(record, W_TS_EVENT, word_at(ctx, at.F_TS))
        put_word(record, W_TS_RECV, ts_recv)
        put_word(record, W_ID, identity)
        put_word(record, W_AUX, word_at(ctx, at.F_CHECKSUM))
        flags = hot.bad_ts_flag(ctx, word_at(ctx, at.F_TS), ts_recv) | _F_LAST
        put_word(
            record, W_TAIL, word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | _CHECK << 32 | flags << 48
        )
        count += 1
        put_word(ctx, hot.C_N, count)
    return count


@njit
def _best(ctx: int, ts_recv: int) -> int:
    """Best bid, best ask; an empty side is NaN."""
    batch, count = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_LEVELS)
    first = word_at(batch, W_TAIL) if count > 0 else 0
    second = word_at(batch, RECORD_WORDS + W_TAIL) if count > 1 else 0
    if count > 2 or (count == 2 and first == second):
        return _SLOW
    if count == 0:
        put_level(batch, 0, _NAN, 0.0, 1)
        put_level(batch, 1, _NAN, 0.0, -1)
    elif count == 1 and first == 1:
        put_level(batch, 1, _NAN, 0.0, -1)
    elif count == 1:  # the ask moves down
        for w in range(RECORD_WORDS):
            put_word(batch, RECORD_WORDS + w, word_at(batch, w))
        put_level(batch, 0, _NAN, 0.0, 1)
    sequence = word_at(ctx, at.F_SEQ)
    announce(ctx, _BBO, sequence, sequence, -1)
    hot.fill(ctx, 2, word_at(ctx, at.F_TS), ts_recv, max(sequence, 0), 0, _BBO_KIND, 0)
    return 2


@njit
def _prints(ctx: int, ts_recv: int) -> int:
    """Prints have each their own time and ids, which :func:`scan.scan` has written."""
    if word_at(ctx, at.F_HISTORY) != 0:
        return _SLOW
    batch, count = word_at(ctx, hot.C_BATCH), word_at(ctx, at.F_LEVELS)
    base = word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | _TRADE_KIND << 32
    first_id = word_at(batch, W_AUX)
    last_id = word_at(batch, W_ID)
    for r in range(count):
        record = batch + r * RECORD_WORDS * 8
        side_and_sub = word_at(record, W_TAIL)
        flags = hot.bad_ts_flag(ctx, word_at(record, W_TS_EVENT), ts_recv)
        if r == count - 1:
            flags |= _F_LAST
        tail = base | (side_and_sub & 0xFF) << 40 | (side_and_sub >> 8) << 24 | flags << 48
        put_word(record, W_TAIL, tail)
        put_word(record, W_SEQ, 0)
        put_word(record, W_TS_RECV, ts_recv)
        first_id = min(first_id, word_at(record, W_AUX))
        last_id = max(last_id, word_at(record, W_ID))
    announce(ctx, _TRADE, first_id, last_id, -1)
    put_word(ctx, hot.C_N, count)
    return count


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    scratch = ctx + hot.C_SCRATCH * 8
    if not scan(ctx, a, n, scratch):
        return _SLOW
    instrument = find_symbol(ctx)
    channel = word_at(ctx, at.F_CHANNEL)
    if channel == at.CH_BOOK or channel == at.CH_SHORT:
        if channel == at.CH_SHORT and instrument >= 0 and _known(ctx, instrument) & at.HAS_WHOLE:
            return _SLOW  # a second, shorter book
        answer = _book(ctx, ts_recv)
    elif channel == at.CH_BEST:
        answer = _best(ctx, ts_recv)
    else:
        answer = _prints(ctx, ts_recv)
    return unknown(ctx, scratch) if instrument < 0 and answer != _SLOW else answer


@njit
def _verdict(ctx: int, known_id: int) -> int:
    """The venue's rule for the decoded frame against the last accepted id."""
    channel = word_at(ctx, hot.C_CHANNEL)
    last_id = word_at(ctx, hot.C_LAST_ID)
    if channel == _BOOK and last_id < 0:
        return FITS
    if channel == _BOOK:
        return _update_code(known_id, -1, last_id, word_at(ctx, hot.C_PREV_ID))
    if known_id < 0 or last_id < 0:
        return FITS
    if last_id <= known_id:
        return STALE
    return FITS if channel == _BBO or word_at(ctx, hot.C_FIRST_ID) == known_id + 1 else GAP


@njit
def _without_ids(ctx: int, row: int) -> bool:
    """Whether neither the change nor the book it is of is numbered."""
    return word_at(ctx, at.F_SEQ) < 0 and word_at(row, at.R_BOOK) & at.HAS_NO_IDS != 0


@njit
def kernel(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, n, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    row = hot.open_row(ctx)
    if row == 0 or _is_whole(ctx):
        return _NOT_OPEN
    if word_at(ctx, hot.C_CHANNEL) == _BOOK and word_at(ctx, at.F_PREV) < 0 and not _without_ids(ctx, row):
        return _NOT_OPEN
    return hot.settle_by_address(ctx, row, _verdict(ctx, word_at(row, hot.LAST_ID)), n, ts_recv)


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
