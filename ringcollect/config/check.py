"""Rules between keys: what no key can know alone."""

from __future__ import annotations

import ipaddress
from collections import Counter

from ringcollect.config.bar_rules import check_bars
from ringcollect.config.feature_options import SyncFeatures
from ringcollect.config.problems import Path, Problems, found, nearest, spell
from ringcollect.config.row_rules import check_rows, row_warnings
from ringcollect.config.schema import Config, Market
from ringcollect.config.socket_rules import check_sockets, idle_overrides
from ringcollect.config.symbols import fits_market, is_rule, rule_may_match, symbol_key
from ringcollect.config.unified_rules import check_unified, idle_entries
from ringcollect.config.venues import Venue, markets_of, venue_of
from ringcollect.durations import parse_duration
from ringcollect.instruments import MAX_INSTRUMENTS


def check(config: Config, problems: Problems) -> None:
    """Note every contradiction in ``config``, leaving out keys that are already known to be wrong."""
    for number, market in enumerate(config.markets):
        _check_market(market, ("markets", number), problems)
    check_unified(config, problems)
    _check_streams_are_unique(config, problems)
    _check_addresses_agree(config, problems)
    _check_instrument_count(config, problems)
    here: Path = ("sync", "features")
    if not config.sync.choice.select and not problems.touches(here):
        problems.add(
            (*here, "select") if isinstance(config.sync.features, SyncFeatures) else here,
            "found an empty array; allowed: at least one (or sync.enabled = false)",
        )
    check_rows(config, problems)
    check_bars(config, problems)
    _check_order(config, ("wait", "min"), ("wait", "max"), problems)
    check_sockets(config, problems)
    for number, override in enumerate(config.retention.override):
        if not override.types and not problems.touches(("retention", "override", number)):
            problems.add(("retention", "override", number, "types"), "found an empty array; allowed: at least one type")
    _check_order(config, ("storage", "flush"), ("storage", "rotate_time"), problems)


def warnings(config: Config) -> tuple[str, ...]:
    """What is allowed and probably not meant."""
    texts = [*idle_entries(config), *idle_overrides(config)]
    if config.http.enabled and not _is_loopback(config.http.host):
        texts.append(
            f"http.host: {config.http.host} is not a loopback address; everybody who reaches it sees the status"
        )
    if config.sync.enabled and config.wait.strategy != "adaptive" and config.collector.profile == "low-power":
        texts.append(f'wait.strategy: "{config.wait.strategy}" keeps a processor busy, against profile "low-power"')
    if config.sync.enabled:
        texts += dict.fromkeys(row_warnings(config))
    return tuple(texts)


def _check_market(market: Market, path: Path, problems: Problems) -> None:
    if problems.touches((*path, "exchange"), (*path, "market")):
        return
    venue = venue_of(market.exchange, market.market)
    if venue is None:
        known = " | ".join(f'"{name}"' for name in markets_of(market.exchange))
        problems.mismatch((*path, "market"), market.market, f"{known} (of {market.exchange})")
        return
    if not market.symbols and not problems.touches((*path, "symbols")):
        problems.add((*path, "symbols"), 'found an empty array; allowed: at least one symbol, or a rule like "*USDT"')
    if not market.channels and not problems.touches((*path, "channels")):
        problems.add((*path, "channels"), "found an empty array; allowed: at least one channel")
    _check_channels(market.channels, market, venue, (*path, "channels"), problems)
    _check_depth(market.depth, venue, (*path, "depth"), problems)
    _check_rules(market, venue, path, problems)
    _check_stream(market, "book_stream", venue.book_streams, path, problems)
    _check_stream(market, "trade_stream", venue.trade_streams, path, problems)
    for i, symbol in enumerate(market.symbols):
        if symbol and not fits_market(symbol, market.market):
            problems.add(
                (*path, "symbols", i), f'found "{symbol}", a perpetual; allowed: symbols of the {market.market} market'
            )
    _check_overrides(market, venue, path, problems)


def _check_rules(market: Market, venue: Venue, path: Path, problems: Problems) -> None:
    if not market.top or problems.touches((*path, "top"), (*path, "limit"), (*path, "symbols")):
        return
    if not market.rules:
        problems.add((*path, "top"), 'chooses among what a rule names; add one like "*USDT" or "*" to symbols')
    elif not venue.ranked:
        problems.add(
            (*path, "top"), f"{market.exchange} {market.market} does not say how much was traded in 24 h; allowed: 0"
        )
    elif market.top > market.limit:
        problems.mismatch((*path, "top"), market.top, f"at most {spell((*path, 'limit'))}, which is {market.limit}")


