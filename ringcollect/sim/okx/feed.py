"""One OKX instrument: its order book model turned into the venue's pushes."""

from __future__ import annotations

from collections import deque
from functools import partial
from random import Random
from typing import Any

from ringcollect.sim.day import Day
from ringcollect.sim.fixed import trimmed
from ringcollect.sim.hub import Hub
from ringcollect.sim.market import SECOND, Event, Fill, SymbolMarket
from ringcollect.sim.okx import texts
from ringcollect.sim.okx.specs import index_of, kind_of, okx_spec
from ringcollect.sim.okx.texts import MILLISECOND, Level
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.truth import Truth

DEPTH = 400
_FILLS_KEPT = 10_000
_HEARTBEAT_NS = 60 * SECOND
_FUNDING_NS = 8 * 3600 * SECOND


class OkxFeed:
    """``checksums``: as the venue did until June 2026; now it sends 0. ``lose`` says which book pushes nobody gets."""

    def __init__(
        self, symbol: str, *, seed: int, start_ns: int, frames_per_s: float, hub: Hub, scheduler: Scheduler,
        truth: Truth, checksums: bool, lose: partial[bool],
    ) -> None:  # fmt: skip
        self.spec = okx_spec(symbol)
        self.kind = kind_of(symbol)
        self.index = index_of(symbol)
        self.model = SymbolMarket(self.spec, Random(f"{seed}/okx/{symbol}"), frames_per_s)
        self.sequence = start_ns // MILLISECOND  # counts every change of the book: best prices are told one by one
        self._pushed = self.sequence  # of the last push of the book, which sums up what changed since the one before
        self.trade_id = start_ns // SECOND
        self.frames = 0
        self._rng = Random(f"{seed}/okx/{symbol}/wire")
        self._start_ns = start_ns
        self._hub, self._scheduler, self._truth = hub, scheduler, truth
        self._checksums, self._lose = checksums, lose
        self._shown: dict[int, dict[int, int]] = {1: self._top(1), -1: self._top(-1)}
        self._pushed_ns = start_ns
        self._last_trade: dict[str, Any] | None = None
        self._day = Day(self.spec)
        self._fills: deque[tuple[int, dict[str, Any]]] = deque(maxlen=_FILLS_KEPT)
        scheduler.add(self.model.next_ns, self._order)
        self._every(100 * MILLISECOND, self._push_book)
        self._every(SECOND, self._ticker)
        if self.kind != "SPOT":
            self._every(200 * MILLISECOND, self._mark)
            self._every(3 * SECOND, self._interest)
            self._every(60 * SECOND, self._funding)

    def first(self, channel: str, now_ns: int) -> str:
        """What the venue sends at once on subscribing: the book, the last trade, the present value; "" for nothing."""
        if channel == "books":
            self._push_book(now_ns)
            return self._book_text(self._sides(), now_ns, -1, "snapshot")
        if channel == "trades" and self._last_trade is not None:
            return texts.frame(channel, self.spec.symbol, [self._last_trade])
        if channel == "bbo-tbt":
            return self._best_text(now_ns)
        if channel == "books5":
            return self._short_text(now_ns)
        makers = {
            "tickers": self._ticker_row,
            "mark-price": self._mark_row,
            "open-interest": self._interest_row,
            "funding-rate": self._funding_row,
        }
        return texts.frame(channel, self.spec.symbol, [makers[channel](now_ns)]) if channel in makers else ""

    def reset_sequence(self) -> None:
        """As after the venue's maintenance: it counts anew, nothing is missing."""
        self._push_book(self._start_ns + self._scheduler.now_ns, reset=True)

    def snapshot(self, now_ns: int) -> dict[str, Any]:
        """The book as REST has it."""
        bids, asks = self._sides()
        row = {"asks": texts.levels(asks), "bids": texts.levels(bids)}
        return row | {"ts": texts.ms(now_ns), "seqId": self._pushed}

    def book(self) -> tuple[list[Level], list[Level]]:
        """The 400 best levels a side as the pushes have told them."""
        return self._sides()

    def finish(self) -> None:
        """Push what is held back."""
        self._push_book(self._start_ns + self._scheduler.now_ns)

    def _every(self, interval_ns: int, tell: Any) -> None:
        def job(due_ns: int) -> int:
            tell(self._start_ns + due_ns)
            return due_ns + interval_ns

        self._scheduler.add(self._scheduler.now_ns // interval_ns * interval_ns + interval_ns, job)

    def _top(self, side: int) -> dict[int, int]:
        return dict((self.model.bids if side > 0 else self.model.asks).top(DEPTH))

    def _level(self, tick: int, lots: int) -> Level:
        spec = self.spec
        return (
            trimmed(tick * spec.tick_units, spec.price_decimals),
            trimmed(lots * spec.lot_units, spec.size_decimals) if lots else "0",
        )

    def _sides(self) -> tuple[list[Level], list[Level]]:
        bids = [self._level(*one) for one in sorted(self._shown[1].items(), reverse=True)]
        asks = [self._level(*one) for one in sorted(self._shown[-1].items())]
        return bids, asks

    def _push(self, stream: str, key: int, now_ns: int, text: str) -> None:
        self._hub.publish(stream, key, now_ns, lambda _unit: text)

    def _push_book(self, now_ns: int, *, reset: bool = False) -> None:
        """What changed among the best 400 levels: what falls out of them is removed, as the venue does it."""
        changes: dict[int, list[tuple[int, int]]] = {}
        for side in (1, -1):
            shown, now = self._shown[side], self._top(side)
            gone = [(tick, 0) for tick in shown if tick not in now]
            changes[side] = gone + [(tick, lots) for tick, lots in now.items() if shown.get(tick) != lots]
            self._shown[side] = now
        changed = bool(changes[1] or changes[-1])
        if not changed and not reset and now_ns - self._pushed_ns < _HEARTBEAT_NS:
            return
        previous = self._pushed
        if reset:
            self.sequence = 1 + self._rng.randrange(100)
        if reset or changed:
            self._pushed = self.sequence
        self._pushed_ns = now_ns
        self.frames += 1
        bids, asks = ([self._level(*one) for one in sorted(changes[side], reverse=side > 0)] for side in (1, -1))
        stream = f"books:{self.spec.symbol}"
        text = self._book_text((bids, asks), now_ns, previous, "update")
        if self._lose(stream, self._pushed):
            self._truth.line("fault", t=now_ns, c=-1, fault="gap", m="okx", stream=stream, f=text)
        else:
            self._push(stream, self._pushed, now_ns, text)
        self._push(f"books5:{self.spec.symbol}", self._pushed, now_ns, self._short_text(now_ns))

    def _book_text(self, sides: tuple[list[Level], list[Level]], now_ns: int, previous: int, action: str) -> str:
        bids, asks = sides
        check = texts.checksum(*self._sides()) if self._checksums else 0
        row = {
            "asks": texts.levels(asks), "bids": texts.levels(bids), "ts": texts.ms(now_ns), "checksum": check,
            "seqId": self._pushed, "prevSeqId": previous,
        }  # fmt: skip
        return texts.frame("books", self.spec.symbol, [row], action)

    def _short_text(self, now_ns: int) -> str:
        bids, asks = (side[:5] for side in self._sides())
        row = {
            "asks": texts.levels(asks), "bids": texts.levels(bids), "instId": self.spec.symbol,
            "ts": texts.ms(now_ns), "seqId": self._pushed,
        }  # fmt: skip
        return texts.frame("books5", self.spec.symbol, [row])

    def _best_text(self, now_ns: int) -> str:
        bid, ask = (self._level(*side.top(1)[0]) for side in (self.model.bids, self.model.asks))
        row = {"asks": texts.levels([ask]), "bids": texts.levels([bid]), "ts": texts.ms(now_ns), "seqId": self.sequence}
        return texts.frame("bbo-tbt", self.spec.symbol, [row])

    def _order(self, _due_ns: int) -> int:
        event = self.model.step()
        self.sequence += bool(event.changed)
        now_ns = self._start_ns + event.time_ns
        self._tell_trades(event, now_ns)
        if event.top_moved:
            self.frames += 1
            self._push(f"bbo-tbt:{self.spec.symbol}", event.time_ns, now_ns, self._best_text(now_ns))
        if event.liquidation and self.kind != "SPOT":
            self._liquidation(event, now_ns)
        return self.model.next_ns

    def _tell_trades(self, event: Event, now_ns: int) -> None:
        """Fills of one taker order at one price are one print, with the last one's id and their number."""
        fills = list(event.fills)
        self._day.add(fills)
        while fills:
            same = [fill for fill in fills if fill.tick == fills[0].tick]
            fills = [fill for fill in fills if fill.tick != same[0].tick]
            side = "buy" if same[0].side > 0 else "sell"
            self._keep(same, side, now_ns)
            self.trade_id += len(same)
            self.frames += 1
            price, size = self._level(same[0].tick, sum(fill.lots for fill in same))
            row = {
                "instId": self.spec.symbol, "tradeId": str(self.trade_id), "px": price, "sz": size, "side": side,
                "ts": texts.ms(now_ns), "count": str(len(same)), "source": "0", "seqId": self.sequence,
            }  # fmt: skip
            self._last_trade = row
            self._truth.line(
                "trade", t=now_ns, m=self.kind, s=self.spec.symbol, id=self.trade_id, p=price, q=size,
                side=same[0].side, n=len(same),
            )  # fmt: skip
            text = texts.frame("trades", self.spec.symbol, [row])
            self._push(f"trades:{self.spec.symbol}", self.trade_id, now_ns, text)
            for number, fill in enumerate(same, self.trade_id - len(same) + 1):
                price, size = self._level(fill.tick, fill.lots)
                single = {name: value for name, value in row.items() if name != "count"}
                text = texts.frame("trades-all", self.spec.symbol, [single | {"tradeId": str(number), "sz": size}])
                self._push(f"trades-all:{self.spec.symbol}", number, now_ns, text)

    def _keep(self, fills: list[Fill], side: str, now_ns: int) -> None:
        """Single fills, as REST lists them."""
        for number, fill in enumerate(fills, self.trade_id + 1):
            price, size = self._level(fill.tick, fill.lots)
            row = {"instId": self.spec.symbol, "tradeId": str(number), "px": price, "sz": size, "side": side}
            self._fills.append((number, row | {"ts": texts.ms(now_ns), "source": "0"}))

    def old_trades(self, before: int, most: int) -> list[dict[str, Any]]:
        """Fills with ids below ``before`` (0: the newest), newest first, as far back as they are kept."""
        found = [row for number, row in self._fills if not before or number < before]
        return found[-most:][::-1]

    def _fair(self, shift: int = 0) -> str:
        spec = self.spec
        return trimmed(int(self.model.fair * spec.tick_units) + shift, spec.price_decimals)

    def _mark_row(self, now_ns: int) -> dict[str, Any]:
        symbol = self.spec.symbol
        return {"instType": self.kind, "instId": symbol, "markPx": self._fair(), "ts": texts.ms(now_ns)}

    def _ticker_row(self, now_ns: int) -> dict[str, Any]:
        """The day so far, which began with the simulation; ``volCcy24h`` is quote currency on spot only."""
        spec = self.spec
        (bid, bid_size), (ask, ask_size) = (self._level(*side.top(1)[0]) for side in (self.model.bids, self.model.asks))
        day = self._day.statistics(trimmed)
        return {
            "instType": self.kind, "instId": spec.symbol,
            "last": day.last, "lastSz": bid_size,
            "askPx": ask, "askSz": ask_size, "bidPx": bid, "bidSz": bid_size,
            "open24h": day.open, "high24h": day.high, "low24h": day.low, "sodUtc0": day.open, "sodUtc8": day.open,
            "volCcy24h": day.value if self.kind == "SPOT" else "20000",
            "vol24h": day.volume,
            "ts": texts.ms(now_ns),
        }  # fmt: skip

    def _interest_row(self, now_ns: int) -> dict[str, Any]:
        row = {"instId": self.spec.symbol, "instType": self.kind, "oi": str(2_000_000 + self.trade_id % 1000)}
        return row | {"oiCcy": "20000", "oiUsd": "1939251795.54769270396321", "ts": texts.ms(now_ns)}

    def _funding_row(self, now_ns: int) -> dict[str, Any]:
        coming = (now_ns // _FUNDING_NS + 1) * _FUNDING_NS
        return {
            "instId": self.spec.symbol, "instType": self.kind, "fundingRate": "0.0001875391284828",
            "fundingTime": texts.ms(coming), "nextFundingRate": "", "nextFundingTime": texts.ms(coming + _FUNDING_NS),
            "method": "current_period", "ts": texts.ms(now_ns),
        }  # fmt: skip

    def _ticker(self, now_ns: int) -> None:
        self._tell("tickers", self._ticker_row(now_ns), now_ns)

    def _mark(self, now_ns: int) -> None:
        self._tell("mark-price", self._mark_row(now_ns), now_ns)
        row = {"instId": self.index, "idxPx": self._fair(3), "ts": texts.ms(now_ns)}
        if self.kind == "SWAP":
            stream = f"index-tickers:{self.index}"
            self._push(stream, now_ns, now_ns, texts.frame("index-tickers", self.index, [row]))

    def _interest(self, now_ns: int) -> None:
        self._tell("open-interest", self._interest_row(now_ns), now_ns)

    def _funding(self, now_ns: int) -> None:
        if self.kind == "SWAP":
            self._tell("funding-rate", self._funding_row(now_ns), now_ns)

    def _tell(self, channel: str, row: dict[str, Any], now_ns: int) -> None:
        text = texts.frame(channel, self.spec.symbol, [row])
        self._push(f"{channel}:{self.spec.symbol}", now_ns, now_ns, text)

    def _liquidation(self, event: Event, now_ns: int) -> None:
        last = event.fills[-1]
        price, size = self._level(last.tick, sum(fill.lots for fill in event.fills))
        side, position = ("buy", "short") if last.side > 0 else ("sell", "long")
        order = {"bkLoss": "0", "bkPx": price, "ccy": "", "posSide": position, "side": side, "sz": size}
        row = {
            "details": [order | {"ts": texts.ms(now_ns)}], "instFamily": self.index, "instId": self.spec.symbol,
            "instType": self.kind, "uly": self.index,
        }  # fmt: skip
        text = texts.frame("liquidation-orders", self.kind, [row])
        self._push(f"liquidation-orders:{self.kind}", now_ns, now_ns, text)
