"""What can be chosen about the features beside which of them: data for the kernels, never part of a compiled type."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from ringcollect.errors import ConfigError

SECOND = 10**9
MAX_HORIZONS, MAX_EDGES, MAX_LEVELS, MAX_FLOW_LEVELS = 8, 9, 50, 10
MAX_BUCKETS = 256
MAX_WINDOW_ROWS = 1 << 20
"""The longest window in rows: bounds the memory of an instrument."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Horizons, bands, levels and windows; times in ns, sizes in base units, notionals in quote units.

    ``ofi_weights`` are the weights of ``ofi_integrated`` (empty: equal ones); ``vpin_bucket_volume`` 0 takes the volume
    of the UTC day before, divided by ``vpin_bucket_count``. ``silence_*`` are the limits of ``[websocket]`` that the
    feed counts by.
    """

    horizons_ns: tuple[int, ...] = (SECOND, 5 * SECOND, 30 * SECOND, 60 * SECOND)
    bands_bps: tuple[float, ...] = (0.0, 5.0, 10.0, 25.0, 50.0, 100.0)
    price_levels: int = 10
    max_levels: int = 20
    ofi_levels: int = 10
    ofi_decay_alpha: float = 0.5
    ofi_weights: tuple[float, ...] = ()
    kyle_lambda_window_ns: int = 300 * SECOND
    dynamic_spread_regime: bool = True
    tight_spread_threshold: float = 1e-4
    spread_regime_window_ns: int = 300 * SECOND
    tight_percentile: float = 0.2
    wide_percentile: float = 0.8
    vpin_bucket_count: int = 50
    vpin_window_buckets: int = 50
    vpin_bucket_volume: float = 0.0
    state_reset_ns: int = 300 * SECOND
    silence_market_ns: int = 5 * SECOND
    silence_price_ns: int = 10 * SECOND
    silence_rate_ns: int = 60 * SECOND

    def check(self) -> None:
        """Raise ConfigError for what no kernel can work with."""
        for name, values, most in (
            ("horizons", self.horizons_ns, MAX_HORIZONS),
            ("bands_bps", self.bands_bps, MAX_EDGES),
        ):
            ascending = all(a < b for a, b in pairwise(values))
            if not 1 <= len(values) <= most or not ascending or min(values) < 0:
                raise ConfigError(f"sync.features.{name}: 1 to {most} ascending values are needed, not {list(values)}")
        if self.horizons_ns[0] == 0 or self.bands_bps[0] != 0 or len(self.bands_bps) < 2:
            raise ConfigError("sync.features: horizons begin above 0, bands_bps with 0 and have at least one band")
        for name, value, most in (
            ("price_levels", self.price_levels, MAX_LEVELS),
            ("max_levels", self.max_levels, MAX_LEVELS),
            ("ofi_levels", self.ofi_levels, MAX_FLOW_LEVELS),
            ("vpin_bucket_count", self.vpin_bucket_count, 86_400),
            ("vpin_window_buckets", self.vpin_window_buckets, MAX_BUCKETS),
        ):
            if not 1 <= value <= most:
                raise ConfigError(f"sync.features.{name}: {value} is not between 1 and {most}")
        if self.ofi_weights and len(self.ofi_weights) != self.ofi_levels:
            raise ConfigError(f"sync.features.ofi_weights: one weight for each of ofi_levels = {self.ofi_levels}")
