"""Streams over connections, where a venue allows fewer books on one than other streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def shards(names: Sequence[str], most: int, is_book: Callable[[str], bool], most_books: int) -> list[list[str]]:
    """``names`` in pieces of at most ``most``, of which at most ``most_books`` are books; order is kept."""
    made: list[list[str]] = []
    while names:
        books = set([name for name in names if is_book(name)][most_books:])
        some = [name for name in names if name not in books][:most]
        taken = set(some)
        names = [name for name in names if name not in taken]
        made.append(some)
    return made
