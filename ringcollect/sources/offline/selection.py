"""What of a lake is built: a half-open span of UTC time, exchanges, markets, symbols."""

from __future__ import annotations

from typing import Any

import msgspec

from ringcollect.config.symbols import symbol_key
from ringcollect.instruments import Instrument

FOREVER = 2**62


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Times in ns since the epoch, rows stamped in ``[start_ns, end_ns)``; an empty tuple chooses everything."""

    start_ns: int = 0
    end_ns: int = FOREVER
    exchanges: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()

    @property
    def is_part(self) -> bool:
        """Whether some instruments of an exchange are left out."""
        return bool(self.markets or self.symbols)

    def wants(self, instrument: Instrument) -> bool:
        """Whether rows of ``instrument`` are asked for; its own or its unified name may be the one given."""
        if self.markets and instrument.market not in self.markets:
            return False
        if not self.symbols:
            return True
        keys = {symbol_key(name) for name in self.symbols}
        return any(symbol_key(name) in keys for name in (instrument.symbol, instrument.unified) if name)

    def filters(self) -> dict[str, Any]:
        """The choice of instruments as plain data, the same for equal choices; empty: all."""
        chosen = {
            "markets": sorted(set(self.markets)),
            "symbols": sorted({symbol_key(name) for name in self.symbols}),
        }
        return {key: names for key, names in chosen.items() if names}


def may_share(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two choices (:meth:`Selection.filters`) can have an instrument in common."""
    return all(set(one[key]) & set(other[key]) for key in one.keys() & other.keys())
