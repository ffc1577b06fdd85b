"""A lake with the beginning of a capture, as a live feed would have left it: tables, certificates, registry."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from ringcollect.config import Config
from ringcollect.exchanges import load
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Instrument, Registry
from ringcollect.sources.capture import CaptureReader
from ringcollect.sources.pipeline import Pipeline
from ringcollect.sources.runtime import private_runtime
from ringcollect.sources.stage import ExchangeStage

EXCHANGE, MARKET = "binance", "spot"
TICKS = {"BTCUSDT": 0.01, "ETHUSDT": 0.01}
"""What the exchange's instrument list said, which the capture has not."""


class Lake(NamedTuple):
    """``records``: those of its ring; ``bytes``: of its Parquet files."""

    folder: Path
    records: int
    bytes: int


def config(features: tuple[str, ...] = ("minimal",)) -> Config:
    """The defaults with these features, and no fsync: this is about computing."""
    base = Config()
    chosen = msgspec.structs.replace(base.sync.choice, select=features)
    return msgspec.structs.replace(
        base,
        storage=msgspec.structs.replace(base.storage, fsync="off"),
        sync=msgspec.structs.replace(base.sync, features=chosen),
    )


def filled(folder: Path, capture: Path, events: int | None) -> Lake:
    """Fill ``folder`` with the first ``events`` events of the capture of BTCUSDT and ETHUSDT."""
    registry = folder / "state" / "instruments" / f"{EXCHANGE}.jsonl"
    registry.parent.mkdir(parents=True)
    known = [
        Instrument(
            number=number,
            exchange=EXCHANGE,
            market=MARKET,
            symbol=symbol,
            tick_size=tick,
            base=symbol[:3],
            quote="USDT",
        )
        for number, (symbol, tick) in enumerate(TICKS.items())
    ]
    registry.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in known))
    plan = Plan(exchange=EXCHANGE, markets=(MarketPlan(market=MARKET),), options=Options(discover=True))
    stage: ExchangeStage | None = None
    with private_runtime() as runtime:
        for event in islice(CaptureReader(capture), events):
            if stage is None:
                pipeline = Pipeline(folder, runtime, EXCHANGE, event.ts, config(), raw_only=True)
                session = Session(plan, load(EXCHANGE), Registry(registry, EXCHANGE), pipeline.ring, pipeline.frames)
                session.start(event.ts)
                stage = ExchangeStage(pipeline, session, 0.0)
            stage.take(event)
        assert stage is not None, f"{capture} has no event"
        stage.finish()
        records = int(stage.pipeline.ring.head)
        stage.pipeline.close()
    files = [*folder.glob("raw/**/*.parquet"), *folder.glob("rest/**/*.parquet")]
    return Lake(folder, records, sum(path.stat().st_size for path in files))
