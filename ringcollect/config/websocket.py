"""``[websocket]``: the feeds' sockets, and what is different for the exchanges of ``[[websocket.override]]``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from ringcollect.config.rules import Duration, ExchangeName, FolderOrFile, OneOf, Proxy, Range
from ringcollect.config.transports import TRANSPORTS
from ringcollect.config.venues import EXCHANGES
from ringcollect.durations import parse_duration

_PROXIES = ("http", "https", "socks5")


class WebsocketOverride(msgspec.Struct, frozen=True, kw_only=True):
    """``[[websocket.override]]``: what is different for one exchange; what is not set, or "", changes nothing."""

    exchange: Annotated[str, ExchangeName(EXCHANGES)]
    transport: Annotated[str, OneOf(("", *TRANSPORTS))] = ""
    redundancy: Annotated[int | None, Range(1, 2)] = None
    retry_first: Annotated[str, Duration("10ms", "10m", optional=True)] = ""
    retry_max: Annotated[str, Duration("10ms", "1h", optional=True)] = ""
    jitter: Annotated[float | None, Range(0, 1)] = None
    max_attempts: Annotated[int | None, Range(0, 1_000_000)] = None
    stale: Annotated[str, Duration("1s", "1d", optional=True)] = ""
    ack_deadline: Annotated[str, Duration("100ms", "10m", optional=True)] = ""
    data_deadline: Annotated[str, Duration("100ms", "1d", optional=True)] = ""
    open_interest_poll: Annotated[str, Duration("1s", "1h", optional=True)] = ""
    silence_market: Annotated[str, Duration("100ms", "1d", optional=True)] = ""
    silence_price: Annotated[str, Duration("100ms", "1d", optional=True)] = ""
    silence_rate: Annotated[str, Duration("100ms", "1d", optional=True)] = ""
    align: bool | None = None
    backfill: bool | None = None
    instruments_refresh: Annotated[str, Duration("1s", "7d", optional=True)] = ""
    proxy: Annotated[str, Proxy(_PROXIES)] = ""
    ca_file: Annotated[str, FolderOrFile(optional=True)] = ""


class Websocket(msgspec.Struct, frozen=True, kw_only=True):
    """``[websocket]``: the feeds' sockets: library, reconnects, deadlines and polls."""

    transport: Annotated[str, OneOf(TRANSPORTS)] = "websockets"
    redundancy: Annotated[int, Range(1, 2)] = 1
    retry_first: Annotated[str, Duration("10ms", "10m")] = "1s"
    retry_max: Annotated[str, Duration("10ms", "1h")] = "1m"
    jitter: Annotated[float, Range(0, 1)] = 0.25
    max_attempts: Annotated[int, Range(0, 1_000_000)] = 0
    stale: Annotated[str, Duration("1s", "1d")] = "30s"
    ack_deadline: Annotated[str, Duration("100ms", "10m")] = "10s"
    data_deadline: Annotated[str, Duration("100ms", "1d")] = "30s"
    open_interest_poll: Annotated[str, Duration("1s", "1h")] = "10s"
    silence_market: Annotated[str, Duration("100ms", "1d")] = "5s"
    silence_price: Annotated[str, Duration("100ms", "1d")] = "10s"
    silence_rate: Annotated[str, Duration("100ms", "1d")] = "1m"
    align: bool = True
    backfill: bool = False
    instruments_refresh: Annotated[str, Duration("1s", "7d")] = "15m"
    proxy: Annotated[str, Proxy(_PROXIES)] = ""
    ca_file: Annotated[str, FolderOrFile(optional=True)] = ""
    override: tuple[WebsocketOverride, ...] = ()

    def of(self, exchange: str) -> Websocket:
        """What holds for ``exchange``; the result has no overrides of its own."""
        found = next((override for override in self.override if override.exchange == exchange), None)
        given = {} if found is None else msgspec.structs.asdict(found)
        changes = {key: value for key, value in given.items() if key != "exchange" and value not in ("", None)}
        return msgspec.structs.replace(self, override=(), **changes)

    @property
    def retry_first_ns(self) -> int:
        return parse_duration(self.retry_first)

    @property
    def retry_max_ns(self) -> int:
        return parse_duration(self.retry_max)

    @property
    def stale_ns(self) -> int:
        return parse_duration(self.stale)

    @property
    def ack_deadline_ns(self) -> int:
        return parse_duration(self.ack_deadline)

    @property
    def data_deadline_ns(self) -> int:
        return parse_duration(self.data_deadline)

    @property
    def open_interest_poll_ns(self) -> int:
        return parse_duration(self.open_interest_poll)

    @property
    def silence_market_ns(self) -> int:
        return parse_duration(self.silence_market)

    @property
    def silence_price_ns(self) -> int:
        return parse_duration(self.silence_price)

    @property
    def silence_rate_ns(self) -> int:
        return parse_duration(self.silence_rate)

    @property
    def instruments_refresh_ns(self) -> int:
        return parse_duration(self.instruments_refresh)
