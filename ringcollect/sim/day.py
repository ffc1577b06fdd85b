"""What a venue says of the last 24 h of one instrument, in exact integers; the day begins when the simulation does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ringcollect.sim.market import Fill
from ringcollect.sim.specs import SymbolSpec

COIN_DECIMALS = 8


class Statistics(NamedTuple):
    """Texts. ``value`` is size times price; ``coins`` is what sizes in quote currency bought, rounded down."""

    last: str
    open: str
    high: str
    low: str
    volume: str
    value: str
    coins: str


class Day:
    """First, last and extreme ticks of the fills so far, and how much they were."""

    def __init__(self, spec: SymbolSpec) -> None:
        self._spec = spec
        self._first = self._last = self._high = self._low = spec.start_tick
        self._lots = self._value = self._coins = 0

    def add(self, fills: Sequence[Fill]) -> None:
        """More fills."""
        spec = self._spec
        for fill in fills:
            if not self._lots:
                self._first = self._high = self._low = fill.tick
            self._last, self._high, self._low = fill.tick, max(self._high, fill.tick), min(self._low, fill.tick)
            self._lots += fill.lots
            self._value += fill.tick * fill.lots
            scale = 10 ** (COIN_DECIMALS + spec.price_decimals)
            price = fill.tick * spec.tick_units * 10**spec.size_decimals
            self._coins += fill.lots * spec.lot_units * scale // price

    def statistics(self, write: Callable[[int, int], str]) -> Statistics:
        """The day as the venue writes numbers: ``write`` gives the text of (units, decimals)."""
        spec = self._spec
        last, first, high, low = (
            write(tick * spec.tick_units, spec.price_decimals)
            for tick in (self._last, self._first, self._high, self._low)
        )
        value = write(self._value * spec.tick_units * spec.lot_units, spec.price_decimals + spec.size_decimals)
        volume = write(self._lots * spec.lot_units, spec.size_decimals)
        return Statistics(last, first, high, low, volume, value, write(self._coins, COIN_DECIMALS))
