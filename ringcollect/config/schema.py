"""The configuration as frozen structs: one struct per section of ``config.toml``, one rule per key.

Durations stay in their text form; every one of them has a property of the same name ending in ``_ns``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from ringcollect.config.archive_section import Archive
from ringcollect.config.feature_options import FeatureName
from ringcollect.config.retention import Retention
from ringcollect.config.row_plan import RowPlan, row_plans
from ringcollect.config.rules import (
    Addresses,
    Duration,
    ExchangeName,
    FolderOrFile,
    Host,
    LowerName,
    Name,
    OneOf,
    Passed,
    PowerOfTwo,
    Range,
    StreamChoice,
    Symbol,
    Url,
)
from ringcollect.config.symbols import is_rule, symbol_key
from ringcollect.config.sync_section import GRID_BOUNDS, Sync
from ringcollect.config.unified import class_of
from ringcollect.config.venues import EVERY_MARKET, EXCHANGES, MARKETS
from ringcollect.config.websocket import Websocket
from ringcollect.durations import parse_duration
from ringcollect.instruments import MAX_INSTRUMENTS
from ringcollect.records import CHANNELS_BY_NAME
from ringcollect.runtime import runtime_dir

MIB = 1 << 20
_PAGE = 4096
PROFILES = ("default", "low-power")
STRATEGIES = ("adaptive", "yield", "spin")

SymbolText = Annotated[str, Symbol()]
ChannelName = Annotated[str, OneOf(tuple(sorted(CHANNELS_BY_NAME)))]
StopBudget = Annotated[float, Range(0.1, 3600)]


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """``[collector]``: this collector as a whole."""

    name: Annotated[str, Name()] = "ringcollect"
    data: Annotated[str, FolderOrFile()] = "data"
    runtime_dir: Annotated[str, FolderOrFile(optional=True)] = ""
    profile: Annotated[str, OneOf(PROFILES)] = "default"
    stop_feeds_s: StopBudget = 10.0
    stop_sync_s: StopBudget = 5.0
    stop_writer_s: StopBudget = 15.0
    stop_archive_s: StopBudget = 30.0


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """``[[markets.override]]``: what is different for some symbols; an empty value changes nothing."""

    symbols: tuple[SymbolText, ...]
    channels: tuple[ChannelName, ...] = ()
    depth: Annotated[int, Range(0, 10_000)] = 0
    grid: Annotated[str, Duration(*GRID_BOUNDS, optional=True)] = ""
    features: tuple[FeatureName, ...] = ()

    @property
    def grid_ns(self) -> int:
        """The grid of these symbols' rows, 0 for that of ``[sync]``."""
        return parse_duration(self.grid) if self.grid else 0


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """``[[markets]]``: what to collect from one market of one exchange."""

    exchange: Annotated[str, ExchangeName(EXCHANGES)]
    market: Annotated[str, OneOf(MARKETS)]
    symbols: tuple[SymbolText, ...]
    channels: tuple[ChannelName, ...] = EVERY_MARKET
    depth: Annotated[int, Range(0, 10_000)] = 0
    top: Annotated[int, Range(0, MAX_INSTRUMENTS)] = 0
    limit: Annotated[int, Range(1, MAX_INSTRUMENTS)] = 500
    book_stream: Annotated[str, StreamChoice()] = ""
    trade_stream: Annotated[str, StreamChoice()] = ""
    url: Annotated[str, Url(("wss", "ws"))] = ""
    rest_url: Annotated[str, Url(("https", "http"))] = ""
    override: tuple[Override, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The symbols that are named one by one."""
        return tuple(symbol for symbol in self.symbols if not is_rule(symbol))

    @property
    def rules(self) -> tuple[str, ...]:
        """The symbols that are named by wildcards."""
        return tuple(symbol for symbol in self.symbols if is_rule(symbol))

    def override_for(self, symbol: str) -> Override | None:
        """The override that names ``symbol`` in any spelling."""
        key = symbol_key(symbol)
        return next((o for o in self.override if key in map(symbol_key, o.symbols)), None)

    def channels_for(self, symbol: str) -> tuple[str, ...]:
        """The channels of ``symbol`` after overrides."""
        override = self.override_for(symbol)
        return override.channels if override and override.channels else self.channels

    def depth_for(self, symbol: str) -> int:
        """Levels per side of the book snapshot of ``symbol``; 0 is the exchange's usual number."""
        override = self.override_for(symbol)
        return override.depth if override and override.depth else self.depth


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """``[ring]``: sizes of the shared-memory rings, per exchange."""

    capacity: Annotated[int, PowerOfTwo(1024, 1 << 24)] = 131_072
    frame_entries: Annotated[int, PowerOfTwo(256, 1 << 22)] = 4096
    frame_bytes: Annotated[int, Range(64 * 1024, 1024 * MIB)] = 4 * MIB
    recording_bytes: Annotated[int, Range(64 * 1024, 1024 * MIB)] = 16 * MIB


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """``[wait]``: how processes wait for their rings."""

    strategy: Annotated[str, OneOf(STRATEGIES)] = "adaptive"
    min: Annotated[str, Duration("50us", "1s")] = "1ms"
    max: Annotated[str, Duration("50us", "1s")] = "20ms"

    @property
    def min_ns(self) -> int:
        return parse_duration(self.min)

    @property
    def max_ns(self) -> int:
        return parse_duration(self.max)


class Storage(msgspec.Struct, frozen=True, kw_only=True):
    """``[storage]``: journals and Parquet."""

    flush: Annotated[str, Duration("10ms", "1m")] = "1s"
    fsync: Annotated[str, OneOf(("flush", "seal", "off"))] = "flush"
    rotate_records: Annotated[int, Range(1000, 100_000_000)] = 1_000_000
    rotate_time: Annotated[str, Duration("1s", "1d")] = "15m"
    zstd_level: Annotated[int, Range(1, 19)] = 4
    record_frames: bool = False
    duplicates: Annotated[str, OneOf(("keep", "drop"))] = "keep"
    recycle: Annotated[str, Duration("1s", "30d", optional=True)] = ""

    @property
    def recycle_ns(self) -> int:
        """How old the journal process gets before it starts anew, 0: as old as the collector."""
        return parse_duration(self.recycle) if self.recycle else 0

    @property
    def flush_ns(self) -> int:
        return parse_duration(self.flush)

    @property
    def rotate_time_ns(self) -> int:
        return parse_duration(self.rotate_time)


class Http(msgspec.Struct, frozen=True, kw_only=True):
    """``[http]``: the supervisor's health and metrics page."""

    enabled: bool = True
    host: Annotated[str, Host()] = "127.0.0.1"
    port: Annotated[int, Range(0, 65_535)] = 9464


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """``[log]``: what is logged, how, and where."""

    level: Annotated[str, OneOf(("debug", "info", "warning", "error"))] = "info"
    format: Annotated[str, OneOf(("json", "pretty"))] = "pretty"
    file: Annotated[str, FolderOrFile(optional=True)] = ""
    retention_days: Annotated[int, Range(1, 3650)] = 1


class Ccxt(msgspec.Struct, frozen=True, kw_only=True):
    """``[[ccxt]]``: what one ccxt class is told, beside the markets of its exchange ``ccxt_<id>``."""

    id: Annotated[str, LowerName()]
    trades_limit: Annotated[int, Range(50, 100_000)] = 1000
    book_limit: Annotated[int, Range(0, 10_000)] = 0
    options: Annotated[dict, Passed()] = {}
    urls: Annotated[dict, Addresses()] = {}


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run is told. Immutable; picklable, so that children get it whole."""

    collector: Collector = Collector()
    markets: tuple[Market, ...] = ()
    ccxt: tuple[Ccxt, ...] = ()
    ring: Ring = Ring()
    wait: Wait = Wait()
    sync: Sync = Sync()
    storage: Storage = Storage()
    archive: Archive = Archive()
    retention: Retention = Retention()
    websocket: Websocket = Websocket()
    http: Http = Http()
    log: Log = Log()

    def exchanges(self) -> list[str]:
        """The configured exchanges, each once, in the order of the file: one feed process each."""
        return list(dict.fromkeys(market.exchange for market in self.markets))

    def markets_of(self, exchange: str) -> tuple[Market, ...]:
        """The entries of one exchange."""
        return tuple(market for market in self.markets if market.exchange == exchange)

    def ccxt_of(self, exchange: str) -> Ccxt:
        """What the ccxt class behind ``exchange`` is told; the defaults where the file says nothing."""
        name = class_of(exchange)
        return next((entry for entry in self.ccxt if entry.id == name), Ccxt(id=name))

    @property
    def frame_ring_bytes(self) -> int:
        """Payload bytes of each frame ring, whole pages. A frame over half of them is cut, and counted.

        A recording that lacks the end of a frame cannot be replayed: its ring holds the largest snapshots there are.
        """
        wanted = self.ring.recording_bytes if self.storage.record_frames else self.ring.frame_bytes
        return -(-wanted // _PAGE) * _PAGE

    def row_plans(self, exchange: str) -> tuple[RowPlan, ...]:
        """The row rings of ``exchange``: that of the first grid of ``[sync]``, then the others, finest first."""
        overrides = [(m.market, override) for m in self.markets_of(exchange) for override in m.override]
        return row_plans(self.sync, overrides)

    def runtime_path(self) -> Path:
        """The folder of rings and control files."""
        return runtime_dir(self.collector.runtime_dir)

    def data_path(self) -> Path:
        """The folder of journals, registry and Parquet, absolute."""
        return Path(self.collector.data).expanduser().absolute()
