"""An exhaustive model of the frame ring: entries and payload words, two areas that lap each other at their own pace.

As in test_model.py stores and loads happen in every order their fences allow, and the producer may die after any store.
An entry is one word that says where its payload word lies, which frame it is and whose; the payload word repeats it.
Wrong is a kept frame whose payload is another's, or one of the dead producer's that its successor has replaced.
"""

from __future__ import annotations

import pytest

from tests.ring.test_model import Program

ENTRIES, WORDS = 4, 2  # the payload area laps first, while the entry is alive
FEW_ENTRIES, MANY_WORDS = 2, 4  # the entries lap first

Memory = dict[str, int]
Read = tuple[int | None, int | None, int | None, int | None, int | None, int | None]
"""head, position, entry, claim, payload, payload claim; None = not loaded yet."""
IDLE: Read = (None,) * 6
MARK = 10_000


def memory_of(entries: int, words: int) -> Memory:
    now = {"head": 0, "claim": 0, "data_head": 0, "data_claim": 0}
    return now | {f"e{i}": -1 for i in range(entries)} | {f"p{i}": -1 for i in range(words)}


def publish_frames(
    program: Program,
    now: Memory,
    numbers: range,
    entries: int,
    words: int,
    *,
    fences: tuple[bool, bool] = (True, True),
    mark: int = 0,
) -> None:
    """Frames of one payload word each, from where ``now`` stands, as publish_frame does it."""
    head, claim, start, data_claim = now["head"], now["claim"], now["data_head"], now["data_claim"]
    for number in numbers:
        data_claim = max(data_claim, start + 1)
        program.store("data_claim", data_claim, release=not fences[0])
        if fences[0]:
            program.fence()
        frame = mark + start * 100 + number
        program.store(f"p{start % words}", frame)
        program.store("data_head", start + 1, release=True)
        claim = max(claim, head + 1)
        program.store("claim", claim, release=not fences[1])
        if fences[1]:
            program.fence()
        program.store(f"e{head % entries}", frame)
        program.store("head", head + 1, release=True)
        head, start = head + 1, start + 1


def steps_of(read: Read, now: Memory, entries: int, words: int, *, fences: tuple[bool, bool]) -> list[Read]:
    """What a read may do next. A payload's address comes from its entry, so it is loaded behind it in any case."""
    head, position, entry, claim, payload, data_claim = read
    if head is None:
        first = max(0, now["head"] - entries)
        return [(now["head"], p, None, None, None, None) for p in range(first, now["head"])]
    if entry is None and claim is None and not fences[0]:
        return [
            (head, position, now[f"e{position % entries}"], None, None, None),
            (head, position, None, now["claim"], None, None),
        ]
    if entry is None:
        return [(head, position, now[f"e{position % entries}"], claim, None, None)]
    if claim is None:
        return [(head, position, entry, now["claim"], None, None)]
    found: list[Read] = []
    if payload is None:
        found.append((head, position, entry, claim, now[f"p{start_of(entry) % words}"], data_claim))
    if data_claim is None and (payload is not None or not fences[1]):
        found.append((head, position, entry, claim, payload, now["data_claim"]))
    return found


def start_of(entry: int) -> int:
    return entry // 100 % 100


def is_wrong(read: Read, entries: int, words: int, reborn: int) -> bool:
    """Kept although the entry is not this position's, the payload not this entry's, or both the dead one's."""
    _, position, entry, claim, payload, data_claim = read
    if position < claim - entries or start_of(entry) < data_claim - words:
        return False
    return entry % 100 != position or payload != entry or (position >= reborn and entry < MARK)


def wrong_frames(
    program: Program,
    start: Memory,
    entries: int,
    words: int,
    *,
    fences: tuple[bool, bool] = (True, True),
    reborn: int = 99,
) -> int:
    """Wrong frames kept, over all interleavings of the producer's stores with one read."""
    total, found = len(program.stores), 0
    stack, seen = [(0, IDLE)], set()
    while stack:
        state = stack.pop()
        if state in seen:
            continue
        seen.add(state)
        visible, read = state
        now = dict(start)
        for i in range(total):
            if visible >> i & 1:
                now[program.stores[i][0]] = program.stores[i][1]
            elif all(visible >> j & 1 for j in program.stores[i][2]):
                stack.append((visible | 1 << i, read))
        if None not in read:
            found += is_wrong(read, entries, words, reborn)
        else:
            stack += [(visible, step) for step in steps_of(read, now, entries, words, fences=fences)]
    return found


@pytest.mark.parametrize(("entries", "words"), [(ENTRIES, WORDS), (FEW_ENTRIES, MANY_WORDS)])
def test_no_interleaving_gives_a_frame_with_anothers_bytes(entries: int, words: int) -> None:
    program, start = Program(), memory_of(entries, words)
    publish_frames(program, start, range(5), entries, words)
    assert wrong_frames(program, start, entries, words) == 0


@pytest.mark.parametrize(
    ("entries", "words", "writer", "reader"),
    [
        (ENTRIES, WORDS, (False, True), (True, True)),
        (FEW_ENTRIES, MANY_WORDS, (True, False), (True, True)),
        (FEW_ENTRIES, MANY_WORDS, (True, True), (False, True)),
        (ENTRIES, WORDS, (True, True), (True, False)),
    ],
)
def test_without_any_one_of_the_four_fences_the_model_finds_wrong_frames(
    entries: int, words: int, writer: tuple[bool, bool], reader: tuple[bool, bool]
) -> None:
    program, start = Program(), memory_of(entries, words)
    publish_frames(program, start, range(4), entries, words, fences=writer)
    assert wrong_frames(program, start, entries, words, fences=reader) > 0


def wrong_after_crash(steps: int, entries: int, words: int, *, keep_claims: bool) -> int:
    """Wrong frames of a producer killed after ``steps`` stores and of its successor, which finds them in memory."""
    program, start = Program(), memory_of(entries, words)
    publish_frames(program, start, range(3), entries, words)
    del program.stores[steps:]
    now = dict(start)
    for address, value, _ in program.stores:
        now[address] = value
    program.fence()
    if not keep_claims:
        now["claim"], now["data_claim"] = now["head"], now["data_head"]
        program.store("claim", now["claim"])
        program.store("data_claim", now["data_claim"])
    publish_frames(program, now, range(now["head"], now["head"] + 2), entries, words, mark=MARK)
    return wrong_frames(program, start, entries, words, reborn=now["head"])


@pytest.mark.parametrize(("entries", "words"), [(ENTRIES, WORDS), (FEW_ENTRIES, MANY_WORDS)])
def test_a_producer_killed_after_any_store_and_restarted_never_shows_a_wrong_frame(entries: int, words: int) -> None:
    for steps in range(19):
        assert wrong_after_crash(steps, entries, words, keep_claims=True) == 0, f"killed after {steps} stores"


def test_a_successor_that_rolled_the_claims_back_would_show_wrong_frames() -> None:
    for entries, words in ((ENTRIES, WORDS), (FEW_ENTRIES, MANY_WORDS)):
        assert sum(wrong_after_crash(steps, entries, words, keep_claims=False) for steps in range(19)) > 0
