"""``[sync.features]``: which columns rows have, and what can be chosen about them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ringcollect.bar_kinds import Bar, bar_of_size, bar_of_time
from ringcollect.config.rules import BarSize, Duration, FeatureChoice, Range
from ringcollect.durations import parse_duration

FeatureName = Annotated[str, FeatureChoice()]
Window = Annotated[str, Duration("1us", "4h")]
Share = Annotated[float, Range(0, 1)]
WIDE_SETS = ("core", "full")
"""The sets that ``hf_emit_interval`` thins out."""


class SyncFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """``[sync.features]``; ``[sync] features = [...]`` says ``select`` and leaves the rest as it is here.

    docs/features.md explains each, with what it costs.
    """

    select: tuple[FeatureName, ...] = ("minimal",)
    horizons: tuple[Window, ...] = ("1s", "5s", "30s", "1m")
    hf_emit_interval: Annotated[str, Duration("1us", "1d", optional=True)] = "1s"
    price_levels: Annotated[int, Range(1, 50)] = 10
    max_levels: Annotated[int, Range(1, 50)] = 20
    ofi_levels: Annotated[int, Range(1, 10)] = 10
    ofi_decay_alpha: Annotated[float, Range(0, 100)] = 0.5
    ofi_weights: tuple[Annotated[float, Range(-1, 1)], ...] = ()
    bands_bps: tuple[Annotated[float, Range(0, 10_000)], ...] = (5.0, 10.0, 25.0, 50.0, 100.0)
    keep_raw_arrays: bool = False
    use_dynamic_spread_regime: bool = True
    tight_spread_threshold: Annotated[float, Range(0, 1)] = 1e-4
    spread_regime_window: Window = "5m"
    tight_percentile: Share = 0.2
    wide_percentile: Share = 0.8
    kyle_lambda_window: Window = "5m"
    vpin_bucket_count: Annotated[int, Range(1, 10_000)] = 50
    vpin_window_buckets: Annotated[int, Range(1, 256)] = 50
    vpin_bucket_volume: Annotated[float, Range(0, 10**15)] = 0.0
    state_reset: Annotated[str, Duration("1s", "1d")] = "5m"
    bar_durations: tuple[Annotated[str, Duration("1us", "1d")], ...] = ("1s", "5s", "30s", "1m")
    bar_sizes: tuple[Annotated[str, BarSize()], ...] = ()
    venue_wait: Annotated[str, Duration("0ms", "1m")] = "250ms"

    @property
    def venue_wait_ns(self) -> int:
        return parse_duration(self.venue_wait)

    @property
    def horizons_ns(self) -> tuple[int, ...]:
        return tuple(parse_duration(text) for text in self.horizons)

    @property
    def time_bars(self) -> tuple[Bar, ...]:
        return tuple(bar_of_time(text) for text in self.bar_durations)

    @property
    def size_bars(self) -> tuple[Bar, ...]:
        """Bars of ticks, volume and quote volume."""
        return tuple(bar_of_size(text) for text in self.bar_sizes)

    @property
    def emit_interval_ns(self) -> int:
        """0: the wide sets are on every grid that names them."""
        return parse_duration(self.hf_emit_interval) if self.hf_emit_interval else 0

    @property
    def is_wide(self) -> bool:
        """Whether one of the wide sets is chosen."""
        return any(name in WIDE_SETS for name in self.select)
