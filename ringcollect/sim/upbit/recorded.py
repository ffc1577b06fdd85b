"""A capture of Upbit: which stream of which market a recorded frame is of, in the format that a peer asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any

import msgspec

from ringcollect.sim.recording import Line, Part, Placed, RecordedFeed
from ringcollect.sim.scene import Scene
from ringcollect.sim.upbit.feed import UNITS, expanded, simple, spelled, unspelled, upbit_spec
from ringcollect.sim.upbit.venue import DEFAULT, SIMPLE, UpbitVenue


class _Frame(msgspec.Struct):
    type: str = ""
    ty: str = ""
    code: str = ""
    cd: str = ""


class UpbitSorter:
    """A frame says itself what it is of; not how many units of a book were asked for: it serves all."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Frame).decode

    def place(self, line: Line) -> Placed | None:
        """Every book is whole."""
        frame = self._decode(line.f) if line.d == "in" else _Frame()
        kind, code = frame.type or frame.ty, frame.code or frame.cd
        text = partial(_in_format, line.f, SIMPLE if frame.ty else DEFAULT)
        if kind == "trade":
            return Placed("", code, (f"trade:{code}",), Part.EVENT, text)
        if kind == "orderbook":
            return Placed("", code, tuple(f"orderbook:{code}.{units}" for units in UNITS), Part.WHOLE, text)
        return None


@lru_cache(maxsize=64)
def _in_format(text: str, recorded: int, asked: int) -> str:
    """The exact text in the format it was recorded in; in the other the same numbers under other names."""
    if asked == recorded:
        return text
    return spelled((expanded if recorded == SIMPLE else simple)(unspelled(text)))


def recorded_venue(instruments: Iterable[tuple[str, str]], scene: Scene) -> UpbitVenue:
    """The venue that knows ``instruments`` (no market, symbol)."""
    feeds: dict[str, Any] = {symbol: RecordedFeed(partial(upbit_spec, symbol)) for _, symbol in instruments}
    return UpbitVenue((), 0.0, scene, feeds=feeds)
