"""A capture through the whole pipeline in one process: the session that runs live, with the capture's time as clock.

Deterministic: the lake's files are a pure function of the capture and the configuration, whatever the speed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ringcollect.errors import ConfigError
from ringcollect.exchanges import NAMES, load
from ringcollect.exchanges.protocol import Exchange
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.events import Event, EventKind
from ringcollect.sources.pipeline import Pipeline
from ringcollect.sources.report import ReplayReport
from ringcollect.sources.runtime import private_runtime
from ringcollect.sources.stage import PROGRESS_EVENTS, ExchangeStage, Settings


def replay(path: Path, settings: Settings) -> ReplayReport:
    """Replay the capture ``path`` into the lake ``settings.data``.

    Raises NotFoundError without such a file, ConfigError where neither the capture nor the settings say which
    exchange and market a connection belongs to, EnvironmentRefused and OSError where the host refuses.
    """
    begun = time.perf_counter()
    reader = CaptureReader(path)
    with private_runtime() as runtime:
        router = Router(runtime, settings)
        try:
            events = _run(reader, router, settings)
            for stage in router.stages.values():
                stage.finish()
            return ReplayReport(
                source=str(path),
                events=events,
                bad_lines=reader.rejected,
                errors=tuple(reader.errors),
                foreign=router.foreign,
                seconds=time.perf_counter() - begun,
                exchanges=tuple(stage.report() for stage in router.stages.values()),
            )
        finally:
            for stage in router.stages.values():
                stage.pipeline.close()


def _run(reader: CaptureReader, router: Router, settings: Settings) -> int:
    """Give every event to the exchange it belongs to; returns how many there were."""
    events = 0
    clock = time.perf_counter_ns
    before = clock()
    for event in reader:
        events += 1
        if events % PROGRESS_EVENTS == 0:
            settings.progress(reader.path.name, reader.fraction, events)
        stage = router.stage_of(event, reader)
        read = clock()
        if stage is not None:
            stage.read_ns += read - before
            stage.take(event)
        before = clock()
        if stage is not None:
            stage.live_ns += before - read
    return events


class Router:
    """Which exchange an event belongs to: by the URL of its connection, else by the flags."""

    def __init__(self, runtime: Path, settings: Settings) -> None:
        self.stages: dict[str, ExchangeStage] = {}
        self.foreign = 0
        self._runtime = runtime
        self._settings = settings
        self._exchanges: dict[str, Exchange] = {name: load(name) for name in NAMES}
        self._of_conn: dict[int, ExchangeStage | None] = {}
        if settings.exchange:
            _check_market(load(settings.exchange), settings.market)

    def stage_of(self, event: Event, reader: CaptureReader) -> ExchangeStage | None:
        """The exchange of ``event``; None for one that belongs to none of ours."""
        kind = event.kind
        if kind is EventKind.REST:
            return self._stage(self._by(event.url, lambda e: e.read_rest(event.url)), event.ts)
        if kind is EventKind.OPEN and event.url:
            stage = self._stage(self._by(event.url, lambda e: e.read_url(event.url)), event.ts)
            self._of_conn[event.conn] = stage
            return stage
        if event.conn in self._of_conn:
            stage = self._of_conn[event.conn]
            self.foreign += stage is None
            return stage
        if not self._settings.exchange:
            raise ConfigError(
                f"{reader.path}:{reader.lines}: nothing says where connection {event.conn} leads to; "
                f"give --exchange ({', '.join(self._exchanges)}) and --market"
            )
        stage = self._of_conn[event.conn] = self._stage(self._settings.exchange, event.ts)
        return stage

    def _by(self, url: str, reads: Callable[[Exchange], object]) -> str:
        for name, exchange in self._exchanges.items():
            if reads(exchange) is not None:
                return name
        self.foreign += 1
        return ""

    def _stage(self, name: str, ts: int) -> ExchangeStage | None:
        if not name:
            return None
        if name not in self.stages:
            self.stages[name] = self._begin(name, ts)
        return self.stages[name]

    def _begin(self, name: str, ts: int) -> ExchangeStage:
        settings, exchange = self._settings, self._exchanges[name]
        pipeline = Pipeline(
            settings.data, self._runtime, name, ts, settings.config, raw_only=settings.raw_only
        )  # fmt: skip
        market = settings.market if settings.exchange == name else exchange.markets[0]
        options = Options(discover=True, max_future_skew_ns=settings.config.sync.max_future_skew_ns)
        plan = Plan(exchange=name, markets=(MarketPlan(market=market),), options=options)
        session = Session(plan, exchange, Registry(None, name), pipeline.ring, pipeline.frames)
        session.start(ts)
        return ExchangeStage(pipeline, session, settings.speed)


def _check_market(exchange: Exchange, market: str) -> None:
    if market not in exchange.markets:
        raise ConfigError(
            f"{exchange.name} needs --market: one of {', '.join(exchange.markets)}"
            + (f", not {market!r}" if market else "")
        )
