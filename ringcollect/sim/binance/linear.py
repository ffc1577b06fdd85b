"""What USD-M has that spot has not: pu chains, jumping ids, causes of trades, mark price, liquidations."""

from __future__ import annotations

from functools import partial
from typing import Any

from ringcollect.sim.binance import texts
from ringcollect.sim.binance.depth import DepthEvent
from ringcollect.sim.binance.feed import MILLISECOND, Snapshot, SymbolFeed, Trade
from ringcollect.sim.fixed import fixed
from ringcollect.sim.market import SECOND, Event

FUNDING_NS = 8 * 3600 * SECOND
_MARK_DECIMALS = 8
_BURNT_IDS = 0.01  # share of trades followed by a frame that is no trade but spends an id


class LinearFeed(SymbolFeed):
    """One USD-M perpetual."""

    market = "linear"
    contiguous_depth = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.open_interest_lots = self.spec.median_lots * 1_000_000
        self._lower = self.spec.symbol.lower()
        self._premium = 0.0
        self._average = self._index()
        self._liquidation: tuple[int, int, int, str, int] | None = None  # lots, side, tick, average, time
        self._every(100 * MILLISECOND, self._flush_aggregate)
        self._every(SECOND, self._each_second)

    def steady_frames_per_s(self) -> float:
        return 11.0

    def _id_step(self) -> int:
        """The engine's ids are shared by all symbols: they jump."""
        return 1 + int(self.rng.random() * 12)

    def _after_event(self, event: Event, now_ns: int) -> None:
        if event.fills:
            lots = sum(fill.lots for fill in event.fills)
            self.open_interest_lots += lots if self.rng.random() < 0.5 else -(lots // 2)
            if self.rng.random() < _BURNT_IDS:
                self._burn_id(event, now_ns)
        if event.liquidation:
            self._note_liquidation(event, now_ns)
        if "depth@0ms" in self._running:
            self._flush_depth("depth@0ms", now_ns)

    def _burn_id(self, event: Event, now_ns: int) -> None:
        """Frames with X other than MARKET: most without price and size, some of the insurance fund."""
        self._flush_aggregate(now_ns)
        self.trade_id += 1
        self.frames += 1
        fill = event.fills[-1]
        cause, price, size = "NA", "0", "0"
        if self.rng.random() < 0.2:
            cause, price, size = "INSURANCE_FUND", self.spec.price(fill.tick), self.spec.size(fill.lots)
        if self._truth.wanted:
            self._truth.line(
                "trade", t=now_ns, m=self.market, s=self.spec.symbol, id=self.trade_id,
                p=price, q=size, side=fill.side, x=cause,
            )  # fmt: skip
        if self._hub.wanted(self._stream["trade"]):
            number, spec, side = self.trade_id, self.spec, fill.side
            self._hub.publish(
                self._stream["trade"],
                number,
                now_ns,
                lambda unit: texts.linear_trade(spec, now_ns, now_ns, number, price, size, cause, side, unit),
            )

    def _trade_text(self, trade: Trade, unit: int) -> str:
        spec = self.spec
        return texts.linear_trade(
            spec, self._event_ns(trade), trade.time_ns, trade.number, spec.price(trade.tick), spec.size(trade.lots),
            "MARKET", trade.side, unit,
        )  # fmt: skip

    def _ticker_text(self, unit: int) -> str:
        bid, ask = self.model.bids.top(1)[0], self.model.asks.top(1)[0]
        now_ns = self.last_event_ns
        return texts.linear_ticker(self.spec, self.update_id, bid, ask, now_ns + 400_000, now_ns, unit)

    def _depth_text(self, event: DepthEvent, now_ns: int, unit: int) -> str:
        return texts.linear_depth(
            self.spec, now_ns, self.last_event_ns, event.first, event.last, event.previous, event.bids, event.asks, unit
        )

    def _partial_text(self, book: Snapshot, now_ns: int, unit: int) -> str:
        """A partial depth frame looks like a diff: only the stream's name tells."""
        last = book.last_id
        return texts.linear_depth(self.spec, now_ns, book.time_ns, last, last, last - 1, book.bids, book.asks, unit)

    def _note_liquidation(self, event: Event, now_ns: int) -> None:
        lots = sum(fill.lots for fill in event.fills)
        if self._liquidation is None or lots > self._liquidation[0]:
            value = sum(fill.lots * fill.tick for fill in event.fills) * self.spec.tick_units
            average = fixed(value // lots, self.spec.price_decimals)
            last = event.fills[-1]
            self._liquidation = (lots, last.side, last.tick, average, now_ns)

    def _each_second(self, now_ns: int) -> None:
        self._premium += -0.05 * self._premium + 0.3 * self.rng.gauss(0, 1)
        self._average += (self._mark() - self._average) // 30
        self.frames += 1
        second = now_ns // SECOND
        for stream, due in ((f"{self._lower}@markPrice@1s", True), (f"{self._lower}@markPrice", second % 3 == 0)):
            if due and self._hub.wanted(stream):
                self._hub.publish(stream, second, now_ns, partial(self.mark_text, now_ns))
        if self._liquidation is not None:
            lots, side, tick, average, at_ns = self._liquidation
            self._liquidation = None
            spec = self.spec
            for stream in (f"{self._lower}@forceOrder", "!forceOrder@arr"):
                self._hub.publish(
                    stream,
                    second,
                    now_ns,
                    lambda unit: texts.force_order(spec, now_ns, at_ns, side, tick, average, lots, unit),
                )

    def mark_text(self, now_ns: int, unit: int) -> str:
        """The markPriceUpdate frame of this symbol."""
        mark, average, index, settle, rate = self.marks()
        return texts.mark_price(
            self.spec.symbol, now_ns, mark, average, index, settle, rate, next_funding(now_ns), unit
        )

    def marks(self) -> tuple[str, str, str, str, str]:
        """Mark price, its moving average, index price, estimated settle price, funding rate: exact texts."""
        index = self._index()
        rate = 10_000 + int(self._premium * 3_000)
        return (
            fixed(self._mark(), _MARK_DECIMALS),
            fixed(self._average, _MARK_DECIMALS),
            fixed(index, _MARK_DECIMALS),
            fixed(index + 2_600_000, _MARK_DECIMALS),
            fixed(rate, _MARK_DECIMALS),
        )

    def _index(self) -> int:
        """The index in 1e-8: near the model's fair price, off the tick grid as real ones are."""
        return int(self.model.fair * self.spec.tick_units * 10 ** (_MARK_DECIMALS - self.spec.price_decimals))

    def _mark(self) -> int:
        scale = 10 ** (_MARK_DECIMALS - self.spec.price_decimals)
        return self._index() + int(self._premium * self.spec.tick_units * scale * 3)


def next_funding(now_ns: int) -> int:
    """The next settlement, a multiple of eight hours UTC (ns)."""
    return (now_ns // FUNDING_NS + 1) * FUNDING_NS
