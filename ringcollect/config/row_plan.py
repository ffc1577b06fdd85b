"""Which rows an exchange has: one plan per grid, and which instruments belong to it."""

from __future__ import annotations

import msgspec

from ringcollect.config.symbols import symbol_key

SymbolName = tuple[str, str]
"""(market, :func:`symbol_key` of the symbol)."""


class RowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One row ring: its grid (text and ns), its features, and whose rows are in it.

    With ``is_base`` it has the rows of everything but ``names``, else of ``names`` only.
    """

    grid: str
    grid_ns: int
    features: tuple[str, ...]
    is_base: bool = True
    names: frozenset[SymbolName] = frozenset()

    def wants(self, market: str, symbol: str, unified: str = "") -> bool:
        """Whether this instrument's rows are in the ring; its own or its unified name may be the configured one."""
        is_named = any((market, symbol_key(name)) in self.names for name in (symbol, unified) if name)
        return is_named != self.is_base

    def selection(self) -> dict[str, list[str]] | None:
        """The choice as plain data, the same for equal choices (``{"only": ["linear:BTCUSDT"]}``); None: all."""
        listed = sorted(f"{market}:{key}" for market, key in self.names)
        if not self.is_base:
            return {"only": listed}
        return {"all_but": listed} if listed else None
