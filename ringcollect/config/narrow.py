"""One run's narrower view of a configuration: ``start --exchange ... --symbols ... --channels ...``."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ringcollect.config.check import check
from ringcollect.config.problems import Problems, found, nearest
from ringcollect.config.rules import Symbol
from ringcollect.config.schema import Config, Market
from ringcollect.config.symbols import fits_market, is_rule, rule_may_match, symbol_key
from ringcollect.config.venues import venue_of
from ringcollect.errors import ConfigError

_replace = msgspec.structs.replace


def narrowed(
    config: Config,
    *,
    exchanges: Sequence[str] = (),
    symbols: Sequence[str] = (),
    channels: Sequence[str] = (),
    raw_only: bool = False,
    record_frames: bool = False,
) -> Config:
    """``config`` for one run; an empty argument changes nothing.

    ``exchanges`` keeps their markets. ``symbols`` keeps the named ones where they are configured; one that is
    configured nowhere is collected in every remaining market it can belong to. ``channels`` replaces the channels of
    every market by those of them it has. Raises ConfigError for an exchange that is not configured, and when nothing
    remains.
    """
    markets = config.markets
    if exchanges:
        markets = _of_exchanges(markets, exchanges)
    if symbols:
        _require_valid(symbols)
        markets = _with_symbols(markets, symbols)
    if channels:
        markets = _with_channels(markets, channels)
    problems = Problems(origins={("markets",): "command line"})
    check(_replace(config, markets=markets), problems)
    problems.raise_if_any()
    return _replace(
        config,
        markets=markets,
        sync=_replace(config.sync, enabled=config.sync.enabled and not raw_only),
        storage=_replace(config.storage, record_frames=config.storage.record_frames or record_frames),
    )


def _require_valid(symbols: Sequence[str]) -> None:
    rule = Symbol()
    for symbol in symbols:
        if not rule.holds(symbol) or is_rule(symbol):
            raise ConfigError(f"--symbols: found {found((), symbol)}; allowed: {rule.allowed}")


def _of_exchanges(markets: tuple[Market, ...], exchanges: Sequence[str]) -> tuple[Market, ...]:
    configured = list(dict.fromkeys(market.exchange for market in markets))
    for exchange in exchanges:
        if exchange not in configured:
            hint = nearest(exchange, configured) if configured else "no exchange is"
            raise ConfigError(f'--exchange: "{exchange}" is not configured; {hint}')
    return tuple(market for market in markets if market.exchange in exchanges)


def _with_symbols(markets: tuple[Market, ...], symbols: Sequence[str]) -> tuple[Market, ...]:
    configured = {symbol_key(symbol) for market in markets for symbol in market.names}
    configured |= {
        symbol_key(symbol)
        for market in markets
        for symbol in symbols
        if any(rule_may_match(rule, symbol) for rule in market.rules)
    }
    wanted = {symbol_key(symbol): symbol for symbol in symbols}
    kept = []
    for market in markets:
        fitting = {key for key, symbol in wanted.items() if fits_market(symbol, market.market)}
        own = tuple(symbol for symbol in market.names if symbol_key(symbol) in fitting)
        keys = {symbol_key(symbol) for symbol in own}
        own += tuple(
            wanted[key]
            for key in wanted
            if key in fitting - keys and any(rule_may_match(rule, wanted[key]) for rule in market.rules)
        )
        new = tuple(wanted[key] for key in wanted if key in fitting and key not in configured)
        keys = {symbol_key(symbol) for symbol in own}
        overrides = tuple(
            _replace(override, symbols=tuple(s for s in override.symbols if symbol_key(s) in keys))
            for override in market.override
            if keys & set(map(symbol_key, override.symbols))
        )
        if own + new:
            kept.append(_replace(market, symbols=own + new, top=0, override=overrides))
    if not kept:
        raise ConfigError(f"--symbols: no configured market can have {', '.join(symbols)}")
    return tuple(kept)


def _with_channels(markets: tuple[Market, ...], channels: Sequence[str]) -> tuple[Market, ...]:
    offered = {channel for market in markets for channel in _channels_of(market)}
    for channel in channels:
        if channel not in offered:
            raise ConfigError(f'--channels: no selected market has "{channel}"; {nearest(channel, sorted(offered))}')
    kept = []
    for market in markets:
        own = tuple(c for c in dict.fromkeys(channels) if c in _channels_of(market))
        if own:
            overrides = tuple(_replace(override, channels=()) for override in market.override)
            kept.append(_replace(market, channels=own, override=overrides))
    return tuple(kept)


def _channels_of(market: Market) -> tuple[str, ...]:
    venue = venue_of(market.exchange, market.market)
    return () if venue is None else venue.channels
