"""The publish and read protocol: atomics and the kernels that use them, together in one file.

One producer, any number of readers, no locks, no waiting. Words: ``claim`` (what may be overwritten up to) and
``head`` (what is complete up to), both positions in records; slot of position p is ``p & (capacity - 1)``.

Publish n records at head h: (1) ``claim = max(claim, h + n)``; (2) release fence; (3) plain stores into the
slots; (4) ``head = h + n``, release. Read at cursor c: ``h = head`` (acquire); copy ``[lo, h)``; acquire fence;
``k = claim``; keep positions ``>= k - capacity``.

Why this is enough. A reader that sees a slot word written for position p also sees, after its acquire fence, the
claim stored before the producer's release fence: ``k >= p + 1``. So if any word it copied for position q came from
the overwriting position ``q + capacity``, then ``k - capacity > q`` and q is dropped. Words older than q cannot be
seen, because head (acquire) was stored (release) after q's slots. A release *store* of claim would not do: it orders
what precedes it, and lets the slot stores that follow move up. ``claim`` never decreases, also after a crash between
(1) and (4): the successor goes on at ``head`` and keeps ``claim``, so half-written slots stay outside every reader's
window until they are written again.

The copy is a loop of plain stores, eight words at a time: a library memcpy may use non-temporal stores for large sizes,
which x86 does not keep in order with the claim. The order is that of the two fences, so how wide a store is does not
matter; an aligned word is never torn by it.

A frame ring has a second area, of payload words, with a claim and a head of its own. Its producer goes through
(1) to (4) for the words first, then publishes the entry like any record: whoever sees the entry sees its words, or
later ones with their claim. Its reader copies and checks entries like records, copies the words that the checked
entries name, and drops those whose words the second claim has reached meanwhile: the argument above, twice.

A view judges slots where they lie: ``claim_after_reads`` loads claim behind a fence for it. Counts (of instruments,
of subscriptions, a consumer's row in use) are stored with release after their rows and loaded with acquire before
them; a row that changes in place lies between two stores of its version. Nothing else is decided from unordered
words: counters, heartbeats and cursors are for display, and the gate of a replay errs on the side of waiting.

Kernels and intrinsics share this file because numba does not recompile cached callers of an edited intrinsic.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from ringcollect.jit import cgutils, intrinsic, ir, make_array, njit, types
from ringcollect.ring.layout import (
    E_LENGTH,
    E_START,
    ENTRY_WORDS,
    H_CAPACITY,
    H_CLAIM,
    H_DATA_BYTES,
    H_DATA_CLAIM,
    H_DATA_HEAD,
    H_DATA_OFFSET,
    H_HEAD,
    H_RECORD_WORDS,
    H_SLOTS_WORD,
)


def _word_pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = make_array(signature.args[0])(context, builder, args[0])
    return cgutils.gep_inbounds(builder, array.data, args[1])


@intrinsic
def load_acquire(typingctx: Any, words: Any, index: Any) -> Any:
    """``words[index]`` with acquire order."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word_pointer(context, builder, signature, args), "acquire", 8)

    return types.int64(words, types.intp), codegen


@intrinsic
def load_acquire_at(typingctx: Any, address: Any) -> Any:
    """The int64 at ``address`` with acquire order; whoever calls keeps the memory mapped."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def load_relaxed(typingctx: Any, words: Any, index: Any) -> Any:
    """``words[index]`` as one untorn load, no order."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word_pointer(context, builder, signature, args), "monotonic", 8)

    return types.int64(words, types.intp), codegen


@intrinsic
def store_release(typingctx: Any, words: Any, index: Any, value: Any) -> Any:
    """``words[index] = value`` after everything before it."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _word_pointer(context, builder, signature, args), "release", 8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.int64), codegen


@intrinsic
def store_relaxed(typingctx: Any, words: Any, index: Any, value: Any) -> Any:
    """``words[index] = value`` as one untorn store, no order."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[2], _word_pointer(context, builder, signature, args), "monotonic", 8)
        return context.get_dummy_value()

    return types.void(words, types.intp, types.int64), codegen


