"""What a choice of columns means for the kernels: words of ``params``, slabs, columns, series."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ringcollect.errors import ConfigError
from ringcollect.sync.catalogue.feature import Group
from ringcollect.sync.catalogue.groups import GROUPS
from ringcollect.sync.catalogue.options import MAX_WINDOW_ROWS, SECOND, Options
from ringcollect.sync.features import places as at
from ringcollect.sync.layout import (
    F_GROUPS,
    P_COLUMNS,
    P_CORE,
    P_DEEP,
    P_GROUPS,
    P_HEARS,
    P_OPTIONS,
    P_SELECT,
    P_SERIES,
    P_SLAB,
    P_WIDE,
)

_EVENTS = "UTLS"
BAR_STATE = 33
"""Words of state of one kind of bar (features/bar_writing.py, STATE)."""
ALWAYS = "row_flags"
"""The column of the catalogue that is part of every row's identity and needs no choice."""


class Plan(msgspec.Struct, frozen=True):
    """What a choice of columns means for the arrays.

    ``words`` are those of ``params`` from P_GROUPS on; ``floats`` the 8-byte words per instrument, of which those from
    ``nan_from`` on begin as NaN; ``wide`` the columns of all groups that run, which are ``groups``.
    """

    columns: tuple[str, ...]
    words: tuple[int, ...]
    floats: int
    nan_from: int
    wide: int
    groups: tuple[Group, ...]


def needed(columns: Sequence[str], options: Options) -> tuple[Group, ...]:
    """The groups whose kernels run for ``columns``, with those whose series they read, in catalogue order."""
    wanted = set(columns)
    letters = {group.letter for group in GROUPS if wanted & {f.name for f in group.features(options)}}
    letters |= {other for group in GROUPS if group.letter in letters for other in group.requires}
    return tuple(group for group in GROUPS if group.letter in letters)


def plan(columns: Sequence[str], grid_ns: int, options: Options | None = None, bars: int = 0) -> Plan:
    """Lay out state and columns for ``columns`` (catalogue names, catalogue order) on a grid of ``grid_ns``
    and ``bars`` kinds of bars.

    Raises ConfigError for a horizon that is no multiple of the grid, and for a window longer than MAX_WINDOW_ROWS.
    """
    options = options or Options()
    options.check()
    columns = [name for name in columns if name != ALWAYS]
    groups = needed(columns, options)
    if bars:
        groups = (*groups, Group("P", "bars", (), slab=BAR_STATE * bars, hears="UT"))
    words = np.zeros(P_SELECT + len(columns), np.int64)
    place = {}
    floats, wide = F_GROUPS, 0
    if any(group.letter != "A" for group in groups):
        words[P_CORE] = floats
        floats += at.CORE_SLAB
    for group in groups:
        words[P_GROUPS] |= group.bit
        words[P_DEEP] |= group.bit if group.deep else 0
        for event, letter in enumerate(_EVENTS):
            words[P_HEARS + event] |= group.bit if letter in group.hears else 0
        words[P_SLAB + group.index] = floats
        words[P_WIDE + group.index] = wide
        names = [feature.name for feature in group.features(options)]
        place.update({name: wide + i for i, name in enumerate(names)})
        floats += group.slab
        wide += len(names)
    nan_from = floats
    for series, rows in _series_rows(groups, grid_ns, options).items():
        words[P_SERIES + 2 * series : P_SERIES + 2 * series + 2] = (floats, rows)
        floats += rows
    words[P_OPTIONS : P_OPTIONS + at.OPTIONS] = _option_words(options, grid_ns)
    words[P_COLUMNS] = len(columns)
    words[P_SELECT:] = [place[name] for name in columns]
    return Plan(
        tuple(columns), tuple(int(w) for w in words[P_GROUPS:]), floats, nan_from, max(wide, 1), groups
    )  # fmt: skip


def _series_rows(groups: Sequence[Group], grid_ns: int, options: Options) -> dict[int, int]:
    """Rows kept of each series that a group reads: its longest window, the row that leaves it, and its neighbour."""
    found: dict[int, int] = {}
    for group in groups:
        for series, window in group.reads:
            if isinstance(window, str):
                chosen = getattr(options, window)
                key, ns = f"sync.features.{window.removesuffix('_ns')}", max(chosen) if window[0] == "h" else chosen
            else:
                key, ns = f"a window of {window} s, which the chosen features need", window * SECOND
            rows = ns // grid_ns
            if rows > MAX_WINDOW_ROWS:
                raise ConfigError(f"{key}: {rows} rows of sync.grid = {grid_ns} ns; at most {MAX_WINDOW_ROWS} are kept")
            found[series] = max(found.get(series, 0), rows + 2)
    for horizon in options.horizons_ns:
        if any(window == "horizons_ns" for group in groups for _, window in group.reads) and horizon % grid_ns:
            raise ConfigError(f"sync.features.horizons: {horizon} ns is no multiple of sync.grid = {grid_ns} ns")
    return found


def _option_words(options: Options, grid_ns: int) -> np.ndarray:
    """The words the kernels read the options from."""
    words = np.zeros(at.OPTIONS, np.int64)
    floats = words.view(np.float64)
    for word, seconds in at.FIXED_WINDOWS.items():
        words[word] = _divided(seconds * SECOND, grid_ns)
    words[at.O_HORIZONS] = len(options.horizons_ns)
    words[at.O_HORIZON_ROWS : at.O_HORIZON_ROWS + len(options.horizons_ns)] = [
        _divided(ns, grid_ns) for ns in options.horizons_ns
    ]
    words[at.O_EDGES] = len(options.bands_bps)
    floats[at.O_EDGE : at.O_EDGE + len(options.bands_bps)] = options.bands_bps
    words[[at.O_LEVELS, at.O_PRICE_LEVELS, at.O_FLOW_LEVELS]] = (
        options.max_levels, options.price_levels, options.ofi_levels,
    )  # fmt: skip
    words[at.O_ROWS_KYLE] = _divided(options.kyle_lambda_window_ns, grid_ns)
    words[at.O_ROWS_REGIME] = _divided(options.spread_regime_window_ns, grid_ns)
    words[at.O_ROWS_RESET] = options.state_reset_ns // grid_ns
    words[at.O_DYNAMIC] = options.dynamic_spread_regime
    words[[at.O_BUCKETS, at.O_BUCKET_WINDOW]] = (options.vpin_bucket_count, options.vpin_window_buckets)
    floats[[at.O_ALPHA, at.O_TIGHT_SPREAD, at.O_TIGHT, at.O_WIDE, at.O_BUCKET_VOLUME]] = (
        options.ofi_decay_alpha, options.tight_spread_threshold, options.tight_percentile,
        options.wide_percentile, options.vpin_bucket_volume,
    )  # fmt: skip
    # book, trade, bbo; funding, open interest; mark, index
    words[at.O_SILENCE : at.O_SILENCE + 7] = (
        (options.silence_market_ns,) * 3 + (options.silence_rate_ns,) * 2 + (options.silence_price_ns,) * 2
    )
    weights = options.ofi_weights or (1.0 / options.ofi_levels,) * options.ofi_levels
    floats[at.O_WEIGHT : at.O_WEIGHT + len(weights)] = weights
    return words


def _divided(ns: int, grid_ns: int) -> int:
    """A window in rows; 0 where the grid does not divide it."""
    return ns // grid_ns if ns % grid_ns == 0 else 0
