"""The kernel that decodes what no exchange's own does, by the table its context names: one for all exchanges.

:func:`decode` is called through its address (context word ``hot.C_SHARED``), so that it is compiled once and not once
more into every exchange's kernel. A frame may give batches of several instruments and channels: the private batch
holds them one behind the other, each ended by LAST, and the context's channel is NONE.
"""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address_of, put_word, word_at
from ringcollect.exchanges import hot
from ringcollect.exchanges.protocol import Code
from ringcollect.exchanges.several import channel_of, settle
from ringcollect.exchanges.tabular.scan import walk
from ringcollect.jit import Entry, njit, types
from ringcollect.records import W_ID, W_TAIL, Channel

_SLOW = int(Code.SLOW)
_NONE, _BOOK = int(Channel.NONE), int(Channel.BOOK)


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
    is_book = records > 0 and channel_of(batch) == _BOOK
    put_word(ctx, hot.C_N, records)
    put_word(ctx, hot.C_CHANNEL, _BOOK if is_book else _NONE)
    put_word(ctx, hot.C_INSTRUMENT, word_at(batch, W_TAIL) & 0xFFFF)
    put_word(ctx, hot.C_FIRST_ID, -1)
    put_word(ctx, hot.C_LAST_ID, word_at(batch, W_ID) if is_book else -1)
    put_word(ctx, hot.C_PREV_ID, -1)
    if publish == 0:
        return records
    return settle(ctx, records, 1 if is_book else 0, n, ts_recv)


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
