"""Where Kraken Futures is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import urlsplit

from ringcollect.exchanges.protocol import Keepalive, Limits, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
MARKETS = ("linear", "inverse")
WEBSOCKET = "wss://futures.kraken.com"
REST = "https://futures.kraken.com"
_PATH = "/ws/v1"
_API = "/derivatives/api/v3/"
_INSTRUMENTS, _TICKERS = _API + "instruments", _API + "tickers"

_LIMITS = Limits(
    messages_per_s=100,
    streams_per_connection=600,  # no number is published
    connects=100, connects_window_ns=60 * SECOND,  # 100 at a time; over which span is not published
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="kraken_futures", rest_weight=500, rest_window_ns=10 * SECOND, rest_used_header="",
)  # fmt: skip
_LIST_COST = 10  # of 500 units in 10 s; what public calls cost is not published
_KEEPALIVE = Keepalive("frame", "", 20 * SECOND)


def limits(market: str) -> Limits:
    """What Kraken Futures allows. REST weights are its cost units."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """A WebSocket ping every 20 s: a client silent for 60 s is cut off."""
    return _KEEPALIVE


def websocket_url(base: str = "") -> str:
    """URL of a connection; ``base`` replaces scheme, host and port."""
    return (base or WEBSOCKET).rstrip("/") + _PATH


def read_url(url: str) -> UrlMeaning | None:
    """What a WebSocket URL says: nothing about market or streams, all of them come by the same one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("ws", "wss") or parts.path.rstrip("/") != _PATH:
        return None
    return UrlMeaning(MARKETS[0], (), combined=True)


def _rest_url(path: str, base: str) -> str:
    return (base or REST).rstrip("/") + path


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all instruments: one list for both markets."""
    return [RestCall(_rest_url(_INSTRUMENTS, rest_url), _LIST_COST, Purpose.INSTRUMENTS, market)]


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for the tickers of all instruments."""
    return [RestCall(_rest_url(_TICKERS, rest_url), _LIST_COST, Purpose.VOLUMES, market)]


def next_instruments_call(call: RestCall, body: bytes) -> RestCall | None:
    """Every answer is whole."""
    return None


def read_rest(url: str) -> RestMeaning | None:
    """What a REST URL asks for, whatever its host; None for what we never ask."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return RestMeaning(MARKETS[0], Purpose.INSTRUMENTS) if parts.path == _INSTRUMENTS else None
