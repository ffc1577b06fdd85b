"""Which instruction may run after which, in assembly with labels (aarch64, x86-64): on every path, not in the text."""

from __future__ import annotations

from collections.abc import Iterable

_CONDITIONAL = ("b.", "cbz", "cbnz", "tbz", "tbnz")
_ALWAYS = ("b", "jmp")
_ENDS = ("ret", "retq")


def successors(lines: list[str]) -> list[list[int]]:
    """For each line the lines that may run next."""
    labels = {line[:-1]: i for i, line in enumerate(lines) if line.endswith(":")}
    following: list[list[int]] = []
    for i, line in enumerate(lines):
        operation = line.split(" ")[0]
        conditional = operation.startswith(_CONDITIONAL) or (operation[0] == "j" and operation not in _ALWAYS)
        assert operation != "br" and "*" not in line, "a jump table: this reader does not know where it leads"
        jumps = [labels[line.split(" ")[-1]]] if conditional or operation in _ALWAYS else []
        ends = operation in _ALWAYS or operation in _ENDS
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
