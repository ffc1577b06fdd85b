"""Which of ccxt's calls feeds a channel, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ringcollect.exchanges.ccxt.endpoints import USUAL_LEVELS
from ringcollect.exchanges.ccxt.messages import Wanted
from ringcollect.feed.unified import objects
from ringcollect.feed.unified.library import Library


@dataclass(frozen=True)
class Source:
    """``ask`` is called again and again; ``frame(answer, since)`` is what it says, ``since`` 0 but for the first.

    ``pause_s`` between two calls: 0 where ccxt answers when there is news. ``leave``, where there is one, tells the
    exchange that nobody listens any more. ``name`` is the call's, for telling whether two sources share one stream.
    """

    name: str
    ask: Callable[[], Awaitable[Any]]
    frame: Callable[[Any, int], bytes]
    leave: Callable[[], Awaitable[Any]] | None = None
    pause_s: float = 0.0


def source_of(library: Library, wanted: Wanted, poll_s: float) -> Source | str:
    """How ``wanted`` is fed, or why the class cannot."""
    symbol, channel, depth = wanted
    build = _BUILDERS.get(channel)
    return f"ccxt has no way to ask for {channel}" if build is None else build(library, symbol, depth, poll_s)


def _missing(library: Library, *methods: str) -> str:
    return f"{library.name} has no {' and no '.join(methods)}"


def _left(library: Library, watch: str, method: str, *args: Any) -> Callable[[], Awaitable[Any]] | None:
    """What ends a subscription, where the class has it."""
    return (lambda: library.method(method)(*args)) if library.can(f"un{watch[0].upper()}{watch[1:]}") else None


def _book(library: Library, symbol: str, depth: int, poll_s: float) -> Source | str:
    if not library.can("watchOrderBook"):
        return _missing(library, "watchOrderBook")
    watch, most, limit = library.method("watch_order_book"), depth or USUAL_LEVELS, library.book_limit
    return Source(
        "watchOrderBook", lambda: watch(symbol, limit),
        lambda found, since: objects.frame_of(lambda: objects.book(symbol, found, most)),
        _left(library, "watchOrderBook", "un_watch_order_book", symbol),
    )  # fmt: skip


def _trade(library: Library, symbol: str, depth: int, poll_s: float) -> Source | str:
    if not library.can("watchTrades"):
        return _missing(library, "watchTrades")
    watch, limit = library.method("watch_trades"), library.trades_limit
    return Source(
        "watchTrades", lambda: watch(symbol),
        lambda found, since: objects.frame_of(lambda: objects.trades(symbol, found, limit, since)),
        _left(library, "watchTrades", "un_watch_trades", symbol),
    )  # fmt: skip


def _best(library: Library, symbol: str, depth: int, poll_s: float) -> Source | str:
    def frame(found: Any, since: int) -> bytes:
        return objects.frame_of(lambda: objects.best(symbol, found))

    if library.can("watchBidsAsks"):
        best = library.method("watch_bids_asks")
        return Source(
            "watchBidsAsks", lambda: best([symbol]), frame,
            _left(library, "watchBidsAsks", "un_watch_bids_asks", [symbol]),
        )  # fmt: skip
    if library.can("watchTicker"):
        watch = library.method("watch_ticker")
        return Source(
            "watchTicker", lambda: watch(symbol), frame, _left(library, "watchTicker", "un_watch_ticker", symbol)
        )
    return _missing(library, "watchBidsAsks", "watchTicker")


def _ticker(library: Library, symbol: str, depth: int, poll_s: float) -> Source | str:
    if not library.can("watchTicker"):
        return _missing(library, "watchTicker")
    watch = library.method("watch_ticker")
    return Source(
        "watchTicker", lambda: watch(symbol),
        lambda found, since: objects.frame_of(lambda: objects.ticker(symbol, found)),
        _left(library, "watchTicker", "un_watch_ticker", symbol),
    )  # fmt: skip


def _funding(library: Library, symbol: str, depth: int, poll_s: float) -> Source | str:
    if library.can("watchFundingRate"):
        watch = library.method("watch_funding_rate")
        return Source(
            "watchFundingRate", lambda: watch(symbol),
            lambda found, since: objects.frame_of(lambda: objects.funding(symbol, found, False)),
        )  # fmt: skip
    if library.can("fetchFundingRate"):
        fetch = library.method("fetch_funding_rate")
        return Source(
            "fetchFundingRate", lambda: fetch(symbol),
            lambda found, since: objects.frame_of(lambda: objects.funding(symbol, found, True)), pause_s=poll_s,
        )  # fmt: skip
    return _missing(library, "watchFundingRate", "fetchFundingRate")


def _open_interest(library: Library, symbol: str, depth: int, poll_s: float) -> Source | str:
    if not library.can("fetchOpenInterest"):
        return _missing(library, "fetchOpenInterest")
    fetch = library.method("fetch_open_interest")
    return Source(
        "fetchOpenInterest", lambda: fetch(symbol),
        lambda found, since: objects.frame_of(lambda: objects.open_interest(symbol, found)), pause_s=poll_s,
    )  # fmt: skip


_BUILDERS: dict[str, Callable[[Library, str, int, float], Source | str]] = {
    "book": _book, "trade": _trade, "bbo": _best, "ticker": _ticker, "funding": _funding,
    "open_interest": _open_interest,
}  # fmt: skip
