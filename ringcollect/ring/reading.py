"""The read side of the protocol: the jitted kernels, or plain numpy on x86.

A notebook or ``ringcollect tail`` should not pay for loading numba. On x86 the plain path is as right as the
kernels: loads are not reordered with loads (Intel SDM vol. 3, 8.2.2), an aligned 8-byte load is untorn, and the
interpreter does not move the calls. Elsewhere the kernels with their fences are the only way.
"""

from __future__ import annotations

import platform
import sys

import numpy as np

from ringcollect.ring.layout import H_CAPACITY, H_CLAIM, H_HEAD, H_RECORD_WORDS, H_SLOTS_WORD

_X86 = platform.machine().lower() in ("x86_64", "amd64", "i686")


def use_kernels() -> bool:
    """True where plain numpy would not be safe, or where numba is loaded anyway."""
    return not _X86 or "ringcollect.ring.protocol" in sys.modules


def consume(ring: np.ndarray, cursor: int, out: np.ndarray, max_n: int) -> tuple[int, int, int, int]:
    """As ``protocol.consume``: (first, n, offset, bad)."""
    if use_kernels():
        from ringcollect.ring import protocol

        return protocol.consume(ring, cursor, out, max_n)
    return consume_plain(ring, cursor, out, max_n)


def consume_plain(ring: np.ndarray, cursor: int, out: np.ndarray, max_n: int) -> tuple[int, int, int, int]:
    """The protocol's read in plain numpy; x86 only."""
    head, capacity, record_words = int(ring[H_HEAD]), int(ring[H_CAPACITY]), int(ring[H_RECORD_WORDS])
    low = cursor
    if low < head - capacity:
        low = min(head, int(ring[H_CLAIM]) - capacity * 7 // 8)
    n = max(0, min(head - low, max_n))
    slots_at = int(ring[H_SLOTS_WORD])
    slots = ring[slots_at : slots_at + capacity * record_words].reshape(capacity, record_words)
    rows = out[: n * record_words].reshape(n, record_words)
    begin = low & (capacity - 1)
    until_end = min(n, capacity - begin)
    rows[:until_end] = slots[begin : begin + until_end]
    rows[until_end:] = slots[: n - until_end]
    claim = int(ring[H_CLAIM])
    first = max(low, claim - capacity)
    if first >= low + n and first > low:
        return max(first, min(head, claim - capacity * 7 // 8)), 0, 0, 0
    offset = first - low
    bad = int(np.count_nonzero(rows[offset:, 0] != np.arange(first, low + n)))
    return first, n - offset, offset, bad


def head_of(ring: np.ndarray) -> int:
    """The ring's head, with acquire order."""
    return load_word(ring, H_HEAD)


def load_word(ring: np.ndarray, index: int) -> int:
    """As ``protocol.load_word``: a header word before everything read after it."""
    if use_kernels():
        from ringcollect.ring import protocol

        return protocol.load_word(ring, index)
    return int(ring[index])


def publish_word(words: np.ndarray, index: int, value: int) -> None:
    """As ``protocol.publish_word``: store a word after everything written before it (x86 keeps stores in order)."""
    if use_kernels():
        from ringcollect.ring import protocol

        protocol.publish_word(words, index, value)
    else:
        words[index] = value


def claim_after_reads(ring: np.ndarray) -> int:
    """The ring's claim, loaded after everything read before the call."""
    if use_kernels():
        from ringcollect.ring import protocol

        return protocol.claim_after_reads(ring)
    return int(ring[H_CLAIM])


def read_row(ring: np.ndarray, at: int, row: np.ndarray) -> bool:
    """As ``protocol.read_row``: copy a versioned row; False if it was being rewritten."""
    if use_kernels():
        from ringcollect.ring import protocol

        return protocol.read_row(ring, at, row)
    before = int(ring[at])
    row[:] = ring[at : at + len(row)]
    return not before & 1 and int(ring[at]) == before
