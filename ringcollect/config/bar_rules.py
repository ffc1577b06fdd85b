"""Bars that the grids they are made on cannot have."""

from __future__ import annotations

from ringcollect.bar_kinds import MAX_BARS, bars_problem
from ringcollect.config.problems import Path, Problems
from ringcollect.config.schema import Config

_KEYS = ("bar_durations", "bar_sizes")


def check_bars(config: Config, problems: Problems) -> None:
    """Note every contradiction, where bars are on and no key they hang on is known to be wrong."""
    here: Path = ("sync", "features")
    if not config.sync.output.bars or problems.touches(here, ("sync", "grid"), ("markets",)):
        return
    wanted = config.sync.bars
    if not wanted:
        problems.add(
            (*here, _KEYS[0]), "found an empty array, as bar_sizes; allowed: one bar (or sync.output.bars = false)"
        )
    if len(wanted) > MAX_BARS:
        problems.add((*here, _KEYS[0]), f"{len(wanted)} kinds of bars with bar_sizes; allowed: at most {MAX_BARS}")
        return
    plans = [plan for exchange in config.exchanges() for plan in config.row_plans(exchange) if plan.makes_once]
    grids = dict.fromkeys(plan.grid_ns for plan in plans) or {config.sync.grid_ns: None}
    choice = config.sync.choice
    for key, kinds in zip(_KEYS, (choice.time_bars, choice.size_bars), strict=True):
        for text in dict.fromkeys(bars_problem(kinds, grid_ns) for grid_ns in grids):
            if text:
                problems.add((*here, key), text)
