"""Where Bybit is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec

from ringcollect.exchanges.bybit.instruments import page_of
from ringcollect.exchanges.protocol import Keepalive, Limits, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
MARKETS = ("spot", "linear", "inverse")
WEBSOCKET = "wss://stream.bybit.com"
REST = "https://api.bybit.com"
_PATH = "/v5/public/"
_INSTRUMENTS = "/v5/market/instruments-info"
_TICKERS = "/v5/market/tickers"
PAGE = 1000

ARGS_PER_REQUEST = 10
"""Spot takes no more. The others do, but one bad topic may fail a whole request."""
ARGS_CHARACTERS = 20_000
"""Of all topics of a connection; the venue takes 21,000."""

_LIMITS = Limits(
    messages_per_s=20,  # not documented
    streams_per_connection=ARGS_CHARACTERS // 20,
    connects=500, connects_window_ns=300 * SECOND,
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="bybit", rest_weight=600, rest_window_ns=5 * SECOND, rest_used_header="",
    forbidden_pause_ns=600 * SECOND,  # "access too frequent"
)  # fmt: skip
_KEEPALIVE = Keepalive("text", msgspec.json.encode({"req_id": "ping", "op": "ping"}).decode(), 20 * SECOND)


def limits(market: str) -> Limits:
    """What Bybit allows; REST weights are requests."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """A JSON ping every 20 s, answered by a JSON pong."""
    return _KEEPALIVE


def websocket_url(market: str, base: str = "") -> str:
    """URL of a connection: the category is in it, and nowhere else."""
    return (base or WEBSOCKET).rstrip("/") + _PATH + market


def read_url(url: str) -> UrlMeaning | None:
    """What a WebSocket URL says, whatever its host (there are regional ones)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    market = parts.path.rstrip("/").removeprefix(_PATH)
    if parts.scheme not in ("ws", "wss") or not parts.path.startswith(_PATH) or market not in MARKETS:
        return None
    return UrlMeaning(market, (), combined=True)


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for the first page of all instruments."""
    return [_page(market, rest_url, "")]


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for the tickers of all symbols."""
    url = (rest_url or REST).rstrip("/") + _TICKERS + "?" + urlencode({"category": market})
    return [RestCall(url, 1, Purpose.VOLUMES, market)]


def next_instruments_call(call: RestCall, body: bytes) -> RestCall | None:
    """The page that the answer's cursor names."""
    cursor = page_of(body).cursor
    if not cursor:
        return None
    parts = urlsplit(call.url)
    return _page(call.market, f"{parts.scheme}://{parts.netloc}", cursor)


def _page(market: str, base: str, cursor: str) -> RestCall:
    query: dict[str, str | int] = {"category": market, "limit": PAGE}
    if cursor:
        query["cursor"] = cursor
    url = (base or REST).rstrip("/") + _INSTRUMENTS + "?" + urlencode(query, quote_via=quote)
    return RestCall(url, 1, Purpose.INSTRUMENTS, market)


def read_rest(url: str) -> RestMeaning | None:
    """What a REST URL asks for, whatever its host; None for what we never ask."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    market = parse_qs(parts.query).get("category", [""])[0]
    if parts.path != _INSTRUMENTS or market not in MARKETS:
        return None
    return RestMeaning(market, Purpose.INSTRUMENTS)
