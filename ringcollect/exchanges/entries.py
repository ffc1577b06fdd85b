"""What Python calls: one frame, or the frames of one socket read, through the kernel that their context names.

An exchange's kernel is a function of five int64, ``kernel(ctx, a, n, ts_recv, publish)``: the context's address, the
frame's address and length, its time, and whether to publish. It is called through its address (``hot.C_KERNEL``), so
that the ways in are compiled once for all exchanges, and each exchange's scanner once instead of once a way. What it
leaves SLOW goes on to the kernel that all exchanges share (:mod:`ringcollect.exchanges.tabular`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ringcollect.decode import memory, number, skip, symbols, times
from ringcollect.decode.frames import FRAME, FRAME_LIST, frame_at, frame_count, frame_place
from ringcollect.decode.memory import address_of, call_words, put_word, word_at
from ringcollect.exchanges import hot, several
from ringcollect.exchanges.protocol import Code
from ringcollect.exchanges.tabular import kernel as shared
from ringcollect.jit import Entry, inlined, njit, types

_SLOW = int(Code.SLOW)


def kernel_entry(kernel: Any) -> Entry:
    """An exchange's kernel, to be called through its address."""
    return Entry(kernel, lambda: (types.int64,) * 5)


@inlined
def _answer(ctx: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    code = _SLOW
    kernel = word_at(ctx, hot.C_KERNEL)
    if kernel != 0:
        code = call_words(kernel, ctx, a, n, ts_recv, publish)
    return hot.shared(ctx, code, a, n, ts_recv, publish) if code == _SLOW else code


@njit
def _decode(frame: Any, ctx: np.ndarray, ts_recv: int) -> int:
    a, n = frame_place(frame)
    return _answer(address_of(ctx), a, n, ts_recv, 0)


@njit
def _settle(frames: Any, ctx: np.ndarray, ts_recv: int) -> int:
    context = address_of(ctx)
    count = frame_count(frames)
    for k in range(count):
        a, n = frame_at(frames, k)
        answer = _answer(context, a, n, ts_recv, 1) if a != 0 else _SLOW
        put_word(context, hot.C_CODE, answer)
        if answer < 0:
            return k
    return count


SETTLE = kernel_entry(hot.settle)
"""What a kernel of an exchange publishes and counts by (``hot.C_SETTLE``)."""
SETTLE_ALL = kernel_entry(several.settle)
"""The same for a frame of several batches (``hot.C_SETTLE_ALL``)."""
decode_hot = Entry(_decode, lambda: (FRAME, types.Array(types.int64, 1, "C"), types.int64))
"""``(frame, ctx, ts_recv)``: records decoded into the private batch, or a Code; publishes nothing."""
on_hot_frames = Entry(_settle, lambda: (FRAME_LIST, types.Array(types.int64, 1, "C"), types.int64))
"""``(frames, ctx, ts_recv)``: decode, test, publish and count each in turn; how many were settled.

It stops at the first that is for the feed; ``C_CODE`` is the answer to the last one looked at.
"""


def warm() -> None:
    """Compile the ways in, and what the decoder and its primitives need beside them."""
    for part in (memory, number, skip, symbols, times, shared):
        part.warm()
    ctx = np.zeros(hot.CONTEXT_WORDS, np.int64)
    decode_hot(b"{}", ctx, 0)
    on_hot_frames([b"{}"], ctx, 0)
    assert SETTLE.address and SETTLE_ALL.address
