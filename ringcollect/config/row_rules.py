"""Overrides of ``grid`` and ``features`` that contradict each other: an instrument has one grid, a grid one feature
set."""

from __future__ import annotations

import json
from typing import NamedTuple

from ringcollect.config.problems import Path, Problems, spell
from ringcollect.config.schema import Config, Market, Override
from ringcollect.config.symbols import symbol_key

MAX_GRIDS = 16
"""Row rings per exchange: each of them reads the record ring and takes one of the 64 places for readers there."""


class _Choice(NamedTuple):
    """What one key says."""

    path: Path
    value: tuple[str, ...]


def check_rows(config: Config, problems: Problems) -> None:
    """Note every contradiction, leaving out keys that are already known to be wrong."""
    if problems.touches(("sync", "grid"), ("sync", "features")):
        return
    for exchange in config.exchanges():
        sets = {config.sync.grid_ns: _Choice(("sync", "features"), config.sync.features)}
        grids: dict[tuple[str, str], _Choice] = {}
        for number, market in enumerate(config.markets):
            for position, override in enumerate(market.override):
                here: Path = ("markets", number, "override", position)
                if market.exchange == exchange and not problems.touches((*here, "grid"), (*here, "features")):
                    _check_features(config, override, here, sets, problems)
                    _check_grid(market, override, here, grids, problems)
        if len(sets) > MAX_GRIDS:
            problems.add(("markets",), f"{len(sets)} grids of {exchange}; allowed: at most {MAX_GRIDS} per exchange")


def _check_features(
    config: Config, override: Override, here: Path, sets: dict[int, _Choice], problems: Problems
) -> None:
    key = "features" if override.features else "grid"
    own = _Choice((*here, key), override.features or config.sync.features)
    other = sets.setdefault(override.grid_ns or config.sync.grid_ns, own)
    if set(own.value) != set(other.value):
        problems.add(
            own.path,
            f"the features {json.dumps(own.value)} on the grid {override.grid or config.sync.grid}, which has "
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
