"""A capture of Kraken Futures: which feed of which product a recorded frame is of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from ringcollect.sim.kraken_futures.specs import kraken_futures_spec
from ringcollect.sim.kraken_futures.venue import KrakenFuturesVenue
from ringcollect.sim.recording import Line, Part, Placed, RecordedFeed, as_recorded
from ringcollect.sim.scene import Scene

_PARTS = {
    "book_snapshot": Part.WHOLE, "book": Part.CHANGE, "trade_snapshot": Part.EVENT, "trade": Part.EVENT,
    "ticker": Part.WHOLE, "ticker_lite": Part.WHOLE,
}  # fmt: skip


class _Frame(msgspec.Struct):
    feed: str = ""
    product_id: str = ""
    event: str = ""


class KrakenFuturesSorter:
    """A frame says itself what it is of; what comes first has a name of its own."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Frame).decode

    def place(self, line: Line) -> Placed | None:
        """Where a frame goes."""
        frame = self._decode(line.f) if line.d == "in" else _Frame()
        part = _PARTS.get(frame.feed)
        if part is None or frame.event:
            return None
        product = frame.product_id.upper()
        stream = f"{frame.feed.removesuffix('_snapshot')}:{product}"
        return Placed("", product, (stream,), part, as_recorded(line.f))


def recorded_venue(instruments: Iterable[tuple[str, str]], scene: Scene) -> KrakenFuturesVenue:
    """The venue that knows ``instruments`` (no market, symbol)."""
    feeds: dict[str, Any] = {symbol: RecordedFeed(partial(kraken_futures_spec, symbol)) for _, symbol in instruments}
    return KrakenFuturesVenue((), 0.0, scene, feeds=feeds)
