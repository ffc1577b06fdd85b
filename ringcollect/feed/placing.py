"""Where further streams go: onto connections that have room, the rest onto new ones; and what leaving ones free.

Everything is asked of the exchange's own sharding, so that its limits hold whatever comes and goes. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ringcollect.exchanges.protocol import Exchange, Leg, Want


class Placed(NamedTuple):
    """``wants`` join connection number ``leg``, whose plan is ``plan`` from now on."""

    leg: int
    plan: Leg
    wants: tuple[Want, ...]


def names_of(exchange: Exchange, market: str, want: Want, url: str) -> frozenset[str]:
    """The venue's streams that ``want`` needs when it is alone."""
    return frozenset(name for leg in exchange.legs(market, [want], url) for name in leg.streams)


def place(
    exchange: Exchange, market: str, url: str, legs: Sequence[tuple[int, Leg]], wants: Sequence[Want]
) -> tuple[list[Placed], list[Leg]]:
    """(additions to ``legs``, given by their numbers; new connections) for ``wants``, all of one market.

    A want whose stream is on a connection already goes there, else to one that carries its symbol, else to the first
    with room: no stream comes by two connections.
    """
    plans = dict(legs)
    joined: dict[int, list[Want]] = {}
    left: list[Want] = []
    for want in wants:
        number = next((n for n in plans if names_of(exchange, market, want, url) <= set(plans[n].streams)), None)
        if number is None:
            left.append(want)
            continue
        fitting = _with(exchange, plans[number], [want], url)
        assert fitting is not None, "a stream that is there already takes no room"
        plans[number] = fitting
        joined.setdefault(number, []).append(want)
    by_symbol: dict[tuple[str, str], list[Want]] = {}
    for want in left:
        by_symbol.setdefault((want.symbol, exchange.legs(market, [want], url)[0].url), []).append(want)
    new: list[Want] = []
    for (symbol, where), some in by_symbol.items():
        there = [n for n in plans if plans[n].url == where]
        there.sort(key=lambda n: all(want.symbol != symbol for want in plans[n].wants))
        for number in there:
            grown = _with(exchange, plans[number], some, url)
            if grown is not None:
                plans[number] = grown
                joined.setdefault(number, []).extend(some)
                break
        else:
            new += some
    placed = [Placed(number, plans[number], tuple(some)) for number, some in joined.items()]
    return placed, exchange.legs(market, new, url) if new else []


def without(exchange: Exchange, leg: Leg, wants: Sequence[Want], url: str) -> tuple[Leg | None, list[Want]]:
    """(what ``leg`` is without ``wants``, those of them whose streams nobody there needs any more)."""
    ended = set(wants)
    left = [want for want in leg.wants if want not in ended]
    if not left:
        return None, list(wants)
    after = exchange.legs(leg.market, left, url)[0]
    kept = set(after.streams)
    gone = [want for want in wants if not names_of(exchange, leg.market, want, url) & kept]
    return after, gone


def _with(exchange: Exchange, leg: Leg, wants: Sequence[Want], url: str) -> Leg | None:
    """``leg`` with ``wants`` on it, None if they do not fit."""
    made = exchange.legs(leg.market, [*leg.wants, *wants], url)
    return made[0] if len(made) == 1 and made[0].url == leg.url else None
