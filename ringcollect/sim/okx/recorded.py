"""A capture of OKX: which channel of what a recorded frame is of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from ringcollect.sim.okx.specs import okx_spec
from ringcollect.sim.okx.venue import OkxVenue
from ringcollect.sim.recording import Line, Part, Placed, RecordedFeed, as_recorded
from ringcollect.sim.scene import Scene

_EVENTS = ("trades", "trades-all", "liquidation-orders")
_NO_INSTRUMENT = ("index-tickers", "liquidation-orders")


class _Arg(msgspec.Struct, rename="camel"):
    channel: str = ""
    inst_id: str = ""
    inst_type: str = ""


class _Frame(msgspec.Struct):
    arg: _Arg = msgspec.field(default_factory=_Arg)
    action: str = ""
    event: str = ""


class OkxSorter:
    """A frame says itself what it is of."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Frame).decode

    def place(self, line: Line) -> Placed | None:
        """Books have actions; of any other channel a frame says everything, if it is no event."""
        if line.d != "in" or line.f == "pong":
            return None
        frame = self._decode(line.f)
        channel, identity = frame.arg.channel, frame.arg.inst_id or frame.arg.inst_type
        if frame.event or not channel:
            return None
        part = Part.EVENT if channel in _EVENTS else Part.CHANGE if frame.action == "update" else Part.WHOLE
        symbol = "" if channel in _NO_INSTRUMENT else identity
        return Placed("", symbol, (f"{channel}:{identity}",), part, as_recorded(line.f))


def recorded_venue(instruments: Iterable[tuple[str, str]], scene: Scene) -> OkxVenue:
    """The venue that knows ``instruments`` (no market, symbol)."""
    feeds: dict[str, Any] = {symbol: RecordedFeed(partial(okx_spec, symbol)) for _, symbol in instruments}
    return OkxVenue((), 0.0, scene, feeds=feeds)
