"""24 h statistics that a kernel of an exchange has found beside best prices, as records of the private batch."""

from __future__ import annotations

import math

from ringcollect.decode.levels import put_level
from ringcollect.decode.memory import bits_float, put_word, word_at
from ringcollect.exchanges import hot
from ringcollect.jit import njit
from ringcollect.records import RECORD_WORDS, W_AUX, W_ID, W_SEQ, W_TAIL, W_TS_EVENT, W_TS_RECV, Flag, Kind, TickerField

FIELDS = len(TickerField)
_TICKER, _LAST = int(Kind.TICKER), int(Flag.LAST)
_NAN = math.nan


@njit
def put_statistics(ctx: int, first: int, place: int, there: int, ts_event: int, ts_recv: int, flags: int) -> int:
    """Records from ``first`` on, one per field that is there, as ``typed.statistics`` makes them: where they end.

    The bits of field f's float64 are context word ``place + f - 1``; bit f - 1 of ``there`` says whether it was sent.
    """
    batch, end = word_at(ctx, hot.C_BATCH), first
    flags |= hot.bad_ts_flag(ctx, ts_event, ts_recv)
    tail = word_at(ctx, hot.C_INSTRUMENT) | word_at(ctx, hot.C_CONN) << 16 | _TICKER << 32
    for k in range(FIELDS):
        if there >> k & 1:
            record = batch + end * RECORD_WORDS * 8
            put_level(batch, end, bits_float(word_at(ctx, place + k)), _NAN, 0)
            put_word(record, W_SEQ, 0)
            put_word(record, W_TS_EVENT, ts_event)
            put_word(record, W_TS_RECV, ts_recv)
            put_word(record, W_ID, 0)
            put_word(record, W_AUX, k + 1)
            put_word(record, W_TAIL, tail | (k + 1) << 24 | flags << 48)
            end += 1
    if end > first:
        last = (end - 1) * RECORD_WORDS + W_TAIL
        put_word(batch, last, word_at(batch, last) | _LAST << 48)
    return end