def _check_stream(market: Market, key: str, allowed: tuple[str, ...], path: Path, problems: Problems) -> None:
    chosen = getattr(market, key)
    if not chosen or chosen in allowed or problems.touches((*path, key)):
        return
    words = " | ".join(f'"{name}"' for name in allowed) if allowed else '""'
    problems.mismatch((*path, key), chosen, f"{words} (of {market.exchange} {market.market})")


def _check_overrides(market: Market, venue: Venue, path: Path, problems: Problems) -> None:
    known = {symbol_key(symbol): symbol for symbol in market.names if symbol}
    seen: dict[str, str] = {}
    for number, override in enumerate(market.override):
        here: Path = (*path, "override", number)
        for i, symbol in enumerate(override.symbols):
            key = symbol_key(symbol)
            place = (*here, "symbols", i)
            if is_rule(symbol):
                problems.add(place, f'found "{symbol}", a rule; allowed: symbols, each by its name')
            elif symbol and key not in known and not any(rule_may_match(rule, symbol) for rule in market.rules):
                hint = nearest(symbol, known.values()) if known else "no rule there names it"
                problems.add(place, f'"{symbol}" is not among {spell(path)}.symbols; {hint}')
            elif symbol and key in seen:
                problems.add(place, f'"{symbol}" is overridden before, in {seen[key]}')
            seen.setdefault(key, spell(place))
        _check_channels(override.channels, market, venue, (*here, "channels"), problems)
        _check_depth(override.depth, venue, (*here, "depth"), problems)


def _check_channels(channels: tuple[str, ...], market: Market, venue: Venue, path: Path, problems: Problems) -> None:
    for i, channel in enumerate(channels):
        if not channel:
            continue
        if channel not in venue.channels:
            allowed = " | ".join(f'"{name}"' for name in venue.channels)
            problems.mismatch((*path, i), channel, f"{allowed} (of {market.exchange} {market.market})")
        elif channel in channels[:i]:
            problems.add((*path, i), f'"{channel}" stands here twice')


def _check_depth(depth: int, venue: Venue, path: Path, problems: Problems) -> None:
    if depth and depth not in venue.depths and not problems.touches(path):
        problems.mismatch(path, depth, venue.depths_in_words)


def _check_streams_are_unique(config: Config, problems: Problems) -> None:
    """One primary book, trade and bbo stream per instrument: two entries must not ask for the same one.

    What rules name is known later: a name wins over a rule, an earlier rule over a later one.
    """
    seen: dict[tuple[str, str, str, str], str] = {}
    for number, market in enumerate(config.markets):
        for i, symbol in enumerate(market.symbols):
            if is_rule(symbol):
                continue
            place = spell(("markets", number, "symbols", i))
            twice: dict[str, list[str]] = {}
            for channel in dict.fromkeys(market.channels_for(symbol)):
                stream = (market.exchange, market.market, symbol_key(symbol), channel)
                if symbol and market.exchange and channel and stream in seen:
                    twice.setdefault(seen[stream], []).append(channel)
                seen.setdefault(stream, place)
            for before, channels in twice.items():
                what = f'"{symbol}" with {", ".join(channels)} of {market.exchange} {market.market}'
                problems.add(("markets", number, "symbols", i), f"{what} is already in {before}")


def _check_addresses_agree(config: Config, problems: Problems) -> None:
    """Entries of one market share its connections, so they cannot lead to different places."""
    first: dict[tuple[str, str], tuple[int, Market]] = {}
    for number, market in enumerate(config.markets):
        before, other = first.setdefault((market.exchange, market.market), (number, market))
        for key in ("url", "rest_url"):
            mine, theirs = getattr(market, key), getattr(other, key)
            if mine != theirs and not problems.touches(("markets", number, key), ("markets", before, key)):
                allowed = f"that of markets[{before}] ({found((), theirs)}), the same market"
                problems.mismatch(("markets", number, key), mine, allowed)


def _check_instrument_count(config: Config, problems: Problems) -> None:
    count = Counter(market.exchange for market in config.markets for _ in market.names)
    for exchange, symbols in count.items():
        if symbols > MAX_INSTRUMENTS:
            problems.add(
                ("markets",), f"{symbols} symbols of {exchange}; allowed: at most {MAX_INSTRUMENTS} per exchange"
            )


def _check_order(config: Config, smaller: Path, larger: Path, problems: Problems) -> None:
    low, high = (getattr(getattr(config, str(path[0])), str(path[1])) for path in (smaller, larger))
    if parse_duration(low) > parse_duration(high) and not problems.touches(smaller, larger):
        problems.mismatch(smaller, low, f"at most {spell(larger)}, which is {high}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
