"""Rules between the keys of exchanges that ccxt reaches."""

from __future__ import annotations

from ringcollect.config.problems import Problems, nearest, spell
from ringcollect.config.schema import Config
from ringcollect.config.unified import PREFIX, class_of, classes, is_unified, missing


def check_unified(config: Config, problems: Problems) -> None:
    """Is ccxt here, does it have the classes, and is each told its own things once?"""
    for number, market in enumerate(config.markets):
        path = ("markets", number)
        if not is_unified(market.exchange) or problems.touches((*path, "exchange")):
            continue
        known = classes()
        if absent := missing(market.exchange):
            problems.add((*path, "exchange"), absent)
        elif class_of(market.exchange) not in known:
            hint = nearest(class_of(market.exchange), known)
            problems.add((*path, "exchange"), f'ccxt has no class "{class_of(market.exchange)}" with feeds; {hint}')
        for key in ("url", "rest_url"):
            if getattr(market, key):
                problems.add((*path, key), "ccxt has many addresses per exchange: they are set in [[ccxt]].urls")
    seen: dict[str, str] = {}
    for number, entry in enumerate(config.ccxt):
        place = ("ccxt", number, "id")
        if not entry.id or problems.touches(place):
            continue
        if entry.id in seen:
            problems.add(place, f'"{entry.id}" is already in {seen[entry.id]}')
        seen.setdefault(entry.id, spell(("ccxt", number)))


def idle_entries(config: Config) -> list[str]:
    """Warnings about ``[[ccxt]]`` entries of exchanges that are not collected."""
    exchanges = {market.exchange for market in config.markets}
    return [
        f'{spell(("ccxt", number, "id"))}: no market has the exchange "{PREFIX}{entry.id}"'
        for number, entry in enumerate(config.ccxt)
        if PREFIX + entry.id not in exchanges
    ]
