"""What stands for addresses: ccxt opens its own sockets, so that ours only say who is meant. No I/O."""

from __future__ import annotations

from urllib.parse import urlsplit

from ringcollect.exchanges.protocol import Keepalive, Limits, Purpose, RestCall, RestMeaning, UrlMeaning

SECOND = 1_000_000_000
MOST_LEVELS = 5000
USUAL_LEVELS = 50
"""Levels a side of a book for which no depth is configured: what ccxt keeps may be thousands."""

MARKETS = ("spot", "linear", "inverse")

_LIMITS = Limits(
    messages_per_s=1000, streams_per_connection=4096,  # ccxt paces what it sends by its own rate limiter
    connects=1000, connects_window_ns=SECOND,
    lifetime_ns=0, server_ping_ns=0,
    rest_budget="ccxt", rest_weight=100, rest_window_ns=SECOND, rest_used_header="",
)  # fmt: skip


def limits(market: str) -> Limits:
    """Nothing of ours: ccxt keeps each exchange's limits."""
    return _LIMITS


def keepalive(market: str) -> Keepalive:
    """Nothing of ours: ccxt pings, and ends a socket that does not answer."""
    return Keepalive()


def url_of(name: str, market: str) -> str:
    """``ccxt://ccxt_kucoin/spot``: the connections of one market."""
    return f"ccxt://{name}/{market}"


def read_url(url: str) -> UrlMeaning | None:
    """What :func:`url_of` made; None for anything else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    market = parts.path.strip("/")
    if parts.scheme != "ccxt" or market not in MARKETS:
        return None
    return UrlMeaning(market, (), combined=True)


def instruments_call(name: str, market: str) -> RestCall:
    """Ask ccxt for the instruments of one market."""
    return RestCall(f"{url_of(name, market)}/instruments", 1, Purpose.INSTRUMENTS, market)


def volumes_call(name: str, market: str) -> RestCall:
    """Ask ccxt for the 24 h volumes of one market."""
    return RestCall(f"{url_of(name, market)}/volumes", 1, Purpose.VOLUMES, market)


def read_rest(url: str) -> RestMeaning | None:
    """What :func:`instruments_call` and :func:`volumes_call` ask for; None for anything else."""
    base, _, what = url.rpartition("/")
    meaning = read_url(base)
    if meaning is None or what not in (Purpose.INSTRUMENTS, Purpose.VOLUMES):
        return None
    return RestMeaning(meaning.market, Purpose(what))
