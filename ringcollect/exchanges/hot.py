"""Hot rows and the context array: what the feed and an exchange's kernel share, in int64 words.

Hot rows: 8 words per (instrument, channel), written by both sides in turn, never at once: a kernel runs inside a call
of the feed. ``row = channel * MAX_INSTRUMENTS + instrument``: rows of channels that nobody collects are never touched.
The first row, which is of no channel, says in ``WANTED`` whether streams that nobody asked for are wanted too.

* ``OPEN``: 0 = closed: the feed wants to see every frame. ``conn + 1`` = the kernel may test, publish and count
  frames of that connection by itself; ``OPEN_TO_ALL``: of every connection. The feed opens a row once its stream
  flows (a book: once a delta has followed the base) and closes it whenever it wants the next frame.
* ``LAST_ID``: last accepted id: a book's last update id (the chain), the newest trade id, the last bbo update id.
  Negative = nothing is known yet: whatever comes is accepted.
* ``LEDGER``: address of the stream's ledger row (ring.layout.LEDGER_ROW as int64 words), 0 = none; frames, records,
  the time of the last data and silences are counted there.
* ``WANTED``: 1 = there is such a stream. A frame may hold what nobody asked for beside what somebody did (the best
  prices of a book); the kernel must know the difference between that and a stream the feed wants to see.
* ``RECENT``: address of the window of the stream's newest ids (:mod:`ringcollect.exchanges.recent`), 0 = none: prints
  whose ids are not dense. A frame with one of them is STALE.
* ``LAST_TS``: event time of the newest record published.
* ``CONTENT``: key of the last book published, where every frame is a whole one (``recent.content_key``).

Word 4 is the exchange's own. This module is venue-neutral: the rule that gives a verdict is the exchange's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ringcollect.decode.memory import (
    address_of,
    byte_at,
    call_words,
    out_of_line,
    put_byte,
    put_word,
    word_at,
    word_pointer,
)
from ringcollect.decode.symbols import MISSING, find
from ringcollect.decode.text import BAD, string, unescape
from ringcollect.exchanges.protocol import Code, Verdict
from ringcollect.exchanges.recent import take, whole
from ringcollect.exchanges.silence import L_LAST_RECORD, L_SILENCE_LIMIT, count_silence
from ringcollect.instruments import MAX_INSTRUMENTS
from ringcollect.jit import Entry, carray, inlined, njit
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
from ringcollect.ring import protocol

HOT_CHANNELS = (Channel.BOOK, Channel.TRADE, Channel.BBO)
"""Channels that an exchange's own kernel decodes; those of the others go through the one that all share."""
ROW_WORDS = 8
OPEN, LAST_ID, LEDGER, WANTED = range(4)
CONTENT, RECENT, LAST_TS = range(5, 8)
OPEN_TO_ALL = 512

# Words of a context array. Set once by the decoder:
C_BATCH, C_CAPACITY, C_RING, C_RING_WORDS, C_PIECE, C_HOT, C_SYMBOLS, C_MARKET, C_CONN = range(9)
C_MAX_PAST, C_MAX_SKEW, C_MAX_FRAME, C_VARIANT = range(9, 13)
# Addresses of the counters named in COUNTED, in that order:
C_COUNTERS = 16
COUNTED = ("frames_in", "bytes_in", "decoded", "ignored", "records", "bad_ts")
"""Counters the kernel adds to when it finishes a frame by itself (answer >= 0); otherwise it counts nothing."""
C_FRAMES_IN, C_BYTES_IN, C_DECODED, C_IGNORED, C_RECORDS, C_BAD_TS = range(C_COUNTERS, C_COUNTERS + len(COUNTED))
# Written by the kernel for the frame it decoded last:
C_N, C_INSTRUMENT, C_CHANNEL, C_FIRST_ID, C_LAST_ID, C_PREV_ID, C_SYMBOL_BYTES = range(32, 39)
C_LAST_PUBLISHED = 39  # ts_recv of the newest records this context published by itself
C_SEQUENCE = 40  # number of the frame among all of its connection; a kernel that has none leaves it at -1
C_EXPECTED = 41  # written by both sides: the number the next frame should have, -1 = any
C_CODE = 42  # after on_hot_frames: its answer to the last frame, the number of records or the code it stopped with
C_FIELDS = 48  # from here on the exchange's own scratch
C_SCRATCH = 96  # text of an unknown symbol, SCRATCH_BYTES
SCRATCH_BYTES = 256
# Of the kernel that all exchanges share (exchanges.tabular), set by the decoder: the address of the kernel (0: there
# is none), of the exchange's table, of the symbols of its rows and groups, and of what it remembers.
C_SHARED, C_TABLE, C_ROW_SYMBOLS, C_GROUP_SYMBOLS, C_GROUPS, C_INTERVALS, C_STATE = range(128, 135)
C_NAME, C_NAME_BYTES = 135, 136  # the frame's symbol
# Addresses of the exchange's own kernel (0: there is none), of :func:`settle`, and of ``several.settle``:
C_KERNEL, C_SETTLE, C_SETTLE_ALL = range(137, 140)
C_SLOTS, C_STACK = 140, 180  # its own scratch
CONTEXT_WORDS = 216

