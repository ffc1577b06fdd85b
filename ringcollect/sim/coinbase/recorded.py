"""A capture of either Coinbase feed: which channel of which product a recorded frame is of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from typing import Any

import msgspec

from ringcollect.sim.coinbase import texts
from ringcollect.sim.coinbase.feed import coinbase_spec
from ringcollect.sim.coinbase.venue import CoinbaseVenue
from ringcollect.sim.hub import Text
from ringcollect.sim.recording import Line, Part, Placed, RecordedFeed, as_recorded
from ringcollect.sim.scene import Scene

_ADVANCED = {"l2_data": "level2", "market_trades": "market_trades", "ticker": "ticker"}
_EXCHANGE = {
    "snapshot": "level2_batch", "l2update": "level2_batch", "match": "matches", "last_match": "matches",
    "ticker": "ticker",
}  # fmt: skip
_NUMBER = re.compile(r'"sequence_num"\s*:\s*[0-9]+')


class _Row(msgspec.Struct):
    product_id: str = ""


class _Event(msgspec.Struct):
    type: str = ""
    product_id: str = ""
    trades: list[_Row] = []
    tickers: list[_Row] = []


class _Frame(msgspec.Struct):
    channel: str = ""
    type: str = ""
    product_id: str = ""
    events: list[_Event] = []


class CoinbaseSorter:
    """Frames of Advanced Trade are numbered anew: the answers of this connection are among them."""

    def __init__(self) -> None:
        self._decode = msgspec.json.Decoder(_Frame).decode

    def place(self, line: Line) -> Placed | None:
        """A frame of several products goes to whom the first of them goes."""
        frame = self._decode(line.f) if line.d == "in" else _Frame()
        if frame.channel in _ADVANCED and frame.events:
            event = frame.events[0]
            product = event.product_id or next((row.product_id for row in (*event.trades, *event.tickers)), "")
            channel = _ADVANCED[frame.channel]
            text = as_recorded(_NUMBER.sub(texts.NUMBER, line.f, count=1))
            whole = event.type == "snapshot" or channel == "ticker"
            return _placed("advanced", channel, product, text, whole=whole)
        if frame.type in _EXCHANGE:
            whole = frame.type in ("snapshot", "ticker")
            return _placed("exchange", _EXCHANGE[frame.type], frame.product_id, as_recorded(line.f), whole=whole)
        return None


def _placed(leg: str, channel: str, product: str, text: Text, *, whole: bool) -> Placed:
    events = channel in ("market_trades", "matches")
    part = Part.EVENT if events else Part.WHOLE if whole else Part.CHANGE
    return Placed("", product, (f"{leg}:{channel}:{product}",), part, text)


class _RecordedProduct(RecordedFeed):
    """The Exchange feed has a heartbeat for each product, which the venue beats."""

    def heartbeat(self, now_ns: int) -> str:
        return texts.heartbeat(self.spec.symbol, 0, now_ns)


def recorded_venue(instruments: Iterable[tuple[str, str]], scene: Scene) -> CoinbaseVenue:
    """The venue that knows ``instruments`` (no market, symbol)."""
    feeds: dict[str, Any] = {symbol: _RecordedProduct(partial(coinbase_spec, symbol)) for _, symbol in instruments}
    return CoinbaseVenue((), 0.0, scene, feeds=feeds)
