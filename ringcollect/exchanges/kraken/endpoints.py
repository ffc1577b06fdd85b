"""Where Kraken is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from ringcollect.exchanges.protocol import Keepalive, Limits, Missing, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
WEBSOCKET = "wss://ws.kraken.com"
REST = "https://api.kraken.com"
_PATH = "/v2"
_LIST, _BOOK = "/0/public/AssetPairs", "/0/public/Depth"
_TRADES = "/0/public/Trades"
MOST_DEPTH = 500
_MOST_TRADES = 1000
_BEFORE_NS = 1_000_000  # the cursor is a time, and what lies exactly on it is not in the page

_LIMITS = Limits(
    messages_per_s=10,  # no number is published; a breach is answered "Exceeded msg rate"
    streams_per_connection=500,
    connects=150, connects_window_ns=600 * SECOND,
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="kraken", rest_weight=1, rest_window_ns=SECOND, rest_used_header="",
)  # fmt: skip


def limits(market: str) -> Limits:
    """What Kraken allows. REST weights are requests."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """Heartbeats come every second, but only once something is subscribed: a ping of our own bridges that."""
    return Keepalive("text", '{"method":"ping"}', 10 * SECOND, 30 * SECOND)


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
    return (base or REST).rstrip("/") + path + ("?" + urlencode(query) if query else "")


def snapshot_call(market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
    """Ask for a book of ``depth`` levels a side (0: 500)."""
    url = _rest_url(_BOOK, rest_url, pair=symbol, count=depth or MOST_DEPTH)
    return RestCall(url, 1, Purpose.SNAPSHOT, market, symbol)


def open_interest_call(market: str, symbol: str, rest_url: str = "") -> RestCall:
    """A spot market has none."""
    raise ValueError("spot has no open interest")


def last_trade_call(market: str, symbol: str, rest_url: str = "") -> RestCall | None:
    """Ask for the newest trade."""
    return RestCall(_rest_url(_TRADES, rest_url, pair=symbol, count=1), 1, Purpose.LAST_TRADE, market, symbol)


def trades_call(market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
    """Ask for a thousand trades from a time on: REST does not find them by id, but says their ids."""
    if not missing.after_ns:
        return None
    since = missing.after_ns - _BEFORE_NS
    url = _rest_url(_TRADES, rest_url, pair=symbol, since=since, count=_MOST_TRADES)
    return RestCall(url, 1, Purpose.TRADES, market, symbol)


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all instruments; their decimals are what the checksum is made with."""
    return [RestCall(_rest_url(_LIST, rest_url), 1, Purpose.INSTRUMENTS, market)]


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """The venue's list of volumes names pairs in a spelling of its own, which no other answer explains: none."""
    return []


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
    symbol = parse_qs(parts.query).get("pair", [""])[0]
    purpose = {_BOOK: Purpose.SNAPSHOT, _TRADES: Purpose.TRADES}.get(parts.path)
    if purpose is None or not symbol:
        return None
    return RestMeaning("spot", purpose, symbol)
