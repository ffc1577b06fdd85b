"""Which rows an exchange has: one plan per grid, and which instruments belong to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from ringcollect.config.symbols import symbol_key
from ringcollect.config.sync_section import Sync
from ringcollect.durations import format_duration

SymbolName = tuple[str, str]
"""(market, :func:`symbol_key` of the symbol)."""


class RowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One row ring: its grid (text and ns), clock, features, and whose rows are in it.

    ``is_base`` is the grid of those that have none of their own. With ``is_only`` the ring has the rows of ``names``
    and of nothing else, without it those of everything but ``names``. ``makes_once``: what an instrument has once, on
    however many grids it is, is made with these rows: its bars, its whole book.
    """

    grid: str
    grid_ns: int
    mode: str
    hold_back_ns: int
    features: tuple[str, ...]
    is_base: bool = False
    is_only: bool = False
    makes_once: bool = False
    names: frozenset[SymbolName] = frozenset()

    @property
    def own_grid(self) -> str:
        """The grid, where only some instruments are on it: what tells their other rings from those of everybody."""
        return self.grid if self.is_only else ""

    def wants(self, market: str, symbol: str, unified: str = "") -> bool:
        """Whether this instrument's rows are in the ring; its own or its unified name may be the configured one."""
        is_named = any((market, symbol_key(name)) in self.names for name in (symbol, unified) if name)
        return is_named == self.is_only

    def selection(self) -> dict[str, list[str]] | None:
        """The choice as plain data, the same for equal choices (``{"only": ["linear:BTCUSDT"]}``); None: all."""
        listed = sorted(f"{market}:{key}" for market, key in self.names)
        if self.is_only:
            return {"only": listed}
        return {"all_but": listed} if listed else None


class Choice(Protocol):
    """What an override says of the rows of its symbols."""

    @property
    def symbols(self) -> tuple[str, ...]: ...
    @property
    def grid_ns(self) -> int: ...
    @property
    def features(self) -> tuple[str, ...]: ...


def row_plans(sync: Sync, overrides: Iterable[tuple[str, Choice]]) -> tuple[RowPlan, ...]:
    """The row rings of one exchange: the base first, the others finest first. ``overrides``: (market, override).

    A grid of ``[sync]`` has every instrument. An override takes its symbols from the base to its own grid; if that is
    a grid of ``[sync]`` anyway, they are there already.
    """
    base = sync.base
    whole = {one.grid_ns: one for one in sync.grids}
    names: dict[int, set[SymbolName]] = {}
    features: dict[int, tuple[str, ...]] = {}
    for market, override in overrides:
        grid_ns = override.grid_ns or base.grid_ns
        if grid_ns != base.grid_ns and override.symbols:
            names.setdefault(grid_ns, set()).update((market, symbol_key(s)) for s in override.symbols)
            features[grid_ns] = override.features or base.features
    moved = frozenset[SymbolName]().union(*names.values())
    plans = [
        RowPlan(
            grid=one.grid, grid_ns=grid_ns, mode=one.mode, hold_back_ns=one.hold_back_ns, features=one.features,
            is_base=one == base, names=moved if one == base else frozenset(),
        )
        for grid_ns, one in whole.items()
    ]  # fmt: skip
    plans += [
        RowPlan(
            grid=format_duration(grid_ns), grid_ns=grid_ns, mode=base.mode, hold_back_ns=base.hold_back_ns,
            features=features[grid_ns], is_only=True, names=frozenset(names[grid_ns]),
        )
        for grid_ns in names.keys() - whole.keys()
    ]  # fmt: skip
    plans.sort(key=lambda plan: (not plan.is_base, plan.grid_ns))
    once = _once(plans)
    return tuple(msgspec.structs.replace(plan, makes_once=plan in once) for plan in plans)


def _once(plans: list[RowPlan]) -> list[RowPlan]:
    """Plans that together have each instrument once: the first with all of them, else the base and the small ones."""
    complete = [plan for plan in plans if plan.selection() is None]
    return complete[:1] or [plan for plan in plans if plan.is_base or plan.is_only]
