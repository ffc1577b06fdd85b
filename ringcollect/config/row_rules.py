"""Grids that contradict each other: a period has one clock and one feature set, an instrument one grid of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from ringcollect.config.problems import Path, Problems, spell
from ringcollect.config.schema import Config, Market, Override
from ringcollect.config.symbols import symbol_key

MAX_GRIDS = 16
"""Row rings per exchange: each of them reads the record ring and takes one of the 64 places for readers there."""


DRIVER_CHANNEL = {"orderbook": "book", "trade": "trade", "liquidation": "liquidation"}


class _Choice(NamedTuple):
    """What one key says."""

    path: Path
    value: tuple[str, ...]


def check_rows(config: Config, problems: Problems) -> None:
    """Note every contradiction, leaving out keys that are already known to be wrong."""
    if problems.touches(("sync", "grid"), ("sync", "features")):
        return
    whole = _whole_grids(config, problems)
    if not whole:
        return
    for exchange in config.exchanges():
        sets = dict(whole)
        grids: dict[tuple[str, str], _Choice] = {}
        for number, market in enumerate(config.markets):
            for position, override in enumerate(market.override):
                here: Path = ("markets", number, "override", position)
                if market.exchange == exchange and not problems.touches((*here, "grid"), (*here, "features")):
                    _check_features(config, override, here, sets, problems)
                    _check_grid(market, override, here, grids, problems)
        if len(sets) > MAX_GRIDS:
            problems.add(("markets",), f"{len(sets)} grids of {exchange}; allowed: at most {MAX_GRIDS} per exchange")


def row_warnings(config: Config) -> Iterator[str]:
    """What is allowed of grids and clocks, and probably not meant."""
    for number, (one, written) in enumerate(zip(config.sync.grids, config.sync.written, strict=True)):
        here: Path = ("sync", "grid", number)
        if one.hold_back_ns == 0:
            key = spell((*here, "hold_back")) if written.hold_back else "sync.hold_back"
            yield f"{key}: with 0s every event that arrives after its row's boundary is dropped as late"
        key = spell((*here, "mode")) if written.mode else "sync.mode"
        driver = DRIVER_CHANNEL.get(one.mode)
        for position, market in enumerate(config.markets):
            silent = [s for s in market.symbols if driver is not None and driver not in market.channels_for(s)]
            if silent:
                yield (
                    f'markets[{position}]: {key} "{one.mode}" makes no rows without the channel "{driver}", '
                    f"which {', '.join(silent[:5])}{'...' if len(silent) > 5 else ''} does not have"
                )


def _whole_grids(config: Config, problems: Problems) -> dict[int, _Choice]:
    """The grids every instrument is on, by period, and which key says their features."""
    sync = config.sync
    if not sync.grids:
        problems.add(("sync", "grid"), "found an empty array; allowed: at least one table")
    found: dict[int, tuple[int, _Choice]] = {}
    for number, (one, written) in enumerate(zip(sync.grids, sync.written, strict=True)):
        path: Path = ("sync", "grid", number, "features") if written.features else ("sync", "features")
        before, _ = found.setdefault(one.grid_ns, (number, _Choice(path, one.features)))
        if before != number:
            place = spell(("sync", "grid", before, "grid"))
            problems.mismatch(("sync", "grid", number, "grid"), one.grid, f"another period than that of {place}")
    return {period: choice for period, (_, choice) in found.items()}


def _check_features(
    config: Config, override: Override, here: Path, sets: dict[int, _Choice], problems: Problems
) -> None:
    key = "features" if override.features else "grid"
    grid_ns = override.grid_ns or config.sync.grid_ns
    whole = {one.grid_ns: one.features for one in config.sync.grids}
    own = _Choice((*here, key), override.features or whole.get(grid_ns, config.sync.base.features))
    other = sets.setdefault(grid_ns, own)
    if set(own.value) != set(other.value):
        problems.add(
            own.path,
            f"the features {json.dumps(own.value)} on the grid {override.grid or config.sync.base.grid}, which has "
            f"{json.dumps(other.value)} by {spell(other.path)}; a grid has one feature set: give these symbols a grid "
            "of their own",
        )


def _check_grid(
    market: Market, override: Override, here: Path, grids: dict[tuple[str, str], _Choice], problems: Problems
) -> None:
    """Two entries of one market may share an instrument (by channel); its rows come from both together."""
    if not override.grid:
        return
    own = _Choice((*here, "grid"), (override.grid,))
    for symbol in override.symbols:
        other = grids.setdefault((market.market, symbol_key(symbol)), own)
        if other.value != own.value:
            allowed = f'"{other.value[0]}", which {spell(other.path)} gives "{symbol}" already'
            problems.mismatch(own.path, override.grid, allowed)
