"""Instruments that are listed or delisted while a venue runs: in its lists, for its subscribers, in its streams."""

from __future__ import annotations

from typing import Any

from ringcollect.sim.hub import Hub
from ringcollect.sim.scene import Scene


def named_too(symbols: tuple[str, ...], scene: Scene) -> tuple[str, ...]:
    """``symbols`` and those that are listed later."""
    return tuple(dict.fromkeys((*symbols, *(change.symbol for change in scene.plan.changes))))


def plan_listings(feeds: dict[Any, Any], hub: Hub, scene: Scene) -> None:
    """Let the changes of the scene's plan happen to ``feeds`` (by symbol, or by market and symbol).

    Whoever is not listed has a market all the same, which nobody sees: the others are not changed by it.
    """
    all_of_them = dict(feeds)
    for symbol in {change.symbol for change in scene.plan.changes}:
        mine = {key: feed for key, feed in all_of_them.items() if symbol == (key if type(key) is str else key[1])}
        changes = sorted((one for one in scene.plan.changes if one.symbol == symbol), key=lambda one: one.at_ns)
        _set(feeds, hub, symbol, mine, listed=not changes[0].listed)
        for change in changes:

            def job(
                due_ns: int, symbol: str = symbol, mine: dict[Any, Any] = mine, listed: bool = change.listed
            ) -> int:
                _set(feeds, hub, symbol, mine, listed=listed)
                scene.truth.line("listed" if listed else "delisted", t=scene.start_ns + due_ns, s=symbol)
                return -1

            scene.scheduler.add(change.at_ns, job)


def _set(feeds: dict[Any, Any], hub: Hub, symbol: str, mine: dict[Any, Any], *, listed: bool) -> None:
    if listed:
        feeds |= mine
        hub.relist(symbol)
        return
    for key in mine:
        feeds.pop(key, None)
    hub.unlist(symbol)
