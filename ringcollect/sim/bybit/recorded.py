"""A capture of Bybit: which topic of which category a recorded frame is of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ringcollect.sim.bybit.specs import bybit_spec
from ringcollect.sim.bybit.venue import MARKETS, BybitVenue
from ringcollect.sim.recording import Line, Part, Placed, RecordedFeed, as_recorded
from ringcollect.sim.scene import Scene


class _Frame(msgspec.Struct):
    topic: str = ""
    type: str = ""


class BybitSorter:
    """The category is that of the connection's path; without one, linear."""

    def __init__(self) -> None:
        self._markets: dict[int, str] = {}
        self._decode = msgspec.json.Decoder(_Frame).decode

    def place(self, line: Line) -> Placed | None:
        """A book and a ticker begin with a snapshot; prints and liquidations do, too, and have none."""
        if line.u and (market := urlsplit(line.u).path.rpartition("/")[2]) in MARKETS:
            self._markets[line.c] = market
        frame = self._decode(line.f) if line.d == "in" else _Frame()
        if not frame.topic:
            return None
        name, _, symbol = frame.topic.rpartition(".")
        market = self._markets.get(line.c, "linear")
        keeps = name == "tickers" or name.startswith("orderbook.")
        part = Part.EVENT if not keeps else Part.WHOLE if frame.type == "snapshot" else Part.CHANGE
        return Placed(market, symbol, (f"{market}:{frame.topic}",), part, as_recorded(line.f))


def recorded_venue(instruments: Iterable[tuple[str, str]], scene: Scene) -> BybitVenue:
    """The venue that knows ``instruments`` (market, symbol)."""
    feeds: dict[tuple[str, str], Any] = {one: RecordedFeed(partial(bybit_spec, *one)) for one in instruments}
    return BybitVenue({}, 0.0, scene, feeds=feeds)
