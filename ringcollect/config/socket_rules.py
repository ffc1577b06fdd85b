"""Rules between the keys of ``[websocket]`` and its overrides."""

from __future__ import annotations

from ringcollect.config.problems import Path, Problems, spell
from ringcollect.config.schema import Config
from ringcollect.config.transports import SOCKS_MISSING, missing, socks_is_missing
from ringcollect.config.unified import is_unified
from ringcollect.config.websocket import Websocket
from ringcollect.durations import parse_duration


def check_sockets(config: Config, problems: Problems) -> None:
    """Is what is named installed, do first and longest wait agree, is every exchange overridden once?"""
    plain = config.websocket.of("")
    _check_one(plain, plain, ("websocket",), problems)
    seen: dict[str, str] = {}
    for number, override in enumerate(config.websocket.override):
        here: Path = ("websocket", "override", number)
        exchange = override.exchange
        if not exchange or problems.touches((*here, "exchange")):
            continue
        if exchange in seen:
            problems.add((*here, "exchange"), f'"{exchange}" is overridden before, in {seen[exchange]}')
            continue
        seen[exchange] = spell(here)
        settings = config.websocket.of(exchange)
        _check_one(settings, plain, here, problems)
        if is_unified(exchange):
            for key in ("redundancy", "proxy", "ca_file"):
                if getattr(settings, key) != getattr(plain, key):
                    problems.add((*here, key), "ccxt opens its own sockets: set what it knows in [[ccxt]].options")


def _check_one(settings: Websocket, plain: Websocket, here: Path, problems: Problems) -> None:
    """``settings`` where they differ from ``plain``, or are it."""
    everything = settings is plain
    if (everything or settings.transport != plain.transport) and (absent := missing(settings.transport)):
        problems.add((*here, "transport"), absent)
    if (everything or settings.proxy != plain.proxy) and settings.proxy.startswith("socks") and socks_is_missing():
        problems.add((*here, "proxy"), SOCKS_MISSING)
    first, longest = (*here, "retry_first"), (*here, "retry_max")
    waits = (settings.retry_first, settings.retry_max)
    if problems.touches(first, longest) or not (everything or waits != (plain.retry_first, plain.retry_max)):
        return
    if parse_duration(waits[0]) > parse_duration(waits[1]):
        problems.mismatch(first, waits[0], f"at most {spell(longest)}, which is {waits[1]}")


def idle_overrides(config: Config) -> list[str]:
    """Warnings about overrides of exchanges that are not collected."""
    collected = set(config.exchanges())
    return [
        f'{spell(("websocket", "override", number, "exchange"))}: no market has the exchange "{override.exchange}"'
        for number, override in enumerate(config.websocket.override)
        if override.exchange not in collected
    ]
