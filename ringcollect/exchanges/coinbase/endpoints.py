"""Where Coinbase is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from ringcollect.exchanges.coinbase.streams import EXCHANGE_PATH
from ringcollect.exchanges.protocol import Keepalive, Limits, Missing, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
ADVANCED_WEBSOCKET = "wss://advanced-trade-ws.coinbase.com"
EXCHANGE_WEBSOCKET = "wss://ws-feed.exchange.coinbase.com"
REST = "https://api.coinbase.com"
EXCHANGE_REST = "https://api.exchange.coinbase.com"
"""Where trades are found by id; both feeds are of one matching engine, and count its trades alike."""
ADVANCED_PATH = "/advanced-trade-ws"
"""Path that says of any address that Advanced Trade is behind it; it is not needed."""
PRODUCTS, EXCHANGE_PRODUCTS = "/api/v3/brokerage/market/products", "/products"
_TRADES, _MOST_TRADES = "trades", 1000
_HOSTS = ("advanced-trade-ws", "ws-feed", "ws-direct")
MAX_FRAME_BYTES = 16 << 20
"""The book of BTC-USD is one message of 5 MB."""
BOOKS_PER_CONNECTION = 25
"""Somewhere between 30 and 39 the venue answers "too many L2 streams requested in a single session"."""

_LIMITS = Limits(
    messages_per_s=8,
    streams_per_connection=200,
    connects=8, connects_window_ns=SECOND,
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="coinbase", rest_weight=10, rest_window_ns=SECOND, rest_used_header="",
)  # fmt: skip


def limits(market: str) -> Limits:
    """What Advanced Trade allows; the Exchange feed allows more messages."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """Nothing: heartbeats are subscribed on every connection and come every second."""
    return Keepalive()


def websocket_url(base: str = "") -> str:
    """URL of a connection; ``base`` replaces all of it, and with it chooses the feed."""
    return (base or ADVANCED_WEBSOCKET).rstrip("/")


def read_url(url: str) -> UrlMeaning | None:
    """What a WebSocket URL says: nothing about streams."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("ws", "wss"):
        return None
    host, path = parts.hostname or "", parts.path.rstrip("/")
    ours = host.endswith(".coinbase.com") and host.startswith(_HOSTS) and not host.startswith("advanced-trade-ws-user")
    if path in (EXCHANGE_PATH, ADVANCED_PATH) or (ours and not path):
        return UrlMeaning("spot", (), combined=True)
    return None


def snapshot_call(market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
    """Books begin on their stream."""
    raise ValueError("a Coinbase book has no REST base")


def open_interest_call(market: str, symbol: str, rest_url: str = "") -> RestCall:
    """A spot market has none."""
    raise ValueError("spot has no open interest")


def last_trade_call(market: str, symbol: str, rest_url: str = "") -> RestCall | None:
    """Ask for the newest trade."""
    return RestCall(_trades_url(symbol, rest_url, limit=1), 1, Purpose.LAST_TRADE, market, symbol)


def trades_call(market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
    """Ask for the oldest thousand of them: a page goes back from an id, which is not in it."""
    above = min(missing.last_id, missing.first_id + _MOST_TRADES - 1) + 1
    url = _trades_url(symbol, rest_url, limit=_MOST_TRADES, after=above)
    return RestCall(url, 1, Purpose.TRADES, market, symbol)


def _trades_url(symbol: str, base: str, **query: int) -> str:
    path = f"{EXCHANGE_PRODUCTS}/{quote(symbol, safe='')}/{_TRADES}"
    return (base or EXCHANGE_REST).rstrip("/") + path + "?" + urlencode(query)


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all products: Advanced Trade's list, whose ids are those of the Exchange feed too."""
    url = (rest_url or REST).rstrip("/") + PRODUCTS + "?" + urlencode({"product_type": "SPOT"})
    return [RestCall(url, 1, Purpose.INSTRUMENTS, market)]


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all products once more: the list says what was traded in 24 h."""
    [call] = instruments_calls(market, rest_url)
    return [RestCall(call.url, call.weight, Purpose.VOLUMES, market)]


def next_instruments_call(call: RestCall, body: bytes) -> RestCall | None:
    """Every answer is whole."""
    return None


def read_rest(url: str) -> RestMeaning | None:
    """What a REST URL asks for, whatever its host; None for what we never ask."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = parts.path.rstrip("/")
    if path in (PRODUCTS, EXCHANGE_PRODUCTS):
        return RestMeaning("spot", Purpose.INSTRUMENTS)
    words = path.removeprefix(EXCHANGE_PRODUCTS + "/").split("/")
    if not path.startswith(EXCHANGE_PRODUCTS + "/") or len(words) != 2 or words[1] != _TRADES or not words[0]:
        return None
    purpose = Purpose.TRADES if "after" in parse_qs(parts.query) else Purpose.LAST_TRADE
    return RestMeaning("spot", purpose, unquote(words[0]))