@intrinsic
def fence_release(typingctx: Any) -> Any:
    """Nothing after it becomes visible before anything before it (dmb ish on ARM)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("release")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def fence_acquire(typingctx: Any) -> Any:
    """No load after it is satisfied before a load before it (dmb ishld on ARM)."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("acquire")
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def copy_words(typingctx: Any, target: Any, to: Any, source: Any, at: Any, n: Any) -> Any:
    """``target[to : to + n] = source[at : at + n]`` in plain loads and stores, eight words at a time, then the rest.

    Written as a loop over words it stays one, as the arrays might overlap: that is 3 to 4 times slower. As a function
    instead of an intrinsic it would have both arrays' references counted around every call.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        into = _word_pointer(context, builder, signature, args)
        from_array = make_array(signature.args[2])(context, builder, args[2])
        from_ = cgutils.gep_inbounds(builder, from_array.data, args[3])
        count = args[4].type
        whole = builder.and_(args[4], count(-8))
        word, line = ir.IntType(64), ir.VectorType(ir.IntType(64), 8)
        for begin, end, step, unit in ((count(0), whole, count(8), line), (whole, args[4], count(1), word)):
            with cgutils.for_range_slice(builder, begin, end, step) as (i, _):
                pointer = unit.as_pointer()
                value = builder.load(builder.bitcast(builder.gep(from_, [i]), pointer), align=8)
                builder.store(value, builder.bitcast(builder.gep(into, [i]), pointer), align=8)
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp, types.intp), codegen


@intrinsic
def pause(typingctx: Any) -> Any:
    """Tell the processor that this is a spin loop; nothing where there is no such hint.

    An LLVM intrinsic, because inline assembly aborts the process ("asm parser not supported").
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        machine = platform.machine().lower()
        if machine in ("x86_64", "amd64"):
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        elif machine in ("aarch64", "arm64"):
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
            hint = cgutils.get_or_insert_function(builder.module, kind, "llvm.aarch64.hint")
            builder.call(hint, [ir.Constant(ir.IntType(32), 1)])  # YIELD
        return context.get_dummy_value()

    return types.void(), codegen


@njit
def publish(ring: np.ndarray, batch: np.ndarray, n: int) -> int:
    """Append the first ``n`` records of ``batch`` (int64 words); returns the new head. Never blocks.

    ``n`` must be at most capacity/8: the caller splits. The seq word is written here, the batch is not changed.
    """
    head = ring[H_HEAD]
    record_words = ring[H_RECORD_WORDS]
    mask = ring[H_CAPACITY] - 1
    slots = ring[H_SLOTS_WORD]
    store_relaxed(ring, H_CLAIM, max(ring[H_CLAIM], head + n))
    fence_release()
    for i in range(n):
        to = slots + ((head + i) & mask) * record_words
        source = i * record_words
        if record_words == 8:  # the common record
            copy_words(ring, to, batch, source, 8)
        else:
            copy_words(ring, to, batch, source, record_words)
        ring[to] = head + i
    store_release(ring, H_HEAD, head + n)
    return head + n


