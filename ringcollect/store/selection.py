"""What of a lake is chosen: types, exchanges, markets, symbols, and a half-open span of UTC time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ringcollect.config.symbols import symbol_key
from ringcollect.durations import parse_time
from ringcollect.errors import ConfigError
from ringcollect.instruments import Instrument
from ringcollect.store.naming import DAY_NS, TOKENS, date_of

FOREVER = 2**62
FIRST_DATE, LAST_DATE = "1970-01-01", "9999-12-31"
TIERS = ("raw", "rest", "sync", "frames", "rejects")
Time = int | str | datetime
"""Ns since the epoch, an ISO text (UTC unless it says otherwise), or a datetime."""


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Times in ns since the epoch, rows stamped in ``[start_ns, end_ns)``; an empty tuple chooses everything.

    A type is a table (``trades``) or a table of one tier (``sync/trades``).
    """

    start_ns: int = 0
    end_ns: int = FOREVER
    types: tuple[str, ...] = ()
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
        return self.wants_symbol(instrument.symbol, instrument.unified)

    def wants_symbol(self, *names: str) -> bool:
        """Whether one of the names an instrument has is asked for."""
        if not self.symbols:
            return True
        keys = {symbol_key(name) for name in self.symbols}
        return any(symbol_key(name) in keys for name in names if name)

    def wants_table(self, tier: str, table: str) -> bool:
        """Whether files of ``table`` in ``tier`` are asked for."""
        return not self.types or table in self.types or f"{tier}/{table}" in self.types

    def wants_owner(self, exchange: str, market: str) -> bool:
        """Whether anything of the exchange and market is asked for."""
        return (not self.exchanges or exchange in self.exchanges) and (not self.markets or market in self.markets)

    def dates(self) -> tuple[str, str]:
        """First and last ``date=`` folder that can hold rows of the span.

        A folder is named after stream time, which does not go back with the clock: a row stamped after a step back is
        in the folder of the day before the step. One day more covers steps of up to a day.
        """
        first = date_of(self.start_ns) if self.start_ns > 0 else FIRST_DATE
        last = date_of(self.end_ns - 1 + DAY_NS) if 0 < self.end_ns < FOREVER else LAST_DATE
        return first, last

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


def nanoseconds(time: Time | None, key: str, default: int) -> int:
    """``time`` in ns since the epoch, ``default`` for None. ConfigError naming ``key`` for a text that is no time."""
    if time is None:
        return default
    if isinstance(time, int):
        return time
    return parse_time(time.isoformat() if isinstance(time, datetime) else time, key)


def select(
    *,
    types: tuple[str, ...] = (),
    exchanges: tuple[str, ...] = (),
    markets: tuple[str, ...] = (),
    symbols: tuple[str, ...] = (),
    start: Time | None = None,
    end: Time | None = None,
) -> Selection:
    """A selection from what a user wrote. ConfigError for a type there is not, or an end not after the start."""
    for name in types:
        tier, _, table = name.rpartition("/")
        if table not in TOKENS or (tier and tier not in TIERS):
            raise ConfigError(f"--type: there is no {name!r}; types are {', '.join(TOKENS)}, or sync/trades and so on")
    selection = Selection(
        start_ns=nanoseconds(start, "--start", 0),
        end_ns=nanoseconds(end, "--end", FOREVER),
        types=types,
        exchanges=exchanges,
        markets=markets,
        symbols=symbols,
    )
    if selection.end_ns <= selection.start_ns:
        raise ConfigError("--end: not after --start")
    return selection
