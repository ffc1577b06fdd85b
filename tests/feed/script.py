"""A venue and a stage: frames in Binance's format, a session with real rings, and what came out of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ringcollect.exchanges.protocol import Exchange
from ringcollect.feed.actions import Action, Close, Connect, Ping, Rest, Send
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.plan import MarketPlan, Options, Plan, RulePlan, SymbolPlan
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import RECORD, Flag, Kind, Status
from ringcollect.ring.attach import attach
from ringcollect.ring.frames import FrameProducer, attach_frames
from ringcollect.ring.producer import Producer

SECOND = 1_000_000_000
MS = 1_000_000
T0 = 1_700_000_000 * SECOND
SYMBOLS = ("AAAUSDT", "BBBUSDT")


class Stage:
    """A session on stage: ``now`` is its time, ``connects``, ``sends``, ``rests`` what it asked for so far."""

    def __init__(
        self,
        folder: Path,
        exchange: Exchange,
        *,
        market: str = "spot",
        symbols: Sequence[str] = SYMBOLS,
        channels: Sequence[str] = ("book", "trade", "bbo"),
        capacity: int = 1 << 14,
        listed: Sequence[str] = SYMBOLS,
        start: bool = True,
        rules: Sequence[RulePlan] = (),
        **options: Any,
    ) -> None:
        self.folder, self.exchange, self.market, self.listed = folder, exchange, market, listed
        self.channels = tuple(channels)
        self.plan = Plan(
            exchange="binance", markets=(self.market_plan(symbols, rules),), options=Options(**options)
        )  # fmt: skip
        self.ring = Producer.open(
            folder, "binance.rec", capacity=capacity, generation=T0, counters=FEED_COUNTERS, ledger_rows=1024
        )  # fmt: skip
        self.frames = FrameProducer.open(folder, "binance.frm", entries=1 << 14, data_bytes=1 << 22, generation=T0)
        self.session = Session(self.plan, exchange, Registry(None, "binance"), self.ring, self.frames)
        self.now = T0
        self.volumes: dict[str, str] = {}
        self.log: list[Action] = []
        if start:
            self.start()

    def market_plan(
        self, symbols: Sequence[str], rules: Sequence[RulePlan] = (), channels: Sequence[str] = ()
    ) -> MarketPlan:
        """A plan of the stage's market."""
        planned = tuple(
            SymbolPlan(symbol=symbol, channels=tuple(channels) or self.channels, path=f"markets[0].symbols[{i}]")
            for i, symbol in enumerate(symbols)
        )
        return MarketPlan(market=self.market, symbols=planned, rules=tuple(rules))

    # moving on

    def reload(self, *markets: MarketPlan) -> None:
        """The configuration was changed."""
        self.session.reload(Plan(exchange="binance", markets=markets, options=self.plan.options), self.now)
        self._collect()

    def list_again(self) -> None:
        """The open request for the instrument list is answered by what is listed now."""
        for rest in self.open_rests("instruments"):
            self.answer(rest, 200, [] if "fundingInfo" in rest.url else self.exchange_info())
        for rest in self.open_rests("volumes"):
            rows = [{"symbol": symbol, "quoteVolume": volume} for symbol, volume in self.volumes.items()]
            self.answer(rest, 200, rows)

    def start(self) -> None:
        self.session.start(self.now)
        self._collect()

    def advance(self, seconds: float) -> None:
        """Let time pass, every timer at its own deadline."""
        end = self.now + round(seconds * SECOND)
        while (deadline := self.session.next_deadline()) <= end:
            self.now = max(self.now, deadline)
            self.session.timer(self.now)
            self._collect()
        self.now = end

    def frame(self, payload: dict | bytes, conn: int = 0, after: float = 0.001) -> None:
        self.advance(after)
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.session.frame(conn, raw, self.now)
        self._collect()

    def up(self) -> None:
        """Metadata answered, every connection up, every subscribe acknowledged; snapshots are left open."""
        while any(isinstance(a, Rest) and a.purpose in ("instruments", "volumes") for a in self.log):
            self.list_again()
        self.open_sockets()
        self.ack()

    def open_sockets(self) -> None:
        for connect in self.take(Connect):
            self.session.open(connect.conn, connect.url, self.now)
            self._collect()

    def ack(self) -> None:
        for send in self.take(Send):
            self.frame({"result": None, "id": json.loads(send.text)["id"]}, send.conn)

    def answer(self, rest: Rest, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.session.rest(rest.request, status, headers or {}, raw, self.now)
        self._collect()

    def exchange_info(self) -> dict:
        filters = [
            {"filterType": "PRICE_FILTER", "tickSize": "0.01000000", "minPrice": "0.01", "maxPrice": "1000000"},
            {"filterType": "LOT_SIZE", "stepSize": "0.00100000", "minQty": "0.001", "maxQty": "9000"},
        ]
        listed = [
            {"symbol": s, "status": "TRADING", "baseAsset": s[:-4], "quoteAsset": "USDT", "filters": filters}
            for s in self.listed
        ]
        return {"timezone": "UTC", "serverTime": T0 // MS, "rateLimits": [], "symbols": listed}

    # what it asked for

    def _collect(self) -> None:
        self.log += self.session.actions()

    def take(self, kind: type) -> list[Any]:
        """Actions of this kind not yet taken."""
        taken = [a for a in self.log if isinstance(a, kind)]
        self.log = [a for a in self.log if not isinstance(a, kind)]
        return taken

    def open_rests(self, purpose: str) -> list[Rest]:
        taken = [a for a in self.log if isinstance(a, Rest) and a.purpose == purpose]
        self.log = [a for a in self.log if a not in taken]
        return taken

    def closes(self) -> list[int]:
        return [a.conn for a in self.take(Close)]

    def pings(self) -> list[int]:
        return [a.conn for a in self.take(Ping)]

    # what came out

    def records(self) -> np.ndarray:
        """Everything in the ring so far; the test's ring must not have lapped."""
        reader = attach(self.ring.path)
        reader.cursor = 0
        read = reader.read(1 << 20)
        assert read.lost[0] == read.lost[1], "the test's ring is too small"
        return read.records

    def data(self, symbol: str | None = None, *kinds: Kind) -> np.ndarray:
        records = self.records()
        records = records[records["kind"] != Kind.STATUS]
        if symbol is not None:
            records = records[records["instrument"] == self.number(symbol)]
        return records[np.isin(records["kind"], kinds)] if kinds else records

    def statuses(self, code: Status) -> np.ndarray:
        records = self.records()
        return records[(records["kind"] == Kind.STATUS) & (records["sub"] == code)]

    def number(self, symbol: str) -> int:
        instrument = self.session.catalogue._registry.get(self.market, symbol)
        assert instrument is not None
        return instrument.number

    def counter(self, name: str) -> int:
        return self.ring.counters[name]

    def ledger(self, symbol: str, channel: int) -> np.ndarray:
        rows = self.ring.ledger.rows()
        [row] = rows[(rows["instrument"] == self.number(symbol)) & (rows["channel"] == channel)]
        return row

    def entries(self) -> list:
        reader = attach_frames(self.frames.ring.path)
        reader.ring.cursor = 0
        entries, lost = reader.read(1 << 14)
        assert lost[0] == lost[1]
        return entries

    def invariant(self) -> None:
        count = self.counter
        assert count("frames_in") == count("decoded") + count("control") + count("ignored") + count("rejected")

    def close(self) -> None:
        self.ring.close()
        self.frames.close()


def depth(
    symbol: str, first: int, last: int, bids: Sequence = (), asks: Sequence = (), prev: int | None = None
) -> dict:
    """A diff depth frame; ``prev`` (USD-M's pu) makes it a linear one."""
    data = {"e": "depthUpdate", "E": T0 // MS, "s": symbol, "U": first, "u": last, "b": list(bids), "a": list(asks)}
    if prev is not None:
        data |= {"T": T0 // MS, "pu": prev}
    return {"stream": f"{symbol.lower()}@depth@100ms", "data": data}


def trade(symbol: str, number: int, price: str = "10.00", size: str = "1.5", **more: Any) -> dict:
    data = {"e": "trade", "E": T0 // MS, "s": symbol, "t": number, "p": price, "q": size, "T": T0 // MS, "m": False}
    return {"stream": f"{symbol.lower()}@trade", "data": data | {"M": True} | more}


def ticker(symbol: str, number: int, bid: str = "9.99", ask: str = "10.01") -> dict:
    data = {"u": number, "s": symbol, "b": bid, "B": "1.0", "a": ask, "A": "2.0"}
    return {"stream": f"{symbol.lower()}@bookTicker", "data": data}


def snapshot(last: int, bids: Sequence = (), asks: Sequence = ()) -> dict:
    return {"lastUpdateId": last, "bids": list(bids), "asks": list(asks)}


class BookOf:
    """The one rule of the records: in ring order, skip UNSYNCED, honour CLEAR. ``broken``: the chain says so."""

    def __init__(self) -> None:
        self.levels: dict[tuple[int, float], float] = {}
        self.last: int | None = None
        self.broken = True

    def apply(self, records: np.ndarray) -> BookOf:
        previous: int | None = self.last
        for r in records:
            if r["kind"] not in (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA) or r["flags"] & Flag.UNSYNCED:
                continue
            if r["flags"] & Flag.CLEAR:
                self.levels.clear()
                self.broken = False
            elif r["kind"] == Kind.BOOK_DELTA and r["aux"] != previous:
                self.broken = True
            if r["side"]:
                key = (int(r["side"]), float(r["price"]))
                if r["size"]:
                    self.levels[key] = float(r["size"])
                else:
                    self.levels.pop(key, None)
            self.last = int(r["id"])
            if r["flags"] & Flag.LAST:
                previous = self.last
        return self

    def side(self, side: int) -> dict[float, float]:
        return {price: size for (s, price), size in sorted(self.levels.items()) if s == side}


EMPTY = np.zeros(0, RECORD)
