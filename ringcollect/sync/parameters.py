"""``[sync]`` of the configuration as the engine takes it."""

from __future__ import annotations

from ringcollect.config import Config, RowPlan
from ringcollect.durations import parse_duration
from ringcollect.sync import catalogue
from ringcollect.sync.catalogue.plan import ALWAYS
from ringcollect.sync.catalogue.plan import plan as lay_out
from ringcollect.sync.settings import Parameters


def options_of(config: Config) -> catalogue.Options:
    """``[sync.features]`` for the kernels; silences as ``[websocket]`` has them."""
    chosen = config.sync.choice
    edges = chosen.bands_bps
    return catalogue.Options(
        horizons_ns=chosen.horizons_ns,
        bands_bps=edges if edges[:1] == (0.0,) else (0.0, *edges),
        price_levels=chosen.price_levels,
        max_levels=chosen.max_levels,
        ofi_levels=chosen.ofi_levels,
        ofi_decay_alpha=chosen.ofi_decay_alpha,
        ofi_weights=chosen.ofi_weights,
        kyle_lambda_window_ns=parse_duration(chosen.kyle_lambda_window),
        dynamic_spread_regime=chosen.use_dynamic_spread_regime,
        tight_spread_threshold=chosen.tight_spread_threshold,
        spread_regime_window_ns=parse_duration(chosen.spread_regime_window),
        tight_percentile=chosen.tight_percentile,
        wide_percentile=chosen.wide_percentile,
        vpin_bucket_count=chosen.vpin_bucket_count,
        vpin_window_buckets=chosen.vpin_window_buckets,
        vpin_bucket_volume=chosen.vpin_bucket_volume,
        state_reset_ns=parse_duration(chosen.state_reset),
        silence_market_ns=config.websocket.silence_market_ns,
        silence_price_ns=config.websocket.silence_price_ns,
        silence_rate_ns=config.websocket.silence_rate_ns,
    )


def parameters_of(config: Config, plan: RowPlan | None = None) -> Parameters:
    """``[sync]`` with the grid, the clock and the features of ``plan``, else of the first grid.

    Raises ConfigError for features nobody knows and for windows that the grid cannot have.
    """
    sync = config.sync
    own = plan if plan is not None else sync.base
    key = f"features of the grid {own.grid}" if plan is not None and not plan.is_base else "sync.features"
    options = options_of(config)
    wanted = [name for name in catalogue.choose(own.features, key, options) if name != ALWAYS]
    columns, across = catalogue.divided(wanted, options)
    parameters = Parameters(
        grid_ns=own.grid_ns,
        mode=own.mode,
        hold_back_ns=own.hold_back_ns,
        max_gap_fill=sync.max_gap_fill,
        max_future_skew_ns=sync.max_future_skew_ns,
        max_row_latency_ns=sync.max_row_latency_ns,
        hold_back_records=sync.hold_back_records,
        book_levels=sync.book_levels,
        columns=columns,
        across=across,
        options=options,
        snapshots=sync.tables,
        levels=sync.output.levels,
        bars=sync.bars if plan is None or plan.makes_once else (),
    )
    parameters.check()
    lay_out(columns, own.grid_ns, options)
    return parameters
