"""Where Deribit is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from ringcollect.exchanges.deribit.symbols import market_of
from ringcollect.exchanges.protocol import Keepalive, Limits, Missing, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
WEBSOCKET = "wss://www.deribit.com"
REST = "https://www.deribit.com"
_PATH = "/ws/api/v2"
_LIST, _BOOK, _TRADES = (
    "/api/v2/public/get_instruments", "/api/v2/public/get_order_book", "/api/v2/public/get_last_trades_by_instrument",
)  # fmt: skip
_MOST_DEPTH = 10_000
_MOST_TRADES = 1000
TEST_ID = 1
"""Id of our tests: odd, as everything that is no subscription (:mod:`subscribe`)."""

_LIMITS = Limits(
    messages_per_s=5,
    streams_per_connection=500,
    connects=32, connects_window_ns=60 * SECOND,
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="deribit", rest_weight=5, rest_window_ns=SECOND, rest_used_header="",
)  # fmt: skip


def limits(market: str) -> Limits:
    """What Deribit allows, or less. REST weights are requests."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """A test of our own; the venue's heartbeats are not asked for."""
    text = f'{{"jsonrpc":"2.0","id":{TEST_ID},"method":"public/test","params":{{}}}}'
    return Keepalive("text", text, 20 * SECOND, 60 * SECOND)


def websocket_url(base: str = "") -> str:
    """URL of a connection; ``base`` replaces scheme, host and port."""
    return (base or WEBSOCKET).rstrip("/") + _PATH


def read_url(url: str) -> UrlMeaning | None:
    """What a WebSocket URL says: nothing about streams and market, both markets come by the same one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("ws", "wss") or parts.path.rstrip("/") != _PATH:
        return None
    return UrlMeaning("inverse", (), combined=True)


def _rest_url(path: str, base: str, **query: str | int) -> str:
    return (base or REST).rstrip("/") + path + "?" + urlencode(query)


def snapshot_call(market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
    """Ask for a book of ``depth`` levels a side (0: all)."""
    url = _rest_url(_BOOK, rest_url, instrument_name=symbol, depth=depth or _MOST_DEPTH)
    return RestCall(url, 1, Purpose.SNAPSHOT, market, symbol)


def open_interest_call(market: str, symbol: str, rest_url: str = "") -> RestCall:
    """It is streamed."""
    raise ValueError("open interest is streamed")


def last_trade_call(market: str, symbol: str, rest_url: str = "") -> RestCall | None:
    """Ask for the newest trade."""
    url = _rest_url(_TRADES, rest_url, instrument_name=symbol, count=1, sorting="desc")
    return RestCall(url, 1, Purpose.LAST_TRADE, market, symbol)


def trades_call(market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
    """Ask for the oldest thousand of them by ``trade_seq``."""
    url = _rest_url(
        _TRADES, rest_url, instrument_name=symbol, start_seq=missing.first_id,
        end_seq=min(missing.last_id, missing.first_id + _MOST_TRADES - 1), count=_MOST_TRADES, sorting="asc",
    )  # fmt: skip
    return RestCall(url, 1, Purpose.TRADES, market, symbol)


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all futures and perpetuals: one list for both markets."""
    url = _rest_url(_LIST, rest_url, currency="any", kind="future")
    return [RestCall(url, 1, Purpose.INSTRUMENTS, market)]


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Volumes come by currency, and the list of currencies is not known beforehand: none."""
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
        return RestMeaning("inverse", Purpose.INSTRUMENTS)
    symbol = parse_qs(parts.query).get("instrument_name", [""])[0]
    purpose = {_BOOK: Purpose.SNAPSHOT, _TRADES: Purpose.TRADES}.get(parts.path)
    market = market_of("", symbol, ())
    return RestMeaning(market, purpose, symbol) if purpose and market else None
