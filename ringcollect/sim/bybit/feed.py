"""One Bybit instrument: its order book model turned into topics."""

from __future__ import annotations

import uuid
from random import Random
from typing import Any

from ringcollect.sim.bybit import texts
from ringcollect.sim.bybit.specs import bybit_spec
from ringcollect.sim.bybit.texts import MILLISECOND, Level
from ringcollect.sim.day import Day
from ringcollect.sim.fixed import fixed, trimmed
from ringcollect.sim.hub import Hub
from ringcollect.sim.market import SECOND, Event, SymbolMarket
from ringcollect.sim.scene import Scene

INTERVALS = {50: 20 * MILLISECOND, 200: 100 * MILLISECOND, 1000: 200 * MILLISECOND}
_SAME_AGAIN_NS = 3 * SECOND
_FUNDING_NS = 8 * 3600 * SECOND
_RPI_SHARE = 0.02
_BLOCK_SHARE = 0.005


class _Shown:
    """What one depth's topic has told so far: its levels by side, and its count of updates."""

    def __init__(self, update: int) -> None:
        self.update = update
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}


class BybitFeed:
    """``market`` is the category; ids and prices are a function of the scene's seed."""

    def __init__(self, market: str, symbol: str, frames_per_s: float, hub: Hub, scene: Scene) -> None:
        self.market = market
        self.spec = bybit_spec(market, symbol)
        self.frames = 0
        self.model = SymbolMarket(self.spec, Random(f"{scene.seed}/bybit/{market}/{symbol}"), frames_per_s)
        self._rng = Random(f"{scene.seed}/bybit/{market}/{symbol}/wire")
        self._hub, self._scene = hub, scene
        self._sequence = scene.start_ns // MILLISECOND
        self._trade_id = 2_280_000_000_000_000_000 + scene.start_ns // SECOND
        self._last_match_ns = scene.start_ns
        self._shown: dict[int, _Shown] = {}
        self._best: tuple[list[Level], list[Level]] = ([], [])
        self._best_update = scene.start_ns // MILLISECOND
        self._best_ns = 0
        self._day = Day(self.spec)
        self._ticker: dict[str, str] = {}
        self._forced: list[dict[str, Any]] = []
        self._interest = self.spec.median_lots * 1_000_000
        scene.scheduler.add(self.model.next_ns, self._order)
        self._every(10 * MILLISECOND, self._push_best)
        self._every((50 if market == "spot" else 100) * MILLISECOND, self._push_ticker)
        if market != "spot":
            self._every(500 * MILLISECOND, self._push_forced)

    def has(self, topic: str) -> bool:
        """Whether this instrument has a topic of that name (without its symbol)."""
        depths = {f"orderbook.{depth}" for depth in (1, *INTERVALS)}
        derivatives = {"allLiquidation"} if self.market != "spot" else set()
        return topic in depths | derivatives | {"publicTrade", "tickers"}

    def first(self, topic: str, now_ns: int) -> str:
        """What the venue sends at once on subscribing; "" for nothing."""
        if topic == "tickers":
            self._ticker = self._ticker or self._ticker_fields(now_ns)
            return texts.ticker(self.market, self.spec.symbol, "snapshot", self._ticker, self._sequence, now_ns)
        name, _, depth = topic.partition(".")
        if name != "orderbook":
            return ""
        if depth == "1":
            self._best = self._best_sides()
            return self._best_text(now_ns)
        return self._snapshot_text(int(depth), now_ns)

    def restart(self, now_ns: int) -> None:
        """The venue's service restarts: a snapshot nobody asked for, with ``u`` 1, in every book topic."""
        for depth, shown in self._shown.items():
            shown.update = 1
            self._tell(f"orderbook.{depth}", now_ns, self._snapshot_text(depth, now_ns))

    def skip(self, depth: int) -> None:
        """An update that nobody gets."""
        self._shown[depth].update += 1

    def book(self, depth: int) -> tuple[list[Level], list[Level]]:
        """The levels of a depth as its topic has told them, best first."""
        shown = self._shown[depth]
        bids = [self._level(*one) for one in sorted(shown.sides[1].items(), reverse=True)]
        return bids, [self._level(*one) for one in sorted(shown.sides[-1].items())]

    def finish(self) -> None:
        """Push what is held back."""
        now_ns = self._scene.start_ns + self._scene.scheduler.now_ns
        for depth in self._shown:
            self._push_book(depth, now_ns)

    def note_books(self) -> None:
        """The books as told, for the truth file."""
        for depth, shown in self._shown.items():
            bids, asks = self.book(depth)
            self._scene.truth.line(
                "book", m=self.market, s=self.spec.symbol, depth=depth, u=shown.update, bids=bids, asks=asks
            )

    def _every(self, interval_ns: int, tell: Any) -> None:
        start_ns, scheduler = self._scene.start_ns, self._scene.scheduler

        def job(due_ns: int) -> int:
            tell(start_ns + due_ns)
            return due_ns + interval_ns

        scheduler.add(scheduler.now_ns // interval_ns * interval_ns + interval_ns, job)

    def _tell(self, topic: str, now_ns: int, text: str) -> None:
        self.frames += 1
        self._hub.publish(f"{self.market}:{topic}.{self.spec.symbol}", self.frames, now_ns, lambda _unit: text)

    def _level(self, tick: int, lots: int) -> Level:
        spec = self.spec
        write = trimmed if self.market == "spot" else fixed
        size = write(lots * spec.lot_units, spec.size_decimals) if lots else "0"
        return write(tick * spec.tick_units, spec.price_decimals), size

    def _top(self, depth: int) -> dict[int, dict[int, int]]:
        return {1: dict(self.model.bids.top(depth)), -1: dict(self.model.asks.top(depth))}

    def _snapshot_text(self, depth: int, now_ns: int) -> str:
        if depth not in self._shown:
            shown = self._shown[depth] = _Shown(self._scene.start_ns // MILLISECOND)
            shown.sides = self._top(depth)
            self._every(INTERVALS[depth], lambda at_ns: self._push_book(depth, at_ns))
        return self._book_text(depth, self.book(depth), "snapshot", now_ns)

    def _push_book(self, depth: int, now_ns: int) -> None:
        """What changed among the best levels: what falls out of the depth is removed, as the venue does it."""
        shown, now = self._shown[depth], self._top(depth)
        sides: list[list[Level]] = []
        for side in (1, -1):
            before, after = shown.sides[side], now[side]
            changed = {tick: lots for tick, lots in after.items() if before.get(tick) != lots}
            changed |= {tick: 0 for tick in before if tick not in after}
            sides.append([self._level(*one) for one in sorted(changed.items(), reverse=side > 0)])
        shown.sides = now
        if sides[0] or sides[1]:
            shown.update += 1
            self._tell(f"orderbook.{depth}", now_ns, self._book_text(depth, (sides[0], sides[1]), "delta", now_ns))

    def _book_text(self, depth: int, sides: tuple[list[Level], list[Level]], kind: str, now_ns: int) -> str:
        topic = f"orderbook.{depth}.{self.spec.symbol}"
        update = self._shown[depth].update
        return texts.book(
            self.market, topic, self.spec.symbol, sides, update, self._sequence, kind, self._last_match_ns, now_ns
        )

    def _best_sides(self) -> tuple[list[Level], list[Level]]:
        bid, ask = (self._level(*side.top(1)[0]) for side in (self.model.bids, self.model.asks))
        return [bid], [ask]

    def _push_best(self, now_ns: int) -> None:
        """Snapshots only; unchanged for 3 s, the same one again with the same ``u``."""
        if not self._hub.wanted(f"{self.market}:orderbook.1.{self.spec.symbol}"):
            return
        best = self._best_sides()
        if best != self._best:
            self._best = best
            self._best_update += 1
        elif now_ns - self._best_ns < _SAME_AGAIN_NS:
            return
        self._tell("orderbook.1", now_ns, self._best_text(now_ns))

    def _best_text(self, now_ns: int) -> str:
        self._best_ns = now_ns
        symbol = self.spec.symbol
        return texts.book(
            self.market, f"orderbook.1.{symbol}", symbol, self._best, self._best_update, self._sequence, "snapshot",
            self._last_match_ns, now_ns,
        )  # fmt: skip

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        if event.changed:
            now_ns = self._last_match_ns = self._scene.start_ns + event.time_ns
            self._sequence += 1 + int(self._rng.random() * 20)
            self._tell_trades(event, now_ns)
            if event.liquidation and event.fills and self.market != "spot":
                self._note_forced(event, now_ns)
        return self.model.next_ns

    def _tell_trades(self, event: Event, now_ns: int) -> None:
        """The fills of one taker order in one frame, or in two that share their ``seq``."""
        self._day.add(event.fills)
        rows = [self._trade(fill.side, *self._level(fill.tick, fill.lots), now_ns) for fill in event.fills]
        half = len(rows) // 2 if len(rows) > 2 and self._rng.random() < 0.5 else 0
        for part in (rows[:half], rows[half:]):
            if part:
                self._tell(
                    "publicTrade", now_ns, texts.trades(self.market, self.spec.symbol, part, now_ns + MILLISECOND)
                )

    def _trade(self, side: int, price: str, size: str, now_ns: int) -> dict[str, Any]:
        self._trade_id += 1 + int(self._rng.random() * 3)
        identity = str(self._trade_id)
        chance = self._rng.random()
        block, rpi = chance < _BLOCK_SHARE, _BLOCK_SHARE <= chance < _BLOCK_SHARE + _RPI_SHARE
        taker = "Buy" if side > 0 else "Sell"
        rest = {"seq": self._sequence, "s": self.spec.symbol, "BT": block, "RPI": rpi}
        ms = now_ns // MILLISECOND
        if self.market == "spot":
            row = {"i": identity, "T": ms, "p": price, "v": size, "S": taker} | rest
        else:
            identity = str(uuid.UUID(int=self._rng.getrandbits(128)))
            row = {
                "T": ms,
                "s": self.spec.symbol,
                "S": taker,
                "v": size,
                "p": price,
                "L": "PlusTick",
                "i": identity,
            } | rest
        self._scene.truth.line(
            "trade", t=now_ns, m=self.market, s=self.spec.symbol, id=identity, p=price, q=size, side=side,
            x="block" if block else "rpi" if rpi else "",
        )  # fmt: skip
        return row

    def _note_forced(self, event: Event, now_ns: int) -> None:
        """A forced buy closes a short: ``S`` is the position's side."""
        last = event.fills[-1]
        price, size = self._level(last.tick, sum(fill.lots for fill in event.fills))
        row = {"T": now_ns // MILLISECOND, "s": self.spec.symbol, "S": "Sell" if last.side > 0 else "Buy"}
        self._forced.append(row | {"v": size, "p": price})
        self._scene.truth.line(
            "liquidation", t=now_ns, m=self.market, s=self.spec.symbol, p=price, q=size, side=last.side
        )

    def _push_forced(self, now_ns: int) -> None:
        if self._forced:
            rows, self._forced = self._forced, []
            self._tell("allLiquidation", now_ns, texts.liquidations(self.spec.symbol, rows, now_ns))

    def _push_ticker(self, now_ns: int) -> None:
        """What changed since the last one (spot: all of it); nothing when nothing did."""
        if not self._hub.wanted(f"{self.market}:tickers.{self.spec.symbol}"):
            return
        fields = self._ticker_fields(now_ns)
        news = {name: value for name, value in fields.items() if self._ticker.get(name) != value}
        self._ticker = fields
        if news:
            kind, told = ("snapshot", fields) if self.market == "spot" else ("delta", news)
            text = texts.ticker(self.market, self.spec.symbol, kind, told, self._sequence, now_ns)
            self._tell("tickers", now_ns, text)

    def _ticker_fields(self, now_ns: int) -> dict[str, str]:
        """Of an inverse contract the volume is in dollars and the turnover in coins; spot has statistics alone."""
        spec = self.spec
        day = self._day.statistics(trimmed if self.market == "spot" else fixed)
        statistics = {
            "lastPrice": day.last, "highPrice24h": day.high, "lowPrice24h": day.low, "prevPrice24h": day.open,
            "volume24h": day.volume, "turnover24h": day.coins if self.market == "inverse" else day.value,
        }  # fmt: skip
        if self.market == "spot":
            return statistics
        (bid,), (ask,) = self._best_sides()
        fair = int(self.model.fair * spec.tick_units)
        single = (self._interest + self._trade_id % 1000) * spec.lot_units
        coming = (now_ns // _FUNDING_NS + 1) * _FUNDING_NS
        minute = now_ns // (60 * SECOND)
        return statistics | {
            "markPrice": fixed(fair, spec.price_decimals),
            "indexPrice": fixed(fair + 3, spec.price_decimals), "openInterest": fixed(2 * single, spec.size_decimals),
            "openInterestValue": "3899996265.00", "singleOpenInterest": fixed(single, spec.size_decimals),
            "singleOpenInterestValue": "1949998132.50", "fundingRate": fixed(10_000 + minute % 7, 8),
            "nextFundingTime": str(coming // MILLISECOND), "fundingIntervalHour": "8",
            "bid1Price": bid[0], "bid1Size": bid[1], "ask1Price": ask[0], "ask1Size": ask[1],
        }  # fmt: skip
