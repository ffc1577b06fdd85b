"""A capture of Kraken spot v2: which channel of which pair a recorded frame is of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from ringcollect.sim.kraken.feed import DEPTHS, kraken_spec
from ringcollect.sim.kraken.venue import KrakenVenue
from ringcollect.sim.recording import Line, Part, Placed, RecordedFeed, as_recorded
from ringcollect.sim.scene import Scene


class _About(msgspec.Struct):
    channel: str = ""
    symbol: str = ""
    depth: int = DEPTHS[0]


class _Frame(msgspec.Struct):
    channel: str = ""
    type: str = ""
    method: str = ""
    result: _About = msgspec.field(default_factory=_About)
    data: msgspec.Raw = msgspec.Raw(b"[]")


class KrakenSorter:
    """No frame of a book says its depth: the answer to the subscription did."""

    def __init__(self) -> None:
        self._depths: dict[tuple[int, str], int] = {}
        self._decode = msgspec.json.Decoder(_Frame).decode
        self._items = msgspec.json.Decoder(list[_About]).decode

    def place(self, line: Line) -> Placed | None:
        """What comes first is a snapshot; that of the prints is history."""
        if line.d != "in":
            return None
        frame = self._decode(line.f)
        if frame.method == "subscribe" and frame.result.channel == "book":
            self._depths[line.c, frame.result.symbol] = frame.result.depth
        if frame.channel not in ("book", "trade", "ticker"):
            return None
        symbol = self._items(frame.data)[0].symbol
        stream = f"{frame.channel}:{symbol}"
        if frame.channel == "book":
            stream = f"book-{self._depths.get((line.c, symbol), DEPTHS[0])}:{symbol}"
        part = Part.CHANGE if frame.channel == "book" and frame.type == "update" else Part.WHOLE
        return Placed("", symbol, (stream,), Part.EVENT if frame.channel == "trade" else part, as_recorded(line.f))


def recorded_venue(instruments: Iterable[tuple[str, str]], scene: Scene) -> KrakenVenue:
    """The venue that knows ``instruments`` (no market, symbol)."""
    feeds: dict[str, Any] = {symbol: RecordedFeed(partial(kraken_spec, symbol)) for _, symbol in instruments}
    return KrakenVenue((), 0.0, scene, feeds=feeds)