_LEDGER_LAST_DATA, _LEDGER_FRAMES, _LEDGER_RECORDS = 2, 3, 4  # ring.layout.LEDGER_ROW as words
_SLOW, _NOT_OPEN, _STALE, _GAP, _TOO_LONG = (
    int(Code.SLOW), int(Code.NOT_OPEN), int(Code.STALE), int(Code.GAP), int(Code.TOO_LONG),
)  # fmt: skip
_FITS, _IS_STALE = int(Verdict.FITS), int(Verdict.STALE)
_BOOK, _TRADE, _BOOK_DELTA = int(Channel.BOOK), int(Channel.TRADE), int(Kind.BOOK_DELTA)
_F_LAST, _F_BAD_TS = int(Flag.LAST), int(Flag.BAD_TS)


class HotRows:
    """The rows of every instrument; ``words`` has shape (rows, ROW_WORDS). Pages nobody touches cost nothing."""

    def __init__(self) -> None:
        self.words = np.zeros((len(Channel) * MAX_INSTRUMENTS, ROW_WORDS), np.int64)
        for channel in HOT_CHANNELS:
            self.words[channel * MAX_INSTRUMENTS :, LAST_ID][:MAX_INSTRUMENTS] = -1

    def row(self, instrument: int, channel: int) -> np.ndarray:
        """The 8 words of one stream, writable."""
        return self.words[channel * MAX_INSTRUMENTS + instrument]

    def want_all(self) -> None:
        """What nobody asked for is wanted too: the feed makes a stream of whatever comes."""
        self.words[0, WANTED] = 1


@njit
def read_symbol(ctx: np.ndarray, a: int, i: int, n: int) -> tuple[int, int]:
    """The symbol whose quote is at ``i``: (offset after it or BAD, its instrument or a negative number).

    An unknown one is kept for ``Decoder.unknown_symbol``: once the rest of the frame has proven good, the kernel
    answers UNKNOWN_SYMBOL. Empty or longer than SCRATCH_BYTES is BAD.
    """
    if i >= n or byte_at(a, i) != 34:
        return BAD, MISSING
    scratch = address_of(ctx) + C_SCRATCH * 8
    end, escaped = string(a, i + 1, n)
    if end < 0:
        return BAD, MISSING
    text = a + i + 1
    length = end - 2 - i
    if escaped:
        text = scratch
        length = unescape(a, i + 1, n, scratch, SCRATCH_BYTES)
    if length <= 0 or length > SCRATCH_BYTES:
        return BAD, MISSING
    instrument = find(word_at(ctx, C_SYMBOLS), text, length)
    if instrument < 0:
        if not escaped:
            for k in range(length):
                put_byte(scratch, k, byte_at(text, k))
        put_word(ctx, C_SYMBOL_BYTES, length)
    return end, instrument


@njit
def bad_ts_flag(ctx: np.ndarray, ts_event: int, ts_recv: int) -> int:
    """BAD_TS when ``ts_event`` is not believable beside ``ts_recv``, else 0; an event without time is neither."""
    if ts_event != 0 and (
        ts_event < ts_recv - word_at(ctx, C_MAX_PAST) or ts_event > ts_recv + word_at(ctx, C_MAX_SKEW)
    ):
        return _F_BAD_TS
    return 0


@njit
def fill(ctx: np.ndarray, n: int, ts_event: int, ts_recv: int, identity: int, aux: int, kind: int, sub: int) -> None:
    """Complete ``n`` records of the private batch, of which price, size and the side (in the tail word) are written.

    Sets C_N too. Instrument and connection are the context's.
    """
    batch = word_at(ctx, C_BATCH)
    flags = bad_ts_flag(ctx, ts_event, ts_recv)
    tail = word_at(ctx, C_INSTRUMENT) | word_at(ctx, C_CONN) << 16 | sub << 24 | kind << 32 | flags << 48
    for r in range(n):
        at = r * RECORD_WORDS
        put_word(batch, at + W_SEQ, 0)
        put_word(batch, at + W_TS_EVENT, ts_event)
        put_word(batch, at + W_TS_RECV, ts_recv)
        put_word(batch, at + W_ID, identity)
        put_word(batch, at + W_AUX, aux)
        put_word(batch, at + W_TAIL, tail | (word_at(batch, at + W_TAIL) & 0xFF) << 40)
    if n > 0:
        last = (n - 1) * RECORD_WORDS + W_TAIL
        put_word(batch, last, word_at(batch, last) | _F_LAST << 48)
    put_word(ctx, C_N, n)


