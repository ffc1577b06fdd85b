"""Which instruction may run after which, in aarch64 assembly with labels: order on every path, not in the text."""

from __future__ import annotations

from collections.abc import Iterable

_CONDITIONAL = ("b.", "cbz", "cbnz", "tbz", "tbnz")


def successors(lines: list[str]) -> list[list[int]]:
    """For each line the lines that may run next."""
    labels = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(":")}
    following: list[list[int]] = []
    for i, line in enumerate(lines):
        operation = line.split(" ")[0]
        jumps = [labels[line.split(" ")[-1]]] if operation == "b" or operation.startswith(_CONDITIONAL) else []
        ends = operation in ("b", "ret")
        assert operation != "br", "a jump table: this reader of assembly does not know where it leads"
        following.append(jumps if ends else [*jumps, *([i + 1] if i + 1 < len(lines) else [])])
    return following


def reachable(lines: list[str], start: int, without: Iterable[int] = ()) -> set[int]:
    """Lines that may run after line ``start``, on paths that do not pass any line of ``without``."""
    following, closed = successors(lines), set(without)
    seen: set[int] = set()
    todo = list(following[start])
    while todo:
        at = todo.pop()
        if at not in seen and at not in closed:
            seen.add(at)
            todo += following[at]
    return seen
