"""Who is collected: the configured names and rules of one market, looked up in the exchange's instrument list.

Pure: equal lists, volumes and what was collected before give the same roster. The roster is what a recording keeps of
the list, so a replay collects the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ringcollect.config.symbols import rule_matches
from ringcollect.errors import ConfigError
from ringcollect.exchanges.protocol import Exchange, Listing
from ringcollect.feed.plan import MarketPlan, RulePlan, SymbolPlan

OVER = frozenset({"closed", "close", "delivered", "delivering", "settling", "delisted", "expired"})
"""Statuses of an instrument that will not trade again."""
DELISTED = "delisted"
TRADING = "trading"
STAYS = 1.2
"""Of a rule's ``top`` n, whoever was among them stays while it is among the first 1.2 n: no coming and going."""
_NAMED = 5


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instrument that is collected. ``plan``: its position among the market's names, or among its rules."""

    symbol: str
    metadata: dict
    plan: int
    is_ruled: bool = False
    code: str = ""


class Roster(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a market's plan. ``unlisted``: positions of names the exchange does not list (any more).

    ``gone``: symbols that were collected and are listed no more. ``renamed``: what symbols of before are called now.
    ``problems``: for people, each with the key's path.
    """

    entries: tuple[Entry, ...] = ()
    unlisted: tuple[int, ...] = ()
    gone: tuple[str, ...] = ()
    renamed: dict[str, str] = {}
    problems: tuple[str, ...] = ()


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What was collected of the market until now: native symbols, and the exchange's code of each that has one."""

    symbols: frozenset[str] = frozenset()
    codes: Mapping[str, str] = {}
    ruled: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = {}


def choose(
    exchange: Exchange,
    plan: MarketPlan,
    listings: Sequence[Listing],
    volumes: Mapping[str, float],
    before: Before,
    room: int,
) -> Roster:
    """The roster of ``plan`` by the instrument list and, for rules with ``top``, the 24 h volumes by native symbol.

    ``room`` is how many instruments fit; names come before rules, both in the order of the configuration.
    """
    by_symbol = {listing.symbol: listing for listing in listings if listing.metadata.get("status") not in OVER}
    renamed = _renamed(before, by_symbol)
    entries: list[Entry] = []
    unlisted: list[int] = []
    problems: list[str] = []
    known = list(by_symbol.values())
    for position, named in enumerate(plan.symbols):
        symbol, problem = _named(exchange, plan.market, named, known, renamed)
        if problem:
            problems.append(problem)
        if symbol in by_symbol:
            entries.append(_entry(by_symbol[symbol], position, False))
        else:
            unlisted.append(position)
    for position, rule in enumerate(plan.rules):
        chosen, problem = _ruled(rule, known, volumes, before.ruled, room - len({e.symbol for e in entries}))
        if problem:
            problems.append(f"{rule.path}: {exchange.name} {plan.market}: {problem}")
        entries += [_entry(by_symbol[symbol], position, True) for symbol in chosen]
    gone = tuple(sorted(symbol for symbol in before.symbols if symbol not in by_symbol))
    return Roster(
        entries=tuple(entries), unlisted=tuple(unlisted), gone=gone, renamed=renamed, problems=tuple(problems)
    )


def _entry(listing: Listing, position: int, is_ruled: bool) -> Entry:
    return Entry(symbol=listing.symbol, metadata=listing.metadata, plan=position, is_ruled=is_ruled, code=listing.code)


def _named(
    exchange: Exchange, market: str, named: SymbolPlan, known: list[Listing], renamed: Mapping[str, str]
) -> tuple[str, str]:
    """(native symbol, problem) of one name."""
    try:
        return exchange.resolve(market, named.symbol, known), ""
    except ConfigError as error:
        complaint = f"{named.path}: {error}"
    try:
        old = exchange.resolve(market, named.symbol, ())
    except ConfigError:
        return "", complaint
    if old not in renamed:
        return old, complaint
    now = f"{exchange.name} calls {old} {renamed[old]} now; it is collected under that name, write it here"
    return renamed[old], f"{named.path}: {now}"


def _renamed(before: Before, by_symbol: Mapping[str, Listing]) -> dict[str, str]:
    """Old name -> new one, of instruments whose code is now another symbol's."""
    now = {listing.code: listing.symbol for listing in by_symbol.values() if listing.code}
    fresh = {
        symbol: now[code] for symbol, code in before.codes.items() if symbol not in by_symbol and code in now
    }  # fmt: skip
    followed = {old: fresh.get(new, new) for old, new in before.renamed.items()}
    return {old: new for old, new in (followed | fresh).items() if old not in by_symbol and new in by_symbol}


def _ruled(
    rule: RulePlan, known: list[Listing], volumes: Mapping[str, float], before: frozenset[str], room: int
) -> tuple[list[str], str]:
    """(native symbols, problem) of one rule: the largest first where it asks for them, else by name."""
    matching = sorted(
        listing.symbol
        for listing in known
        if any(rule_matches(text, listing.symbol, listing.metadata.get("unified", "")) for text in rule.rules)
        and (listing.metadata.get("status", TRADING) == TRADING or listing.symbol in before)
    )
    what = f"{', '.join(rule.rules)} names"
    if not matching:
        return [], f"{what} nothing that trades"
    most, why = rule.limit, f"{rule.path.rpartition('.')[0]}.limit is {rule.limit}"
    if rule.top:
        matching = _largest(matching, volumes, before, rule.top)
    else:  # what is collected stays, whatever is listed beside it
        matching.sort(key=lambda symbol: (symbol not in before, symbol))
    if room < most:
        most, why = max(0, room), f"no more than {max(0, room)} fit"
    left = matching[most:]
    if not left:
        return sorted(matching), ""
    names = ", ".join(left[:_NAMED]) + (", ..." if len(left) > _NAMED else "")
    return sorted(matching[:most]), f"{what} {len(matching)} symbols, {why}: without {names}"


def _largest(matching: list[str], volumes: Mapping[str, float], before: frozenset[str], top: int) -> list[str]:
    ranked = sorted(matching, key=lambda symbol: (-volumes.get(symbol, 0.0), symbol))
    kept = [symbol for symbol in ranked[: int(top * STAYS)] if symbol in before][:top]
    others = [symbol for symbol in ranked if symbol not in kept]
    return kept + others[: top - len(kept)]


def merged(listings: Iterable[Listing]) -> list[Listing]:
    """Every listed instrument once, with what partial listings add to it."""
    by_symbol: dict[str, Listing] = {}
    more: dict[str, dict] = {}
    for listing in listings:
        if listing.partial:
            more[listing.symbol] = more.get(listing.symbol, {}) | listing.metadata
        else:
            by_symbol[listing.symbol] = listing
    return [
        Listing(symbol, one.metadata | more.get(symbol, {}), one.market, code=one.code)
        for symbol, one in by_symbol.items()
    ]
