"""The 24 h statistics of one symbol, in exact integers; they begin when the simulation does."""

from __future__ import annotations

from ringcollect.sim.binance.klines import Kline
from ringcollect.sim.fixed import fixed
from ringcollect.sim.specs import SymbolSpec

DAY_NS = 86_400_000_000_000
TOPICS = ("miniTicker", "ticker")
Top = tuple[int, int]


class Day(Kline):
    """A candle that is open for a day; ``last_lots`` is the size of its last trade."""

    def __init__(self, spec: SymbolSpec, now_ns: int) -> None:
        super().__init__(spec, "1d", DAY_NS, now_ns)
        self.start_ns = now_ns
        self.last_lots = 0

    def add(self, number: int, side: int, tick: int, lots: int) -> None:
        """One trade of the day."""
        super().add(number, side, tick, lots)
        self.last_lots = lots

    def mini(self, event_ns: int, unit: int) -> str:
        """The ``miniTicker`` frame as of ``event_ns``."""
        return (
            f'{{"e":"24hrMiniTicker","E":{event_ns // unit},"s":"{self._spec.symbol}","c":"{self._price(1)}",'
            f'"o":"{self._price(0)}","h":"{self._price(2)}","l":"{self._price(3)}",{self._volumes()}}}'
        )

    def full(self, event_ns: int, unit: int, best: tuple[Top, Top] | None) -> str:
        """The ``ticker`` frame as of ``event_ns``; spot has the ``best`` bid and ask in it, USD-M has not."""
        spec, ticks = self._spec, self._ticks
        change = spec.price(ticks[1] - ticks[0])
        percent = fixed((ticks[1] - ticks[0]) * 100_000 // max(1, ticks[0]), 3)
        average = fixed(self._quote[0] * spec.tick_units // max(1, self._volume[0]), spec.price_decimals)
        top = first = ""
        if best is not None:
            bid, ask = best
            top = (
                f'"b":"{spec.price(bid[0])}","B":"{spec.size(bid[1])}",'
                f'"a":"{spec.price(ask[0])}","A":"{spec.size(ask[1])}",'
            )
            first = f'"x":"{self._price(0)}",'
        return (
            f'{{"e":"24hrTicker","E":{event_ns // unit},"s":"{spec.symbol}","p":"{change}","P":"{percent}",'
            f'"w":"{average}",{first}"c":"{self._price(1)}","Q":"{spec.size(self.last_lots)}",{top}'
            f'"o":"{self._price(0)}","h":"{self._price(2)}","l":"{self._price(3)}",{self._volumes()},'
            f'"O":{self.start_ns // unit},"C":{event_ns // unit},"F":{self._first},"L":{self._last},"n":{self._count}}}'
        )

    def _price(self, which: int) -> str:
        return self._spec.price(self._ticks[which])

    def _volumes(self) -> str:
        spec = self._spec
        quote = fixed(
            self._quote[0] * spec.tick_units * spec.lot_units, spec.price_decimals + spec.size_decimals
        )  # fmt: skip
        return f'"v":"{spec.size(self._volume[0])}","q":"{quote}"'
