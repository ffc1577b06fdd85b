"""Candles of one symbol and interval, in exact integers."""

from __future__ import annotations

from ringcollect.sim.fixed import fixed
from ringcollect.sim.specs import SymbolSpec


class Kline:
    """The current bar. Quote volumes are counted in the product of both texts' units."""

    def __init__(self, spec: SymbolSpec, interval: str, length_ns: int, now_ns: int) -> None:
        self.interval = interval
        self._spec = spec
        self._length_ns = length_ns
        self._open(now_ns, 0)

    def _open(self, now_ns: int, tick: int) -> None:
        self.start_ns = now_ns - now_ns % self._length_ns
        self._ticks = [tick] * 4  # open, close, high, low
        self._first = self._last = -1
        self._count = 0
        self._volume = [0, 0]  # all, taker buys: lots
        self._quote = [0, 0]  # the same in tick × lot units

    def add(self, number: int, side: int, tick: int, lots: int) -> None:
        """One trade inside the bar."""
        if self._count == 0:
            self._ticks = [tick] * 4
            self._first = number
        self._last = number
        self._count += 1
        self._ticks = [self._ticks[0], tick, max(self._ticks[2], tick), min(self._ticks[3], tick)]
        for column in (0, 1) if side > 0 else (0,):
            self._volume[column] += lots
            self._quote[column] += lots * tick

    def due(self, now_ns: int) -> bool:
        """Whether the bar is over at ``now_ns``."""
        return now_ns >= self.start_ns + self._length_ns

    def roll(self, now_ns: int) -> None:
        """Start the bar that holds ``now_ns`` at the last price."""
        self._open(now_ns, self._ticks[1])

    def text(self, event_ns: int, closed: bool, unit: int) -> str:
        """The kline frame as of ``event_ns``."""
        spec = self._spec
        open_, close, high, low = (spec.price(tick) for tick in self._ticks)
        volume, taker = (spec.size(lots) for lots in self._volume)
        scale = spec.tick_units * spec.lot_units
        decimals = spec.price_decimals + spec.size_decimals
        quote, taker_quote = (fixed(value * scale, decimals) for value in self._quote)
        end = (self.start_ns + self._length_ns) // unit - 1
        return (
            f'{{"e":"kline","E":{event_ns // unit},"s":"{spec.symbol}","k":{{"t":{self.start_ns // unit},"T":{end},'
            f'"s":"{spec.symbol}","i":"{self.interval}","f":{self._first},"L":{self._last},"o":"{open_}","c":"{close}",'
            f'"h":"{high}","l":"{low}","v":"{volume}","n":{self._count},"x":{"true" if closed else "false"},'
            f'"q":"{quote}","V":"{taker}","Q":"{taker_quote}","B":"0"}}}}'
        )