@njit
def consume(ring: np.ndarray, cursor: int, out: np.ndarray, max_n: int) -> tuple[int, int, int, int]:
    """Copy up to ``max_n`` records from ``cursor`` on into ``out`` (int64 words).

    Returns (first, n, offset, bad): records ``first .. first+n-1`` stand in ``out`` from record ``offset`` on;
    ``[cursor, first)`` is lost (with n = 0 and first > cursor: lost, and nothing could be kept). ``bad`` counts kept
    records whose seq is not their position; anything but 0 is a broken protocol.
    """
    head = load_acquire(ring, H_HEAD)
    capacity = ring[H_CAPACITY]
    record_words = ring[H_RECORD_WORDS]
    slots = ring[H_SLOTS_WORD]
    low = cursor
    if low < head - capacity:  # lapped: resume with room to breathe, not at the very edge
        low = min(head, load_relaxed(ring, H_CLAIM) - capacity * 7 // 8)
    n = max(0, min(head - low, max_n))
    misplaced = 0
    for i in range(n):
        source = slots + ((low + i) & (capacity - 1)) * record_words
        to = i * record_words
        if record_words == 8:
            copy_words(out, to, ring, source, 8)
        else:
            copy_words(out, to, ring, source, record_words)
        misplaced += out[to] != low + i
    fence_acquire()
    claim = load_relaxed(ring, H_CLAIM)
    first = max(low, claim - capacity)
    if first >= low + n and first > low:  # overtaken while copying: nothing kept
        return max(first, min(head, claim - capacity * 7 // 8)), 0, 0, 0
    offset = first - low
    bad = 0
    if misplaced:  # as a rule overwritten ones, which are not kept
        for i in range(offset, n):
            bad += out[i * record_words] != low + i
    return first, n - offset, offset, bad


@njit
def publish_frame(ring: np.ndarray, entry: np.ndarray, payload: np.ndarray, n: int) -> int:
    """Append one entry (8 int64 words) with ``n`` payload words to a frame ring; returns the new head.

    ``n`` must be at most half of the ring's payload words. The entry's ``start`` is written here, into ``entry`` too.
    """
    start = ring[H_DATA_HEAD]
    size = ring[H_DATA_BYTES] // 8
    data = ring[H_DATA_OFFSET] // 8
    store_relaxed(ring, H_DATA_CLAIM, max(ring[H_DATA_CLAIM], start + n))
    fence_release()
    at = start % size
    until_end = min(n, size - at)
    copy_words(ring, data + at, payload, 0, until_end)
    copy_words(ring, data, payload, until_end, n - until_end)
    store_release(ring, H_DATA_HEAD, start + n)
    entry[E_START] = start
    return publish(ring, entry, 1)


@njit
def _entries_before(entries: np.ndarray, offset: int, n: int, word: int) -> int:
    """How many of ``n`` entries from ``offset`` on have a payload that begins before ``word``; they are in order."""
    before = 0
    while before < n and entries[(offset + before) * ENTRY_WORDS + E_START] < word:
        before += 1
    return before


@njit
def consume_frames(
    ring: np.ndarray, cursor: int, entries: np.ndarray, max_n: int, payload: np.ndarray
) -> tuple[int, int, int, int, int]:
    """Copy entries from ``cursor`` on, and their payload words, as far as both outputs hold them.

    Returns (first, n, offset, bad, start): as :func:`consume`, and ``payload[0]`` is payload word ``start`` of the
    ring. ``payload`` must hold at least half of the ring's payload words. Entries whose payload was overwritten are
    lost like those overwritten themselves: payload is, like records, written in order.
    """
    first, n, offset, bad = consume(ring, cursor, entries, max_n)
    if n == 0:
        return first, 0, 0, bad, 0
    data = ring[H_DATA_OFFSET] // 8
    size = ring[H_DATA_BYTES] // 8
    claim = load_relaxed(ring, H_DATA_CLAIM)
    if entries[offset * ENTRY_WORDS + E_START] < claim - size:  # lapped: resume with room to breathe, as for records
        gone = _entries_before(entries, offset, n, claim - size * 7 // 8)
        first, n, offset = first + gone, n - gone, offset + gone
        if n == 0:
            return first, 0, 0, bad, 0
    start = entries[offset * ENTRY_WORDS + E_START]
    kept = 0
    words = 0
    while kept < n:
        at = (offset + kept) * ENTRY_WORDS
        end = entries[at + E_START] - start + ((entries[at + E_LENGTH] & 0xFFFFFFFF) + 7) // 8
        if end < words or end > len(payload):
            break
        words = end
        kept += 1
    if kept == 0:  # an entry longer than any can be
        return first, 0, 0, n, 0
    at = start % size
    until_end = min(words, size - at)
    copy_words(payload, 0, ring, data + at, until_end)
    copy_words(payload, until_end, ring, data, words - until_end)
    fence_acquire()
    gone = _entries_before(entries, offset, kept, load_relaxed(ring, H_DATA_CLAIM) - size)
    return first + gone, kept - gone, offset + gone, bad, start


@njit
def write_row(ring: np.ndarray, at: int, row: np.ndarray) -> None:
    """Rewrite the words ``ring[at : at + len(row)]`` of a table row; its first word is a version, odd meanwhile."""
    store_relaxed(ring, at, row[0] - 1)
    fence_release()
    for w in range(1, len(row)):
        ring[at + w] = row[w]
    store_release(ring, at, row[0])


@njit
def read_row(ring: np.ndarray, at: int, row: np.ndarray) -> bool:
    """Copy a table row; False if it was being rewritten (try again)."""
    before = load_acquire(ring, at)
    for w in range(len(row)):
        row[w] = ring[at + w]
    fence_acquire()
    return before & 1 == 0 and load_relaxed(ring, at) == before


@njit
def publish_word(ring: np.ndarray, index: int, value: int) -> None:
    """Store one header word after everything before it (a count after its row)."""
    store_release(ring, index, value)


@njit
def load_word(ring: np.ndarray, index: int) -> int:
    """One header word before everything after it (a count before its rows)."""
    return load_acquire(ring, index)


@njit
def claim_after_reads(ring: np.ndarray) -> int:
    """``claim``, loaded after everything that was loaded before: what a view showed is judged by it."""
    fence_acquire()
    return load_relaxed(ring, H_CLAIM)


def warm() -> None:
    """Compile every kernel for the types used at run time (also with a read-only ring)."""
    ring = np.zeros(1024, np.int64)
    ring[H_CAPACITY], ring[H_RECORD_WORDS], ring[H_SLOTS_WORD] = 8, 8, 512
    ring[H_DATA_OFFSET], ring[H_DATA_BYTES] = 5120, 512
    batch = np.zeros(64, np.int64)
    publish(ring, batch, 1)
    publish_frame(ring, batch, np.frombuffer(bytes(64), np.int64), 1)  # read-only, as a payload is
    write_row(ring, 512, batch[:32])
    publish_word(ring, 600, 0)
    readonly = ring.view()
    readonly.flags.writeable = False
    for words in (ring, readonly):
        consume(words, 0, batch, 1)
        consume_frames(words, 1, batch, 0, batch)
        read_row(words, 512, batch[:32])
        load_word(words, H_HEAD)
        claim_after_reads(words)