@inlined
def row_at(ctx: np.ndarray, instrument: int, channel: int) -> int:
    """Address of a stream's hot row."""
    return word_at(ctx, C_HOT) + (channel * MAX_INSTRUMENTS + instrument) * (ROW_WORDS * 8)


@njit
def wants_all(ctx: np.ndarray) -> bool:
    """Whether the feed makes a stream of whatever comes (:meth:`HotRows.want_all`)."""
    return word_at(word_at(ctx, C_HOT), WANTED) != 0


@njit
def open_row(ctx: np.ndarray) -> int:
    """Address of the decoded frame's hot row if it is open to this connection, else 0."""
    row = row_at(ctx, word_at(ctx, C_INSTRUMENT), word_at(ctx, C_CHANNEL))
    is_open = word_at(row, OPEN)
    return row if is_open == word_at(ctx, C_CONN) + 1 or is_open == OPEN_TO_ALL else 0


@njit
def is_wanted(ctx: np.ndarray) -> bool:
    """Whether there is a stream of the decoded frame's instrument and channel at all, open or not."""
    row = row_at(ctx, word_at(ctx, C_INSTRUMENT), word_at(ctx, C_CHANNEL))
    return word_at(row, WANTED) != 0


@njit
def _add(address: int, value: int) -> None:
    put_word(address, 0, word_at(address, 0) + value)


@njit
def _link(ctx: np.ndarray, batch: int, n: int, chain: int) -> None:
    """The chain into the deltas of a book frame, and a number where the venue sends none."""
    if word_at(ctx, C_LAST_ID) < 0:
        put_word(ctx, C_LAST_ID, chain + 1)
        for r in range(n):
            put_word(batch, r * RECORD_WORDS + W_ID, chain + 1)
    for r in range(n):
        at = r * RECORD_WORDS
        if (word_at(batch, at + W_TAIL) >> 32) & 0xFF == _BOOK_DELTA:
            put_word(batch, at + W_AUX, chain)


@njit
def count(ctx: np.ndarray, counter: int, by: int) -> None:
    """Add to one of :data:`COUNTED` (its context word)."""
    _add(word_at(ctx, counter), by)


@njit
def tell_ledger(row: int, n: int, ts_recv: int) -> None:
    """One more frame of the row's stream, with ``n`` records."""
    ledger = word_at(row, LEDGER)
    if ledger != 0:
        put_word(ledger, _LEDGER_LAST_DATA, ts_recv)
        _add(ledger + 8 * _LEDGER_FRAMES, 1)
        if n > 0:
            _add(ledger + 8 * _LEDGER_RECORDS, n)
            before = word_at(ledger, L_LAST_RECORD)
            put_word(ledger, L_LAST_RECORD, ts_recv)
            if ts_recv - before > word_at(ledger, L_SILENCE_LIMIT):
                count_silence(ledger, before, ts_recv)


@njit
def _prints(ctx: np.ndarray, row: int, n: int) -> int:
    """What the ids of ``n`` prints say beyond the verdict: 0, or the code that leaves the frame to the feed."""
    out_of_line()
    batch = word_at(ctx, C_BATCH)
    if word_at(row, RECENT) != 0:
        return 0 if take(word_at(row, RECENT), batch, n, word_at(ctx, C_CONN)) else _STALE
    last_id = word_at(ctx, C_LAST_ID)
    if n > 1 and last_id >= 0 and not whole(batch, n, word_at(ctx, C_FIRST_ID), last_id):
        return _NOT_OPEN
    return 0


@njit
def is_hole(ctx: np.ndarray, sequence: int) -> bool:
    """Whether a frame of this number shows a hole in the connection's own numbers, which is for the feed to judge."""
    return sequence >= 0 and sequence != word_at(ctx, C_EXPECTED) and word_at(ctx, C_EXPECTED) >= 0


