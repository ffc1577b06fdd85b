"""A session that only looks on, as in a replay: any exchange, any number of connections, with its kernel or without."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson

from ringcollect.exchanges import load
from ringcollect.exchanges.hot import no_kernel
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import MarketPlan, Options, Plan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import Kind
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer

T0 = 1_790_134_743_000_000_000
MS = 1_000_000


class Onlooker:
    """``urls``: connection -> the URL it was opened with. ``kernel`` False sends every frame the typed way."""

    def __init__(
        self, folder: Path, exchange: str, market: str, urls: dict[int, str], *, kernel: bool = True, **options: Any
    ) -> None:
        module: Any = load(exchange)
        venue: Any = SimpleNamespace(**{name: getattr(module, name) for name in module.__all__})
        if not kernel:
            venue.on_hot_frames = no_kernel
        self.ring = Producer.open(
            folder, f"{exchange}.rec", capacity=1 << 14, generation=T0, counters=FEED_COUNTERS, ledger_rows=64
        )  # fmt: skip
        plan = Plan(exchange=exchange, markets=(MarketPlan(market=market),), options=Options(discover=True, **options))
        self.session = Session(plan, venue, Registry(None, exchange), self.ring)
        self.now = T0
        self.session.start(self.now)
        for conn, url in urls.items():
            self.session.open(conn, url, self.now)

    def frame(self, payload: dict[str, Any] | bytes, conn: int = 0, after_ms: float = 1.0) -> None:
        self.now += round(after_ms * MS)
        raw = payload if isinstance(payload, bytes) else orjson.dumps(payload)
        self.session.frame(conn, raw, self.now)

    def data(self, *kinds: Kind) -> np.ndarray:
        reader = attach(self.ring.path)
        reader.cursor = 0
        records = reader.read(1 << 14).records
        return records[np.isin(records["kind"], kinds)] if kinds else records[records["kind"] != Kind.STATUS]

    def row(self, channel: int, instrument: int = 0) -> np.ndarray:
        rows = self.ring.ledger.rows()
        [row] = rows[(rows["instrument"] == instrument) & (rows["channel"] == channel)]
        return row

    def counter(self, name: str) -> int:
        return self.ring.counters[name]

    def close(self) -> None:
        self.ring.close()
