"""Which exchanges and markets this version collects, and which channels each of them has.

The folders of ``ringcollect/exchanges`` say how; this table lets a configuration be checked before any of that
code is loaded. A test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

from ringcollect.config import unified

EVERY_MARKET = ("book", "trade", "bbo")
STATISTICS = ("ticker",)
FUTURES_ONLY = ("mark_price", "index_price", "funding", "liquidation", "open_interest")
_DERIBIT = (*EVERY_MARKET, *STATISTICS, "mark_price", "index_price", "funding", "open_interest")


@dataclass(frozen=True)
class Venue:
    """One market of one exchange."""

    channels: tuple[str, ...]
    depths: tuple[int, ...] | range
    """Levels per side that its book snapshot can be asked for; 0, its usual number, is always allowed."""
    ranked: bool = True
    """The exchange says how much each instrument traded in 24 h, so that rules can ask for the largest ones."""
    book_streams: tuple[str, ...] = ()
    """The exchange's own streams that may carry the channel, the usual one first; () where there is no choice."""
    trade_streams: tuple[str, ...] = ()

    @property
    def depths_in_words(self) -> str:
        if not self.depths:
            return "0 (its books are always complete)"
        if isinstance(self.depths, range):
            return f"0 (the usual depth) or {self.depths.start} to {self.depths.stop - 1}"
        return "0 (the usual depth) or one of " + ", ".join(map(str, self.depths))


_BINANCE_BEST = ("depth20@100ms", "depth10@100ms", "depth5@100ms")
_BINANCE_TRADES = ("trade", "aggTrade")
_OKX_TRADES = ("trades", "trades-all")

VENUES = {
    ("binance", "spot"): Venue(
        EVERY_MARKET + STATISTICS, range(1, 5001),
        book_streams=("depth@100ms", "depth", *_BINANCE_BEST), trade_streams=_BINANCE_TRADES,
    ),
    ("binance", "linear"): Venue(
        EVERY_MARKET + STATISTICS + FUTURES_ONLY, (5, 10, 20, 50, 100, 500, 1000),
        book_streams=("depth@100ms", "depth@0ms", "depth@500ms", "depth", *_BINANCE_BEST),
        trade_streams=_BINANCE_TRADES,
    ),
    ("bybit", "spot"): Venue(EVERY_MARKET + STATISTICS, (50, 200, 1000)),
    ("bybit", "linear"): Venue(EVERY_MARKET + STATISTICS + FUTURES_ONLY, (50, 200, 1000)),
    ("bybit", "inverse"): Venue(EVERY_MARKET + STATISTICS + FUTURES_ONLY, (50, 200, 1000)),
    ("coinbase", "spot"): Venue(EVERY_MARKET + STATISTICS, ()),
    ("deribit", "linear"): Venue(_DERIBIT, (), ranked=False),
    ("deribit", "inverse"): Venue(_DERIBIT, (), ranked=False),
    ("kraken", "spot"): Venue(EVERY_MARKET + STATISTICS, (10, 25, 100, 500, 1000), ranked=False),
    ("kraken_futures", "linear"): Venue(EVERY_MARKET + STATISTICS + FUTURES_ONLY, ()),
    ("kraken_futures", "inverse"): Venue(EVERY_MARKET + STATISTICS + FUTURES_ONLY, ()),
    ("okx", "spot"): Venue(EVERY_MARKET + STATISTICS, (5, 400), trade_streams=_OKX_TRADES),
    ("okx", "linear"): Venue(EVERY_MARKET + STATISTICS + FUTURES_ONLY, (5, 400), trade_streams=_OKX_TRADES),
    ("okx", "inverse"): Venue(EVERY_MARKET + STATISTICS + FUTURES_ONLY, (5, 400), trade_streams=_OKX_TRADES),
    ("upbit", "spot"): Venue(EVERY_MARKET + STATISTICS, (1, 5, 15, 30)),
}  # fmt: skip

EXCHANGES = tuple(sorted({exchange for exchange, _ in VENUES}))
MARKETS = ("spot", "linear", "inverse", "option")


_UNIFIED = {market: Venue(channels, range(1, 5001)) for market, channels in unified.CHANNELS.items()}
"""One market of any exchange that ccxt reaches; which channels a class really has, the class says."""


def venue_of(exchange: str, market: str) -> Venue | None:
    """One market of one exchange, None where there is no such market."""
    if unified.is_unified(exchange):
        return _UNIFIED.get(market)
    return VENUES.get((exchange, market))


def markets_of(exchange: str) -> tuple[str, ...]:
    """The markets of ``exchange``, in the order of the vocabulary."""
    if unified.is_unified(exchange):
        return unified.MARKETS
    return tuple(market for market in MARKETS if (exchange, market) in VENUES)
