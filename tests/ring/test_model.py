"""An exhaustive model of the ring protocol: two slots of two words, stores and loads in every order they may take.

A store becomes visible once all stores it must follow are visible; a load takes its value once all loads it must
follow have theirs. Everything not ordered by a fence or by acquire/release happens in every possible order. The
reader may start at any time and keep what the protocol tells it to keep; a kept record whose two words are not its
position is a failure. Without the fences the same search must find failures, else the model shows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

CAPACITY = 2
RECORDS = 5


@dataclass
class Program:
    """Stores of a producer with, for each, the stores that must be visible before it."""

    stores: list[tuple[str, int, frozenset[int]]] = field(default_factory=list)
    barrier: int = 0  # stores before this index are ordered before all later ones

    def store(self, address: str, value: int, *, release: bool = False) -> None:
        """One store; coherence keeps stores to one address in order."""
        before = set(range(len(self.stores) if release else self.barrier))
        before |= {i for i, (other, _, _) in enumerate(self.stores) if other == address}
        self.stores.append((address, value, frozenset(before)))

    def fence(self) -> None:
        """All stores so far before all later ones."""
        self.barrier = len(self.stores)


def publish(program: Program, head: int, claim: int, n: int, *, fence: bool, batch: int = 1) -> None:
    """``n`` records from ``head`` on in batches of ``batch``, as ring/protocol.py does it."""
    for first in range(head, head + n, batch):
        program.store("claim", max(claim, first + batch), release=not fence)
        if fence:
            program.fence()
        for position in range(first, first + batch):
            program.store(f"a{position % CAPACITY}", position)
            program.store(f"b{position % CAPACITY}", position)
        program.store("head", first + batch, release=True)


Memory = dict[str, int]
Slot = tuple[int | None, int | None, int | None, int | None, int | None]
"""One read in progress: head, position, first word, second word, claim; None = not loaded yet."""
IDLE: Slot = (None, None, None, None, None)


def steps_of(read: Slot, now: Memory, *, fence: bool) -> list[Slot]:
    """What a read may do next: load head and choose a position, load either word, load claim behind the fence."""
    head, position, a, b, claim = read
    if head is None:
        return [(now["head"], p, None, None, None) for p in range(max(0, now["head"] - CAPACITY), now["head"])]
    found: list[Slot] = []
    if a is None:
        found.append((head, position, now[f"a{position % CAPACITY}"], b, claim))
    if b is None:
        found.append((head, position, a, now[f"b{position % CAPACITY}"], claim))
    if claim is None and (not fence or (a is not None and b is not None)):
        found.append((head, position, a, b, now["claim"]))
    return found


def is_over(read: Slot) -> bool:
    return read[0] is not None and None not in read


def kept(read: Slot) -> bool:
    return read[1] >= read[4] - CAPACITY


def is_bad(read: Slot) -> bool:
    """Kept although torn or stale."""
    return kept(read) and not read[2] == read[3] == read[1]


def bad_reads(program: Program, start: Memory, *, reader_fence: bool = True, reads: int = 1, readers: int = 1) -> int:
    """Reads kept although wrong, over all interleavings of the program with readers of ``reads`` reads in a row.

    With several readers a state in which two of them kept the same position with different words is counted too.
    """
    total = len(program.stores)
    found = 0
    memories: dict[int, Memory] = {}

    def memory(visible: int) -> Memory:
        if visible not in memories:
            now = dict(start)
            for i in range(total):
                if visible >> i & 1:
                    now[program.stores[i][0]] = program.stores[i][1]
            memories[visible] = now
        return memories[visible]

    # Per reader (reads left, the read in progress); readers are alike, so their order does not matter.
    stack = [(0, ((reads, IDLE),) * readers)]
    seen = set()
    while stack:
        state = stack.pop()
        if state in seen:
            continue
        seen.add(state)
        visible, all_readers = state
        for i in range(total):
            if not visible >> i & 1 and all(visible >> j & 1 for j in program.stores[i][2]):
                stack.append((visible | 1 << i, all_readers))
        over = [read for _, read in all_readers if is_over(read) and kept(read)]
        found += len(over) == 2 and over[0][1] == over[1][1] and over[0][2:4] != over[1][2:4]
        for r, (left, read) in enumerate(all_readers):
            if not left:
                continue
            if is_over(read):
                found += is_bad(read)
                after = [(left - 1, IDLE)]
            else:
                after = [(left, step) for step in steps_of(read, memory(visible), fence=reader_fence)]
            for one in after:
                others = sorted((*all_readers[:r], one, *all_readers[r + 1 :]), key=repr)
                stack.append((visible, tuple(others)))
    return found


EMPTY = {"head": 0, "claim": 0, "a0": -1, "b0": -1, "a1": -1, "b1": -1}


def test_with_both_fences_no_interleaving_gives_a_torn_or_stale_record() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=True)
    assert bad_reads(program, EMPTY) == 0


def test_two_reads_in_a_row_by_a_lapping_producer_stay_whole() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=True)
    assert bad_reads(program, EMPTY, reads=2) == 0


@pytest.mark.parametrize(("batch", "records", "reads"), [(1, 6, 1), (1, 4, 2), (2, 6, 2)])
def test_two_readers_that_are_lapped_at_any_moment_keep_only_whole_records_and_agree_on_them(
    batch: int, records: int, reads: int
) -> None:
    program = Program()
    publish(program, 0, 0, records, fence=True, batch=batch)
    assert bad_reads(program, EMPTY, readers=2, reads=reads) == 0


def test_two_readers_and_a_producer_killed_after_any_store_and_restarted() -> None:
    for steps in range(9):
        program = crashed(steps, keep_claim=True, before=2, after=2)
        assert bad_reads(program, EMPTY, readers=2) == 0, f"killed after {steps} stores"


def test_two_readers_find_torn_records_as_soon_as_either_fence_is_gone() -> None:
    for release, acquire in ((False, True), (True, False)):
        program = Program()
        publish(program, 0, 0, CAPACITY + 1, fence=release)
        assert bad_reads(program, EMPTY, readers=2, reader_fence=acquire) > 0


def test_without_the_release_fence_the_model_finds_torn_records() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=False)
    assert bad_reads(program, EMPTY) > 0


def test_without_the_acquire_fence_the_model_finds_torn_records() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=True)
    assert bad_reads(program, EMPTY, reader_fence=False) > 0


def crashed(steps: int, *, keep_claim: bool, before: int = 4, after: int = 3) -> Program:
    """A producer killed after ``steps`` stores, and its successor, which finds them all in memory."""
    program = Program()
    publish(program, 0, 0, before, fence=True)
    del program.stores[steps:]
    now = dict(EMPTY)
    for address, value, _ in program.stores:
        now[address] = value
    program.fence()
    claim = now["claim"]
    if not keep_claim:
        claim = now["head"]
        program.store("claim", claim)
    publish(program, now["head"], claim, after, fence=True)
    return program


def test_a_producer_killed_after_any_store_and_restarted_never_shows_a_torn_record() -> None:
    for steps in range(17):
        assert bad_reads(crashed(steps, keep_claim=True), EMPTY) == 0, f"killed after {steps} stores"


def test_a_successor_that_rolled_claim_back_would_show_torn_records() -> None:
    assert sum(bad_reads(crashed(steps, keep_claim=False), EMPTY) for steps in range(17)) > 0
