"""Where Binance is, what a URL of it means, and what it allows. See README.md for the sources."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlencode, urlsplit

from ringcollect.exchanges.protocol import Keepalive, Limits, Missing, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
WEBSOCKET = {"spot": "wss://stream.binance.com:9443", "linear": "wss://fstream.binance.com"}
REST = {"spot": "https://api.binance.com", "linear": "https://fapi.binance.com"}
REST_ROOT = {"spot": "/api/v3", "linear": "/fapi/v1"}

_HOST_MARKETS = {
    "stream.binance.com": "spot",
    "data-stream.binance.vision": "spot",
    "stream.testnet.binance.vision": "spot",
    "demo-stream.binance.com": "spot",
    "fstream.binance.com": "linear",
    "fstream.binancefuture.com": "linear",
}
_SPLIT_PATHS = ("public", "market")  # USD-M since 2026-03: a stream asked for on the other path stays silent for ever
DEFAULT_DEPTH = 1000
_MOST_TRADES = 1000

_LIMITS = {
    "spot": Limits(
        messages_per_s=5, streams_per_connection=1024, connects=300, connects_window_ns=300 * SECOND,
        lifetime_ns=86_400 * SECOND, server_ping_ns=20 * SECOND,
        rest_budget="binance-spot", rest_weight=6000, rest_window_ns=60 * SECOND,
        rest_used_header="x-mbx-used-weight-1m",
    ),
    "linear": Limits(
        messages_per_s=10, streams_per_connection=1024, connects=300, connects_window_ns=300 * SECOND,
        lifetime_ns=86_400 * SECOND, server_ping_ns=180 * SECOND,
        rest_budget="binance-linear", rest_weight=2400, rest_window_ns=60 * SECOND,
        rest_used_header="x-mbx-used-weight-1m",
    ),
}  # fmt: skip


def limits(market: str) -> Limits:
    """What Binance allows."""
    return _LIMITS[market]


def keepalive(market: str) -> Keepalive:
    """The server pings; its pings and our answers show that the line lives."""
    return Keepalive()


def websocket_url(market: str, path: str, base: str = "") -> str:
    """URL of a combined connection without streams; ``path`` is "" (spot), "public" or "market"."""
    root = (base or WEBSOCKET[market]).rstrip("/")
    if market == "spot":
        return f"{root}/stream?timeUnit=MICROSECOND"
    return f"{root}/{path}/stream"


def read_url(url: str) -> UrlMeaning | None:
    """What a WebSocket URL says; an unknown host (a proxy, the simulator) is told by its path."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    segments = [segment for segment in parts.path.split("/") if segment]
    split = bool(segments) and segments[0] in _SPLIT_PATHS
    if split:
        segments = segments[1:]
    if parts.scheme not in ("ws", "wss") or not segments or segments[0] not in ("stream", "ws"):
        return None
    market = _HOST_MARKETS.get(host)
    if market is None:
        if host.endswith(("binance.com", "binancefuture.com", "binance.vision")):
            return None  # a market of Binance that is not collected, like COIN-M
        market = "linear" if split else "spot"
    if segments[0] == "ws":
        if host not in _HOST_MARKETS and not all("@" in name or name[0] == "!" for name in segments[1:]):
            return None  # another venue's path
        return UrlMeaning(market, tuple(segments[1:]), combined=False)
    named = parse_qs(parts.query).get("streams", [""])[0]
    return UrlMeaning(market, tuple(name for name in named.split("/") if name), combined=True)


def snapshot_weight(market: str, limit: int) -> int:
    """Weight of a depth snapshot of ``limit`` levels a side."""
    steps = {
        "spot": ((100, 5), (500, 25), (1000, 50)),
        "linear": ((50, 2), (100, 5), (500, 10)),
    }[market]
    return next((weight for most, weight in steps if limit <= most), {"spot": 250, "linear": 20}[market])


