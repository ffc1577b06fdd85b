"""The catalogue: every column a row can have, in order, and which group of kernels writes it.

What the configuration chooses from it becomes data (a bit mask, offsets, a list of columns): no choice compiles
anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec
import numpy as np

from ringcollect.errors import ConfigError
from ringcollect.sync.layout import F_GROUPS, GROUP_A, GROUP_A_SLAB, P_COLUMNS, P_GROUPS, P_SELECT, P_SLAB, P_WIDE


class Feature(msgspec.Struct, frozen=True):
    """One column: ``inputs`` B book, T trades, L liquidations, F funding, O open interest, M mark, R previous rows."""

    name: str
    formula: str
    unit: str
    inputs: str
    undefined: str
    source: str
    group: str = "A"


class Group(msgspec.Struct, frozen=True):
    """A file of kernels: its bit in the run-time mask, floats of state per instrument, columns."""

    name: str
    bit: int
    slab: int
    features: tuple[Feature, ...]


_ATELIER = "atelier MarketAggregate"
_LATER = "atelier successor"

_A = (
    Feature("ob_mid_price", "(Pb0 + Pa0) / 2 if both > 0", "quote", "B", "0", _ATELIER),
    Feature("ob_spread", "Pa0 - Pb0 if both > 0", "quote", "B", "0", _ATELIER),
    Feature(
        "ob_imbalance", "(sum Qb - sum Qa) / (sum Qb + sum Qa) over all levels held", "[-1, 1]", "B", "0", _ATELIER
    ),
    Feature("trade_volume", "sum q", "base", "T", "0", _ATELIER),
    Feature("trade_vwap", "sum p*q / sum q", "quote", "T", "0", _ATELIER),
    Feature("trade_count", "number of trades", "count", "T", "0", _ATELIER),
    Feature("liq_notional", "sum p*q", "quote", "L", "0", _ATELIER),
    Feature("liq_count", "number of liquidations", "count", "L", "0", _ATELIER),
    Feature(
        "liq_imbalance", "(notional of closed longs - of closed shorts) / total notional", "[-1, 1]", "L", "0", _ATELIER
    ),
    Feature("fr_rate", "rate of the latest funding record", "fraction/interval", "F", "0", _ATELIER),
    Feature("fr_annualized", "fr_rate * 8760 / interval_hours (8 if unknown)", "fraction/year", "F", "0", _ATELIER),
    Feature("fr_next_settlement_delta", "next funding time - the record's own time", "ns", "F", "0", _ATELIER),
    Feature("oi_contracts", "latest open interest", "venue unit", "O", "0", _ATELIER),
    Feature("oi_value", "reported quote value, else oi * contract size * mark", "quote", "OM", "0", _ATELIER),
    Feature(
        "oi_change", "oi_contracts - last known oi_contracts at the previous row", "venue unit", "OR", "0", _ATELIER
    ),
    Feature("trade_notional", "sum p*q", "quote", "T", "0", _LATER),
    Feature("trade_buy_volume", "sum q, s = +1", "base", "T", "0", _LATER),
    Feature("trade_buy_notional", "sum p*q, s = +1", "quote", "T", "0", _LATER),
    Feature("trade_buy_count", "number of trades, s = +1", "count", "T", "0", _LATER),
    Feature("trade_sell_volume", "sum q, s = -1", "base", "T", "0", _LATER),
    Feature("trade_sell_notional", "sum p*q, s = -1", "quote", "T", "0", _LATER),
    Feature("trade_sell_count", "number of trades, s = -1", "count", "T", "0", _LATER),
    Feature("trade_imbalance", "(buy - sell) / (buy + sell) volume", "[-1, 1]", "T", "0", _LATER),
    Feature("trade_px_first", "price of the first trade by (ts, seq)", "quote", "T", "0", _LATER),
    Feature("trade_px_last", "price of the last trade by (ts, seq)", "quote", "T", "0", _LATER),
)

GROUPS = (Group("A", GROUP_A, GROUP_A_SLAB, _A),)
FEATURES = tuple(feature for group in GROUPS for feature in group.features)
SETS = {"minimal": tuple(feature.name for feature in _A)}
"""Named sets; ``minimal`` is group A (flags are part of every row)."""


def select(wanted: Sequence[str], key: str = "sync.features") -> list[str]:
    """Column names for sets, names and wildcards (``["minimal", "trade_*"]``), in catalogue order.

    Raises ConfigError naming an entry that matches nothing, and the ``key`` it stands in.
    """
    chosen: set[str] = set()
    for entry in wanted:
        found = SETS.get(entry) or tuple(f.name for f in FEATURES if fnmatchcase(f.name, entry))
        if not found:
            known = ", ".join(SETS)
            raise ConfigError(f"{key}: {entry!r} is no set ({known}) and matches no feature")
        chosen.update(found)
    return [f.name for f in FEATURES if f.name in chosen]


class Plan(msgspec.Struct, frozen=True):
    """What a choice of columns means for the arrays: ``params`` words from P_GROUPS on, and their widths."""

    columns: tuple[str, ...]
    words: tuple[int, ...]
    floats: int
    wide: int


def plan(columns: Sequence[str]) -> Plan:
    """Lay out slabs and columns for ``columns`` (catalogue names, catalogue order)."""
    words = np.zeros(P_SELECT + len(columns), np.int64)
    place = {}
    slab, wide = F_GROUPS, 0
    for index, group in enumerate(GROUPS):
        names = [feature.name for feature in group.features]
        if not set(names) & set(columns):
            continue
        words[P_GROUPS] |= group.bit
        words[P_SLAB + index] = slab
        words[P_WIDE + index] = wide
        place.update({name: wide + i for i, name in enumerate(names)})
        slab += group.slab
        wide += len(names)
    words[P_COLUMNS] = len(columns)
    words[P_SELECT:] = [place[name] for name in columns]
    return Plan(tuple(columns), tuple(int(w) for w in words[P_GROUPS:]), slab, max(wide, 1))
