"""Frame to records in one kernel call: one level of a book, or one ordinary print.

The kernel writes the private batch of the context and answers the number of records or a negative
:class:`~ringcollect.exchanges.protocol.Code`; to publish, it tests ``seq`` against the stream's hot row. Snapshots,
histories, tickers and prints that are no ordinary fills go the typed way.
"""

from __future__ import annotations

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import bits_float, put_word, word_at
from ringcollect.exchanges import entries, hot
from ringcollect.exchanges.entries import kernel_entry
from ringcollect.exchanges.kraken_futures import fields as at
from ringcollect.exchanges.kraken_futures.continuity import FITS, sequence_code
from ringcollect.exchanges.kraken_futures.scan import scan
from ringcollect.exchanges.protocol import Code
from ringcollect.exchanges.scanning import announce, find_symbol, unknown
from ringcollect.jit import njit
from ringcollect.records import W_TAIL, Channel, Flag, Kind

_SLOW, _NOT_OPEN = int(Code.SLOW), int(Code.NOT_OPEN)
_BOOK, _TRADE = int(Channel.BOOK), int(Channel.TRADE)
_BOOK_DELTA, _TRADE_KIND = int(Kind.BOOK_DELTA), int(Kind.TRADE)
_UUID = int(Flag.UUID)

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
def _print(ctx: int, ts_recv: int) -> int:
    """A print is named by its UUID and counted by its ``seq``."""
    batch = word_at(ctx, hot.C_BATCH)
    seq = word_at(ctx, at.F_SEQ)
    price, size = bits_float(word_at(ctx, at.F_PRICE)), bits_float(word_at(ctx, at.F_SIZE))
    put_level(batch, 0, price, size, word_at(ctx, at.F_SIDE))
    announce(ctx, _TRADE, seq, seq, -1)
    high, low = word_at(ctx, at.F_UID_HIGH), word_at(ctx, at.F_UID_LOW)
    hot.fill(ctx, 1, word_at(ctx, at.F_TIME), ts_recv, high, low, _TRADE_KIND, 0)
    put_word(batch, W_TAIL, word_at(batch, W_TAIL) | _UUID << 48)
    return 1


@njit
def _decode(ctx: int, a: int, n: int, ts_recv: int) -> int:
    if not scan(ctx, a, n):
        return _SLOW
    instrument = find_symbol(ctx)
    answer = _book(ctx, ts_recv) if word_at(ctx, at.F_FEED) == at.FEED_BOOK else _print(ctx, ts_recv)
    return unknown(ctx, ctx + hot.C_SCRATCH * 8) if instrument < 0 else answer


@njit
def kernel(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """See :mod:`ringcollect.exchanges.entries`."""
    answer = _decode(ctx, a, n, ts_recv)
    if answer < 0 or publish == 0:
        return answer
    row = hot.open_row(ctx)
    if row == 0:
        return _NOT_OPEN
    known, seq = word_at(row, hot.LAST_ID), word_at(ctx, hot.C_LAST_ID)
    verdict = _sequence_code(known, seq, seq, -1) if known >= 0 else FITS
    return hot.settle(ctx, row, verdict, n, ts_recv)


KERNEL = kernel_entry(kernel)


def warm() -> None:
    """Compile everything a feed of this exchange calls, the ways in included."""
    entries.warm()
    assert KERNEL.address
