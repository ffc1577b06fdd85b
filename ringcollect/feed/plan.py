"""What a session is to collect, and its numbers: plain data, so that a recording can carry it."""

from __future__ import annotations

import msgspec

from ringcollect.config import Config, Market
from ringcollect.config.symbols import is_rule

SECOND = 1_000_000_000


class Options(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Deadlines and bounds of a session; times in ns."""

    tick_ns: int = SECOND // 10  # a TICK after this long without a record
    counters_ns: int = 60 * SECOND
    redundancy: int = 1  # connections per shard
    leg_wait_ns: int = SECOND  # what one connection missed may come by another one for so long
    retry_first_ns: int = SECOND
    retry_max_ns: int = 60 * SECOND
    jitter: float = 0.25
    max_attempts: int = 0  # failures in a row that open the circuit; 0: none do
    connect_ns: int = 15 * SECOND  # a connect without an answer
    ack_ns: int = 10 * SECOND  # a subscribe without an ack
    data_ns: int = 30 * SECOND  # an acknowledged stream without data
    stale_ns: int = 30 * SECOND  # a stream, or a whole connection, gone silent
    resubscribe_max_ns: int = 600 * SECOND  # the longest wait between two attempts at one silent stream
    metadata_ns: int = 10 * SECOND  # subscribe without instrument metadata after this long
    refresh_ns: int = 900 * SECOND  # ask for the instrument list again: listings, delistings, new ticks
    rollover_ns: int = 300 * SECOND  # replace a connection this long before the exchange cuts it
    overlap_ns: int = 60 * SECOND  # the replacement has this long to carry every stream
    open_interest_ns: int = 10 * SECOND
    held_records: int = 10_000
    resync_attempts: int = 5
    resync_cooldown_ns: int = 60 * SECOND
    max_past_ns: int = 86_400 * SECOND
    max_future_skew_ns: int = 30 * SECOND
    breaker_window: int = 100
    rest_share: float = 0.8  # of the exchange's weight budget: others on this address spend too
    rest_in_flight: int = 4
    reject_bytes: int = 4096
    seed: int = 0
    keep_duplicates: bool = True  # what the venue sends twice on one connection is recorded twice
    align: bool = True  # after a reconnect, ask REST how far the trades are
    backfill: bool = False  # and for those that were missed
    backfill_pages: int = 10  # requests for one hole
    silence_market_ns: int = 5 * SECOND  # book, trade, bbo: longer without a record is a silence, and counted
    silence_price_ns: int = 10 * SECOND  # mark_price, index_price
    silence_rate_ns: int = 60 * SECOND  # funding, open_interest
    discover: bool = False  # replay: take the instruments from the frames, ask the exchange nothing
    record_frames: bool = False


class SymbolPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One symbol in the spelling of the configuration, whose key is ``path``; ``depth`` 0 is the exchange's usual one.

    ``streams``: channel -> the exchange's own stream that is to carry it, where it is not the usual one.
    """

    symbol: str
    channels: tuple[str, ...]
    depth: int = 0
    streams: dict[str, str] = {}
    path: str = ""


class RulePlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Symbols by rules (``*USDT``) that share a limit: all they name, or the ``top`` ones by 24 h quote volume.

    ``override``: what is different for some symbols by name.
    """

    rules: tuple[str, ...]
    channels: tuple[str, ...]
    depth: int = 0
    streams: dict[str, str] = {}
    top: int = 0
    limit: int = 500
    override: tuple[SymbolPlan, ...] = ()
    path: str = ""


class MarketPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One market: which symbols, and where it is if not at the exchange's own addresses."""

    market: str
    symbols: tuple[SymbolPlan, ...] = ()
    rules: tuple[RulePlan, ...] = ()
    url: str = ""
    rest_url: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a session starts from, besides its registry."""

    exchange: str
    markets: tuple[MarketPlan, ...]
    options: Options = Options()

    def streams(self) -> int:
        """How many (instrument, channel) are planned at most."""
        named = sum(len(symbol.channels) for market in self.markets for symbol in market.symbols)
        ruled = (len(rule.channels) * (rule.top or rule.limit) for market in self.markets for rule in market.rules)
        return named + sum(ruled)


def plan_from_config(config: Config, exchange: str, *, seed: int = 0) -> Plan:
    """The plan of one exchange's feed. Entries of one market are joined; the first one's addresses count."""
    markets: dict[str, MarketPlan] = {}
    for number, entry in enumerate(config.markets):
        if entry.exchange == exchange:
            part = _market_plan(entry, number)
            known = markets.get(entry.market, msgspec.structs.replace(part, symbols=(), rules=()))
            markets[entry.market] = msgspec.structs.replace(
                known, symbols=known.symbols + part.symbols, rules=known.rules + part.rules
            )
    websocket = config.websocket.of(exchange)
    options = Options(
        redundancy=websocket.redundancy,
        retry_first_ns=websocket.retry_first_ns,
        retry_max_ns=websocket.retry_max_ns,
        jitter=websocket.jitter,
        max_attempts=websocket.max_attempts,
        stale_ns=websocket.stale_ns,
        ack_ns=websocket.ack_deadline_ns,
        data_ns=websocket.data_deadline_ns,
        refresh_ns=websocket.instruments_refresh_ns,
        open_interest_ns=websocket.open_interest_poll_ns,
        max_future_skew_ns=config.sync.max_future_skew_ns,
        keep_duplicates=config.storage.duplicates == "keep",
        align=websocket.align,
        backfill=websocket.backfill,
        silence_market_ns=websocket.silence_market_ns,
        silence_price_ns=websocket.silence_price_ns,
        silence_rate_ns=websocket.silence_rate_ns,
        record_frames=config.storage.record_frames,
        seed=seed,
    )
    return Plan(exchange=exchange, markets=tuple(markets.values()), options=options)


def _market_plan(entry: Market, number: int) -> MarketPlan:
    """``[[markets]]`` number ``number`` as a plan of its own."""
    streams = {channel: name for channel, name in (("book", entry.book_stream), ("trade", entry.trade_stream)) if name}
    here = f"markets[{number}].symbols"
    symbols = tuple(
        SymbolPlan(
            symbol=symbol, channels=entry.channels_for(symbol), depth=entry.depth_for(symbol), streams=streams,
            path=f"{here}[{i}]",
        )
        for i, symbol in enumerate(entry.symbols)
        if not is_rule(symbol)
    )  # fmt: skip
    override = tuple(
        SymbolPlan(
            symbol=symbol, channels=entry.channels_for(symbol), depth=entry.depth_for(symbol), streams=streams
        )
        for some in entry.override
        for symbol in some.symbols
    )  # fmt: skip
    rule = RulePlan(
        rules=entry.rules, channels=entry.channels, depth=entry.depth, streams=streams, top=entry.top,
        limit=entry.limit, override=override, path=here,
    )  # fmt: skip
    rules = (rule,) if entry.rules else ()
    return MarketPlan(market=entry.market, symbols=symbols, rules=rules, url=entry.url, rest_url=entry.rest_url)
