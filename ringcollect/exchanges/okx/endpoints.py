"""Where OKX is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from ringcollect.exchanges.okx.streams import BUSINESS
from ringcollect.exchanges.okx.symbols import guessed_market, kind_of
from ringcollect.exchanges.protocol import Keepalive, Limits, Missing, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
WEBSOCKET = "wss://ws.okx.com:8443"
REST = "https://www.okx.com"
_PATHS = ("/ws/v5/public", "/ws/v5/business")
_BOOKS, _INSTRUMENTS, _INTEREST = "/api/v5/market/books", "/api/v5/public/instruments", "/api/v5/public/open-interest"
_TICKERS = "/api/v5/market/tickers"
_TRADES, _OLD_TRADES = "/api/v5/market/trades", "/api/v5/market/history-trades"
MOST_DEPTH = 400
_MOST_TRADES = 100
_BY_ID = 1
_TYPES = {"spot": ("SPOT",), "linear": ("SWAP", "FUTURES"), "inverse": ("SWAP", "FUTURES")}

_LIMITS = Limits(
    messages_per_s=1,  # 480 requests an hour: a request names many streams, so that an hour needs few
    streams_per_connection=240,
    connects=3, connects_window_ns=SECOND,
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="okx", rest_weight=20, rest_window_ns=2 * SECOND, rest_used_header="",
)  # fmt: skip
BOOKS_PER_CONNECTION = 25
"""The venue asks for fewer than 30 whole books on one connection."""
ARGS_BYTES = 60_000
"""Arguments of one request; the venue takes 64 KB."""


def limits(market: str) -> Limits:
    """What OKX allows. REST weights are requests; each endpoint has its own 20 or more in 2 s."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """Text "ping" well within the 30 s of silence after which the venue cuts; a WebSocket ping is not enough."""
    return Keepalive("text", "ping", 20 * SECOND)


def websocket_url(channel: str, base: str = "") -> str:
    """URL of the connection that carries ``channel``; ``base`` replaces scheme, host and port."""
    return (base or WEBSOCKET).rstrip("/") + (_PATHS[1] if channel in BUSINESS else _PATHS[0])


def read_url(url: str) -> UrlMeaning | None:
    """What a WebSocket URL says: nothing about the market, all of them come by the same one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("ws", "wss") or parts.path.rstrip("/") not in _PATHS:
        return None
    return UrlMeaning("spot", (), combined=True)


def _rest_url(path: str, base: str, **query: str | int) -> str:
    return (base or REST).rstrip("/") + path + "?" + urlencode(query)


def snapshot_call(market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
    """Ask for a book snapshot of ``depth`` levels a side (0: 400)."""
    url = _rest_url(_BOOKS, rest_url, instId=symbol, sz=depth or MOST_DEPTH)
    return RestCall(url, 1, Purpose.SNAPSHOT, market, symbol)


def open_interest_call(market: str, symbol: str, rest_url: str = "") -> RestCall:
    """Ask for open interest, which also has a stream."""
    url = _rest_url(_INTEREST, rest_url, instType=kind_of(symbol), instId=symbol)
    return RestCall(url, 1, Purpose.OPEN_INTEREST, market, symbol)


def last_trade_call(market: str, symbol: str, rest_url: str = "") -> RestCall | None:
    """Ask for the newest trade."""
    return RestCall(_rest_url(_TRADES, rest_url, instId=symbol, limit=1), 1, Purpose.LAST_TRADE, market, symbol)


def trades_call(market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
    """Ask for the oldest hundred of them: a page goes back from an id, which is not in it."""
    above = min(missing.last_id, missing.first_id + _MOST_TRADES - 1) + 1
    url = _rest_url(_OLD_TRADES, rest_url, instId=symbol, type=_BY_ID, after=above, limit=_MOST_TRADES)
    return RestCall(url, 1, Purpose.TRADES, market, symbol)


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all instruments: one list per type, each with linear and inverse ones."""
    return [
        RestCall(_rest_url(_INSTRUMENTS, rest_url, instType=kind), 1, Purpose.INSTRUMENTS, market)
        for kind in _TYPES[market]
    ]


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for the tickers of all instruments: one list per type."""
    return [
        RestCall(_rest_url(_TICKERS, rest_url, instType=kind), 1, Purpose.VOLUMES, market) for kind in _TYPES[market]
    ]


def next_instruments_call(call: RestCall, body: bytes) -> RestCall | None:
    """Every answer is whole."""
    return None


_PURPOSES = {
    _BOOKS: Purpose.SNAPSHOT,
    _INTEREST: Purpose.OPEN_INTEREST,
    _TRADES: Purpose.LAST_TRADE,
    _OLD_TRADES: Purpose.TRADES,
}


def read_rest(url: str) -> RestMeaning | None:
    """What a REST URL asks for, whatever its host; None for what we never ask."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.path == _INSTRUMENTS:
        kind = query.get("instType")
        market = next((market for market, kinds in _TYPES.items() if kind in kinds), None)
        return None if market is None else RestMeaning(market, Purpose.INSTRUMENTS)
    purpose = _PURPOSES.get(parts.path)
    symbol = query.get("instId", "")
    market = guessed_market(symbol)
    if purpose is None or market not in _TYPES or (purpose is Purpose.OPEN_INTEREST and market == "spot"):
        return None
    return RestMeaning(market, purpose, symbol)
