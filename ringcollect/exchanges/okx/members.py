"""Which symbols the shared kernel may take from a connection: instruments of its market, indices with who follows them.

Some streams bring the instruments of all markets; each market's connection records its own. A connection that is not
one of ours ("" here) may carry any.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ringcollect.decode.memory import address
from ringcollect.decode.symbols import SymbolTable
from ringcollect.exchanges import hot

ANY_MARKET = ""


class Members:
    """Symbols and groups of one market, or of all."""

    def __init__(self) -> None:
        self.symbols = SymbolTable()
        self._indices = SymbolTable()
        self._groups: list[list[int]] = []
        self._words = np.zeros(1, np.int64)

    def add(self, symbol: str, instrument: int) -> None:
        """An instrument of the market."""
        self.symbols.add(symbol, instrument)

    def follow(self, index: str, instruments: Iterable[int]) -> None:
        """The instruments of the market that follow an index, in their order; they replace those known before."""
        number = self._indices.numbers.get(index, len(self._groups))
        if number == len(self._groups):
            self._groups.append([])
            self._indices.add(index, number)
        self._groups[number] = list(instruments)
        starts: list[int] = []
        lists: list[int] = []
        for group in self._groups:
            starts.append(len(self._groups) + len(lists))
            lists += [len(group), *group]
        self._words = np.array(starts + lists, np.int64)

    def point(self, ctx: np.ndarray) -> None:
        """Tell a context where all this is now."""
        ctx[hot.C_ROW_SYMBOLS] = self.symbols.address()
        ctx[hot.C_GROUP_SYMBOLS] = self._indices.address()
        ctx[hot.C_GROUPS] = address(self._words)