def _rest_url(market: str, name: str, base: str, **query: str | int) -> str:
    root = (base or REST[market]).rstrip("/")
    text = "?" + urlencode(query, quote_via=quote) if query else ""
    return f"{root}{REST_ROOT[market]}/{name}{text}"


def snapshot_call(market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall:
    """Ask for a depth snapshot of ``depth`` levels a side (0: 1000)."""
    limit = depth or DEFAULT_DEPTH
    url = _rest_url(market, "depth", rest_url, symbol=symbol, limit=limit)
    return RestCall(url, snapshot_weight(market, limit), Purpose.SNAPSHOT, market, symbol)


def open_interest_call(market: str, symbol: str, rest_url: str = "") -> RestCall:
    """Ask for open interest, which has no stream."""
    url = _rest_url(market, "openInterest", rest_url, symbol=symbol)
    return RestCall(url, 1, Purpose.OPEN_INTEREST, market, symbol)


def last_trade_call(market: str, symbol: str, rest_url: str = "") -> RestCall | None:
    """Ask for the newest trade's id: on spot by way of the newest aggregate, which is six times cheaper."""
    name, weight = ("aggTrades", 4) if market == "spot" else ("trades", 5)
    return RestCall(
        _rest_url(market, name, rest_url, symbol=symbol, limit=1), weight, Purpose.LAST_TRADE, market, symbol
    )


def trades_call(market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
    """Ask for trades from an id on. USD-M wants a key for that: without one there are the newest 1000, whatever is
    missing.
    """
    if market == "spot":
        query: dict[str, str | int] = {"symbol": symbol, "fromId": missing.first_id, "limit": _MOST_TRADES}
        return RestCall(_rest_url(market, "historicalTrades", rest_url, **query), 25, Purpose.TRADES, market, symbol)
    url = _rest_url(market, "trades", rest_url, symbol=symbol, limit=_MOST_TRADES)
    return RestCall(url, 5, Purpose.TRADES, market, symbol)


def instruments_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for all instruments; on USD-M also for the funding intervals that are not 8 h."""
    weight = 20 if market == "spot" else 1
    calls = [RestCall(_rest_url(market, "exchangeInfo", rest_url), weight, Purpose.INSTRUMENTS, market)]
    if market == "linear":  # 500 requests per 5 min of its own, shared with fundingRate: no weight of the common budget
        calls.append(RestCall(_rest_url(market, "fundingInfo", rest_url), 0, Purpose.INSTRUMENTS, market))
    return calls


def volumes_calls(market: str, rest_url: str = "") -> list[RestCall]:
    """Ask for the 24 h statistics of all symbols."""
    weight = 80 if market == "spot" else 40
    return [RestCall(_rest_url(market, "ticker/24hr", rest_url), weight, Purpose.VOLUMES, market)]


def next_instruments_call(call: RestCall, body: bytes) -> RestCall | None:
    """Every answer is whole."""
    return None


_PURPOSES = {
    "depth": Purpose.SNAPSHOT,
    "openInterest": Purpose.OPEN_INTEREST,
    "trades": Purpose.TRADES,
    "historicalTrades": Purpose.TRADES,
    "aggTrades": Purpose.LAST_TRADE,
}


def read_rest(url: str) -> RestMeaning | None:
    """What a REST URL asks for, whatever its host; None for what we never ask."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    for market, root in REST_ROOT.items():
        if not parts.path.startswith(root + "/"):
            continue
        name = parts.path[len(root) + 1 :]
        if name == "exchangeInfo" or (name == "fundingInfo" and market == "linear"):
            return RestMeaning(market, Purpose.INSTRUMENTS)
        purpose = _PURPOSES.get(name)
        symbol = parse_qs(parts.query).get("symbol", [""])[0]
        if purpose and symbol and not (market == "spot" and name == "openInterest"):
            return RestMeaning(market, purpose, symbol)
    return None