@njit
def settle(ctx: np.ndarray, row: int, verdict: int, frame_bytes: int, ts_recv: int) -> int:
    """Publish and count the decoded batch of an open row, if ``verdict`` lets it: records published, or a code."""
    n = word_at(ctx, C_N)
    if verdict != _FITS:
        return _STALE if verdict == _IS_STALE else _GAP
    sequence = word_at(ctx, C_SEQUENCE)
    if word_at(ctx, C_RING) == 0 or is_hole(ctx, sequence):
        return _NOT_OPEN
    if n > word_at(ctx, C_PIECE):
        return _TOO_LONG
    if word_at(ctx, C_CHANNEL) == _TRADE and n > 0 and (n > 1 or word_at(row, RECENT) != 0):
        code = _prints(ctx, row, n)
        if code != 0:
            return code
    if sequence >= 0:
        put_word(ctx, C_EXPECTED, sequence + 1)
    if n > 0:
        batch = carray(word_pointer(word_at(ctx, C_BATCH)), (n * RECORD_WORDS,))
        if word_at(ctx, C_CHANNEL) == _BOOK:
            _link(ctx, word_at(ctx, C_BATCH), n, word_at(row, LAST_ID))
        if (batch[W_TAIL] >> 48) & _F_BAD_TS:
            _add(word_at(ctx, C_BAD_TS), 1)
        protocol.publish(carray(word_pointer(word_at(ctx, C_RING)), (word_at(ctx, C_RING_WORDS),)), batch, n)
        put_word(ctx, C_LAST_PUBLISHED, ts_recv)
        put_word(row, LAST_TS, batch[(n - 1) * RECORD_WORDS + W_TS_EVENT])
        _add(word_at(ctx, C_DECODED), 1)
        _add(word_at(ctx, C_RECORDS), n)
    else:
        _add(word_at(ctx, C_IGNORED), 1)
    if word_at(ctx, C_LAST_ID) >= 0:
        put_word(row, LAST_ID, word_at(ctx, C_LAST_ID))
    _add(word_at(ctx, C_FRAMES_IN), 1)
    _add(word_at(ctx, C_BYTES_IN), frame_bytes)
    tell_ledger(row, n, ts_recv)
    return n


@inlined
def settle_by_address(ctx: int, row: int, verdict: int, frame_bytes: int, ts_recv: int) -> int:
    """:func:`settle`, which is not compiled once more into the exchange's kernel."""
    return call_words(word_at(ctx, C_SETTLE), ctx, row, verdict, frame_bytes, ts_recv)


@inlined
def settle_all_by_address(ctx: int, records: int, for_the_feed: int, frame_bytes: int, ts_recv: int) -> int:
    """``several.settle``, which is not compiled once more into the exchange's kernel."""
    return call_words(word_at(ctx, C_SETTLE_ALL), ctx, records, for_the_feed, frame_bytes, ts_recv)


@njit
def settle_more(ctx: np.ndarray, row: int, first: int, n: int, ts_recv: int) -> int:
    """Publish ``n`` more records of a frame that is settled already, from record ``first`` of the batch on: ``n``."""
    batch = carray(word_pointer(word_at(ctx, C_BATCH) + first * RECORD_WORDS * 8), (n * RECORD_WORDS,))
    if (batch[W_TAIL] >> 48) & _F_BAD_TS:
        _add(word_at(ctx, C_BAD_TS), 1)
    protocol.publish(carray(word_pointer(word_at(ctx, C_RING)), (word_at(ctx, C_RING_WORDS),)), batch, n)
    _add(word_at(ctx, C_RECORDS), n)
    put_word(row, LAST_TS, batch[(n - 1) * RECORD_WORDS + W_TS_EVENT])
    tell_ledger(row, n, ts_recv)
    return n


@njit
def shared(ctx: np.ndarray, code: int, a: int, n: int, ts_recv: int, publish: int) -> int:
    """``code``, or the answer of the kernel that all exchanges share to a frame that the exchange's own leaves SLOW."""
    out_of_line()
    kernel = word_at(ctx, C_SHARED)
    if code != _SLOW or kernel == 0:
        return code
    return call_words(kernel, address_of(ctx), a, n, ts_recv, publish)


def no_kernel(frames: list[bytes], ctx: np.ndarray, ts_recv: int) -> int:
    """``on_hot_frames`` of an exchange without a kernel: every frame goes the typed way."""
    ctx[C_CODE] = _SLOW
    return 0


def quick(way_in: Callable[..., int]) -> Callable[..., int]:
    """``on_hot_frames`` or ``decode_hot`` of an exchange, called without a detour."""
    return way_in.direct if isinstance(way_in, Entry) else way_in
