"""Streams over connections: which of them carry what somebody wants, and how many one connection may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ringcollect.exchanges.protocol import Leg, Want


def by_stream(wants: Sequence[Want], name_of: Callable[[Want], str]) -> dict[str, list[Want]]:
    """What each stream carries, by its name, in the order wanted."""
    streams: dict[str, list[Want]] = {}
    for want in wants:
        streams.setdefault(name_of(want), []).append(want)
    return streams


def carried_by(names: Sequence[str], streams: Mapping[str, Sequence[Want]]) -> tuple[Want, ...]:
    """Everything that these of the streams carry."""
    return tuple(want for name in names for want in streams[name])


def pieces(names: Sequence[str], most: int) -> list[Sequence[str]]:
    """``names`` in pieces of at most ``most``; order is kept."""
    return [names[start : start + most] for start in range(0, len(names), most)]


def legs_of(market: str, url: str, streams: Mapping[str, Sequence[Want]], most: int) -> list[Leg]:
    """Connections to ``url`` of at most ``most`` streams."""
    return [Leg(market, url, tuple(some), carried_by(some, streams)) for some in pieces(list(streams), most)]


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
