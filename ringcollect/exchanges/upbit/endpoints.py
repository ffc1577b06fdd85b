"""Where Upbit is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from ringcollect.exchanges.protocol import Keepalive, Limits, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
WEBSOCKET = "wss://api.upbit.com"
REST = "https://api.upbit.com"
_PATH = "/websocket/v1"
_LIST, _BOOK, _TICKERS = "/v1/market/all", "/v1/orderbook", "/v1/ticker/all"
QUOTES = ("KRW", "BTC", "USDT")
"""What markets of the Korean site are quoted in."""
MOST_DEPTH = 30

_LIMITS = Limits(
    messages_per_s=2,  # 5 a second, but also 100 a minute
    streams_per_connection=200,
    connects=5, connects_window_ns=SECOND,
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="upbit", rest_weight=10, rest_window_ns=SECOND, rest_used_header="",
)  # fmt: skip


def limits(market: str) -> Limits:
    """What Upbit allows. REST weights are requests of one group."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """Text "PING", answered by ``{"status":"UP"}``: silent connections are cut after 60 to 120 s."""
    return Keepalive("text", "PING", 30 * SECOND)


def websocket_url(base: str = "") -> str:
    """URL of a connection; ``base`` replaces scheme, host and port."""
    return (base or WEBSOCKET).rstrip("/") + _PATH


def read_url(url: str) -> UrlMeaning | None:
    """What a WebSocket URL says: nothing about streams."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("ws", "wss") or parts.path.rstrip("/") != _PATH:
        return None
    return UrlMeaning("spot", (), combined=True)


def _rest_url(path: str, base: str, **query: str | int) -> str:
    return (base or REST).rstrip("/") + path + "?" + urlencode(query)


def snapshot_call(market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
    """Ask for a book of ``depth`` levels a side (0: 30)."""
    url = _rest_url(_BOOK, rest_url, markets=symbol, count=depth or MOST_DEPTH)
    return RestCall(url, 1, Purpose.SNAPSHOT, market, symbol)


def open_interest_call(market: str, symbol: str, rest_url: str = "") -> RestCall:
    """A spot market has none."""
    raise ValueError("spot has no open interest")


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all instruments; their ticks depend on the current price and are not in the list."""
    return [RestCall(_rest_url(_LIST, rest_url, is_details="true"), 1, Purpose.INSTRUMENTS, market)]


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for the tickers of all markets, of every quote currency."""
    url = _rest_url(_TICKERS, rest_url, quote_currencies=",".join(QUOTES))
    return [RestCall(url, 1, Purpose.VOLUMES, market)]


def next_instruments_call(call: RestCall, body: bytes) -> RestCall | None:
    """Every answer is whole."""
    return None


def read_rest(url: str) -> RestMeaning | None:
    """What a REST URL asks for, whatever its host; None for what we never ask."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.path == _LIST:
        return RestMeaning("spot", Purpose.INSTRUMENTS)
    symbol = parse_qs(parts.query).get("markets", [""])[0]
    if parts.path != _BOOK or not symbol or "," in symbol:
        return None
    return RestMeaning("spot", Purpose.SNAPSHOT, symbol)
