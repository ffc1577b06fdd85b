"""An exhaustive model of the ring protocol: two slots of two words, stores and loads in every order they may take.

A store becomes visible once all stores it must follow are visible; a load takes its value once all loads it must
follow have theirs. Everything not ordered by a fence or by acquire/release happens in every possible order. The
reader may start at any time and keep what the protocol tells it to keep; a kept record whose two words are not its
position is a failure. Without the fences the same search must find failures, else the model shows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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


def publish(program: Program, head: int, claim: int, n: int, *, fence: bool) -> None:
    """``n`` single-record batches from ``head`` on, as ring/protocol.py does it."""
    for position in range(head, head + n):
        program.store("claim", max(claim, position + 1), release=not fence)
        if fence:
            program.fence()
        program.store(f"a{position % CAPACITY}", position)
        program.store(f"b{position % CAPACITY}", position)
        program.store("head", position + 1, release=True)


def bad_reads(program: Program, start: dict[str, int], *, reader_fence: bool = True, readers: int = 1) -> int:
    """Reads kept although torn or stale, over all interleavings of the program with ``readers`` readers in a row."""
    total = len(program.stores)
    found = 0

    def memory(visible: int) -> dict[str, int]:
        now = dict(start)
        for i in range(total):
            if visible >> i & 1:
                now[program.stores[i][0]] = program.stores[i][1]
        return now

    # Reader state: (reads left, head, position, a, b, claim); None = not loaded yet.
    first = (readers, None, None, None, None, None)
    stack = [(0, first)]
    seen = set()
    while stack:
        state = stack.pop()
        if state in seen:
            continue
        seen.add(state)
        visible, (left, head, position, a, b, claim) = state
        for i in range(total):
            if not visible >> i & 1 and all(visible >> j & 1 for j in program.stores[i][2]):
                stack.append((visible | 1 << i, (left, head, position, a, b, claim)))
        if not left:
            continue
        now = memory(visible)
        if head is None:
            for wanted in range(max(0, now["head"] - CAPACITY), now["head"]):
                stack.append((visible, (left, now["head"], wanted, None, None, None)))
            continue
        if a is None:
            stack.append((visible, (left, head, position, now[f"a{position % CAPACITY}"], b, claim)))
        if b is None:
            stack.append((visible, (left, head, position, a, now[f"b{position % CAPACITY}"], claim)))
        if claim is None and (not reader_fence or (a is not None and b is not None)):
            stack.append((visible, (left, head, position, a, b, now["claim"])))
        if a is not None and b is not None and claim is not None:
            if position >= claim - CAPACITY and not (a == position and b == position):
                found += 1
            stack.append((visible, (left - 1, None, None, None, None, None)))
    return found


EMPTY = {"head": 0, "claim": 0, "a0": -1, "b0": -1, "a1": -1, "b1": -1}


def test_with_both_fences_no_interleaving_gives_a_torn_or_stale_record() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=True)
    assert bad_reads(program, EMPTY) == 0


def test_two_reads_in_a_row_by_a_lapping_producer_stay_whole() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=True)
    assert bad_reads(program, EMPTY, readers=2) == 0


def test_without_the_release_fence_the_model_finds_torn_records() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=False)
    assert bad_reads(program, EMPTY) > 0


def test_without_the_acquire_fence_the_model_finds_torn_records() -> None:
    program = Program()
    publish(program, 0, 0, RECORDS, fence=True)
    assert bad_reads(program, EMPTY, reader_fence=False) > 0


def crashed(steps: int, *, keep_claim: bool) -> Program:
    """A producer killed after ``steps`` stores, and its successor, which finds them all in memory."""
    program = Program()
    publish(program, 0, 0, 4, fence=True)
    del program.stores[steps:]
    now = dict(EMPTY)
    for address, value, _ in program.stores:
        now[address] = value
    program.fence()
    claim = now["claim"]
    if not keep_claim:
        claim = now["head"]
        program.store("claim", claim)
    publish(program, now["head"], claim, 3, fence=True)
    return program


def test_a_producer_killed_after_any_store_and_restarted_never_shows_a_torn_record() -> None:
    for steps in range(17):
        assert bad_reads(crashed(steps, keep_claim=True), EMPTY) == 0, f"killed after {steps} stores"


def test_a_successor_that_rolled_claim_back_would_show_torn_records() -> None:
    assert sum(bad_reads(crashed(steps, keep_claim=False), EMPTY) for steps in range(17)) > 0
