"""The synchronizer once more, slow and obvious: lists and dicts, every row rebuilt from everything that arrived.

Written from the rules, not from the kernels: nothing is kept incrementally that can be recomputed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ringcollect.instruments import Instrument, to_base
from ringcollect.records import Channel, Flag, Kind, Status
from ringcollect.sync.rows import RowFlag

BOOK_KINDS = (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA)
STATE_KINDS = (Kind.FUNDING, Kind.OPEN_INTEREST, Kind.MARK_PRICE, Kind.INDEX_PRICE)
MARKS = 4  # rows to come that records without effect may mark
NO_FLOW = Flag.SNAPSHOT | Flag.REPLAYED | Flag.UNSYNCED | Flag.DUPLICATE


@dataclass
class Entry:
    """One record in the model's lists. ``op`` is "apply" or "void"; ``done`` once applied or dropped."""

    record: np.void
    time: int
    op: str = "apply"
    done: bool = False


@dataclass
class Venue:
    """Everything known of one instrument."""

    number: int
    seen: bool = False
    p: int | None = None
    effective: int = 0
    last_id: int | None = None
    broken: bool = False
    in_batch: bool = False
    doubt: bool = False
    stale: bool = False
    updates: list[Entry] = field(default_factory=list)
    events: list[Entry] = field(default_factory=list)
    bin_updates: int = 0
    bin_flags: int = 0
    jumped: bool = False
    gap_until: int = 0
    lost_until: int = 0
    lost_open: bool = False
    previous_interest: float | None = None
    tick_sign: int = 0
    last_price: float | None = None
    trades: list[tuple[int, int, float, float, int]] = field(default_factory=list)  # of the open row
    liquidations: list[np.void] = field(default_factory=list)
    states: dict[int, tuple[int, np.void]] = field(default_factory=dict)
    bin_states: int = 0
    recv: int = 0
    bin_inputs: int = 0
    aside: dict[int, int] = field(default_factory=dict)  # row to come -> flags of records without effect


class Reference:
    """Feed records one by one; ``rows`` collects (instrument, ts_ns, ts_book, ts_recv, input flags, flags, columns)."""

    def __init__(
        self, *, grid: int, hold_back: int, mode: str, max_gap: int, skew: int, held: int, latency: int = 0,
        instruments: dict[int, Instrument],
    ) -> None:  # fmt: skip
        self.grid, self.w, self.mode, self.max_gap, self.skew, self.bound = grid, hold_back, mode, max_gap, skew, held
        self.latency = latency
        self.instruments = instruments
        self.venues: dict[int, Venue] = {}
        self.now = 0
        self.global_p: int | None = None
        self.final = False
        self.torn = False
        self.rows: list[tuple] = []
        self.late = self.late_updates = self.outliers = self.overruns = self.skipped = self.refused = 0
        self.wanted: set[int] = set()

    # --- times ---

    def time_of(self, r: np.void) -> int:
        if r["ts_event"] == 0 or self.outlier(r):
            return int(r["ts_recv"])
        return int(r["ts_event"])

    def outlier(self, r: np.void) -> bool:
        return bool(self.skew) and int(r["ts_event"]) > int(r["ts_recv"]) + self.skew

    def row_of(self, t: int) -> int:
        return t // self.grid + 1

    # --- a record ---

    def feed(self, r: np.void) -> None:
        status = r["kind"] == Kind.STATUS
        if self.final:
            self.refused += not status
            return
        self.now = max(self.now, int(r["ts_recv"]))
        self.on_time(bool(status and r["sub"] == Status.TICK))
        if status:
            self.status(r)
        elif r["instrument"] != 65535:
            self.market(r)
        if r["flags"] & Flag.LAST:
            self.torn = False

    def venue(self, number: int) -> Venue:
        for n in range(number + 1):
            self.venues.setdefault(n, Venue(n))
        return self.venues[number]

    def on_time(self, tick: bool) -> None:
        if self.mode == "external":
            to = max(self.now - self.w, 0) // self.grid
            if self.global_p is None:
                if to > 0 or tick:
                    self.global_p = to
                    for v in self.venues.values():
                        if v.seen:
                            v.p = to
                return
        elif self.latency:
            to = max(self.now - self.latency, 0) // self.grid
        else:
            return
        for number in sorted(self.venues):
            if self.venues[number].p is not None:
                self.step(self.venues[number], to)
        if self.mode == "external":
            self.global_p = max(self.global_p, to)

    def status(self, r: np.void) -> None:
        if r["sub"] == Status.START and r["instrument"] == 65535:
            for v in self.venues.values():
                if v.doubt:
                    self.void(v)
                v.last_id, v.broken, v.doubt, v.in_batch = None, False, False, False
                if not all(e.done for e in v.updates):
                    v.updates.append(Entry(r, v.effective, op="void"))
                elif v.updates:
                    v.updates.append(Entry(r, v.effective, op="void", done=True))
        elif r["sub"] in (Status.DISCONNECTED, Status.STALE) and r["side"] == Channel.BOOK and r["instrument"] != 65535:
            self.venue(int(r["instrument"])).stale = True

    def drives(self, r: np.void) -> bool:
        if r["flags"] & (NO_FLOW | Flag.BACKFILLED):
            return False
        if self.mode == "orderbook":
            return r["kind"] in BOOK_KINDS and r["sub"] == 0
        if self.mode == "trade":
            return bool(r["kind"] == Kind.TRADE and self.is_flow(r))
        return bool(self.mode == "liquidation" and r["kind"] == Kind.LIQUIDATION)

    def is_flow(self, r: np.void) -> bool:
        if r["flags"] & NO_FLOW:
            return False
        return bool(r["kind"] == Kind.LIQUIDATION or int(r["sub"]) % 16 not in (2, 4))

    def market(self, r: np.void) -> None:
        v = self.venue(int(r["instrument"]))
        v.seen = True
        v.recv = max(v.recv, int(r["ts_recv"]))
        if self.global_p is not None and v.p is None:
            v.p = self.global_p
        if self.drives(r):
            if self.outlier(r):
                if self.mode != "orderbook" or r["flags"] & Flag.LAST:
                    self.outliers += 1
            else:
                to = max(self.time_of(r) - self.w, 0) // self.grid
                if v.p is None:
                    v.p = to
                else:
                    self.step(v, to)
        self.settle(v)
        if r["kind"] in BOOK_KINDS and r["sub"] == 0:
            self.book(v, r)
        elif (r["kind"] in (Kind.TRADE, Kind.LIQUIDATION) and self.is_flow(r)) or (
            r["kind"] in STATE_KINDS and not r["flags"] & (Flag.UNSYNCED | Flag.DUPLICATE)
        ):
            self.event(v, r)
        else:
            self.marks(v, r)
            self.without_effect(v, r)

    def without_effect(self, v: Venue, r: np.void) -> None:
        """Its flags are seen in the row of its time, if that is still to come."""
        flags, row = int(r["flags"]) & ~Flag.LAST, self.row_of(self.time_of(r))
        is_input = r["kind"] in (Kind.TRADE, Kind.LIQUIDATION, *STATE_KINDS)
        is_input |= r["kind"] in (*BOOK_KINDS, Kind.BOOK_CHECK) and r["sub"] == 0
        if not flags or not is_input or v.p is None or row <= v.p:
            return
        if row == v.p + 1 or (row not in v.aside and len(v.aside) == MARKS):
            v.bin_inputs |= flags
        else:
            v.aside[row] = v.aside.get(row, 0) | flags

    def begin_row(self, v: Venue) -> None:
        v.bin_inputs = v.aside.get(v.p + 1, 0)
        v.aside = {row: flags for row, flags in v.aside.items() if row > v.p + 1}

    def marks(self, v: Venue, r: np.void) -> None:
        row = self.row_of(self.time_of(r))
        if v.p is not None:
            row = max(row, v.p + 1)
        if r["flags"] & Flag.GAP:
            v.gap_until = max(v.gap_until, row)
        if v.lost_open and not r["flags"] & NO_FLOW:
            v.lost_until, v.lost_open = max(v.lost_until, row), False

    def book(self, v: Venue, r: np.void) -> None:
        flags = int(r["flags"])
        if flags & Flag.UNSYNCED or (v.broken and not flags & Flag.CLEAR):
            self.marks(v, r)
            self.without_effect(v, r)
            return
        starts = not v.in_batch
        if not flags & Flag.CLEAR and starts and (self.torn or v.last_id is None or r["aux"] != v.last_id):
            self.marks(v, r)
            self.without_effect(v, r)
            self.void(v)
            v.broken, v.last_id, v.doubt, v.in_batch = True, None, False, False
            self.wanted.add(v.number)
            return
        time = max(v.effective, self.time_of(r))
        self.make_space(v, time)
        self.marks(v, r)
        if flags & Flag.CLEAR or starts:
            v.broken, v.doubt, v.last_id = False, False, int(r["id"])
        v.in_batch = not flags & Flag.LAST
        v.stale = False
        if v.p is not None and not flags & NO_FLOW and self.row_of(self.time_of(r)) <= v.p:
            self.late_updates += 1
        v.effective = time
        v.updates.append(Entry(r, time))
        self.settle(v)

    def event(self, v: Venue, r: np.void) -> None:
        time = self.time_of(r)
        self.make_space(v, time)
        self.marks(v, r)
        if v.p is not None and self.row_of(time) <= v.p:
            if r["kind"] in STATE_KINDS:
                self.late_updates += 1
                self.state(v, r, time)
            else:
                self.late += 1
            return
        v.events.append(Entry(r, time))
        self.settle(v)

    def void(self, v: Venue) -> None:
        v.updates = []

    # --- waiting ---

    def due(self, v: Venue, time: int) -> bool:
        return v.p is not None and time < (v.p + 1) * self.grid

    def held(self, v: Venue) -> list[Entry]:
        return [e for e in v.updates + v.events if not e.done]

    def make_space(self, v: Venue, time: int) -> None:
        while not self.due(v, time) and len(self.held(v)) >= self.bound:
            waiting = self.held(v)
            if v.p is not None:
                to = min([self.row_of(time)] + [self.row_of(e.time) for e in waiting]) - 1
                before = len(self.rows)
                self.step(v, to, RowFlag.OVERRUN)
                self.overruns += len(self.rows) - before
                self.settle(v)
            else:
                oldest = min(waiting, key=lambda e: int(e.record["seq"]))
                oldest.done = True
                self.overruns += 1
                if any(e is oldest for e in v.updates):
                    if oldest.op == "apply":
                        v.bin_updates += 1
                        self.mark_time(v, oldest.record)
                elif oldest.record["kind"] in STATE_KINDS:
                    self.state(v, oldest.record, oldest.time)
                else:
                    self.late += 1

    def mark_time(self, v: Venue, r: np.void) -> None:
        v.bin_inputs |= int(r["flags"])
        if r["ts_event"] == 0 or self.outlier(r):
            v.bin_flags |= RowFlag.RECV_TIME_USED

    def settle(self, v: Venue) -> None:
        """Everything due for the open row takes effect, in ring order."""
        if v.p is None:
            return
        for e in v.updates:
            if not e.done and self.due(v, e.time):
                e.done = True
                if e.op == "apply":
                    v.bin_updates += 1
                    self.mark_time(v, e.record)
        for e in v.events:
            if e.done or not self.due(v, e.time):
                continue
            e.done = True
            r = e.record
            if r["kind"] in STATE_KINDS:
                self.state(v, r, e.time)
            elif self.row_of(e.time) <= v.p:
                self.late += 1
            else:
                self.mark_time(v, r)
                if r["kind"] == Kind.TRADE:
                    self.trade(v, r, e.time)
                else:
                    v.liquidations.append(r)
        v.events = [e for e in v.events if not e.done]

    def state(self, v: Venue, r: np.void, time: int) -> None:
        self.mark_time(v, r)
        v.bin_states += 1
        known = v.states.get(int(r["kind"]))
        if known is None or time >= known[0]:
            v.states[int(r["kind"])] = (time, r)

    def trade(self, v: Venue, r: np.void, time: int) -> None:
        price, side = float(r["price"]), int(r["side"])
        if v.last_price is not None and price != v.last_price:
            v.tick_sign = 1 if price > v.last_price else -1
        v.last_price = price
        if side == 0 and v.tick_sign:
            side = v.tick_sign
            v.bin_flags |= RowFlag.TICK_RULE_SIDE
        base = float(to_base(float(r["size"]), price, self.instruments[v.number]))
        v.trades.append((time, int(r["seq"]), price, base, side))

    # --- rows ---

    def step(self, v: Venue, to: int, extra: int = 0) -> None:
        assert v.p is not None
        left = self.max_gap
        while v.p < to and left:
            self.settle(v)
            self.emit(v, extra)
            left -= 1
        if v.p < to:
            self.skipped += to - v.p
            v.p = to
            self.begin_row(v)
            v.jumped = True

    def emit(self, v: Venue, extra: int) -> None:
        assert v.p is not None
        k = v.p + 1
        close = k * self.grid
        applied = [e for e in v.updates if e.done]
        bids, asks, trusted, rest = self.replay(v, applied)
        flags = v.bin_flags | extra
        has_book = trusted and not v.doubt
        if trusted and v.doubt:
            flags |= RowFlag.SUSPECT
        if has_book:
            last = max(e.time for e in applied if e.op == "apply")
            flags |= RowFlag.HAS_BOOK
            flags |= RowFlag.CROSSED if bids and asks and max(bids) >= min(asks) else 0
            flags |= RowFlag.SEEDED_BY_REST if rest else 0
            flags |= RowFlag.BOOK_CARRIED if not v.bin_updates else 0
            flags |= RowFlag.STALE if v.stale else 0
            flags |= RowFlag.OVERRUN if last >= close else 0
        flags |= RowFlag.HAS_TRADE if v.trades else 0
        flags |= RowFlag.HAS_LIQ if v.liquidations else 0
        flags |= RowFlag.HAS_FUNDING if Kind.FUNDING in v.states else 0
        flags |= RowFlag.HAS_OI if Kind.OPEN_INTEREST in v.states else 0
        flags |= RowFlag.HAS_MARK if Kind.MARK_PRICE in v.states else 0
        if not (v.bin_updates or v.trades or v.liquidations or v.bin_states):
            flags |= RowFlag.GAP_FILL
        flags |= RowFlag.CLOCK_JUMP if v.jumped else 0
        flags |= RowFlag.LOST if v.lost_open or k <= v.lost_until else 0
        flags |= RowFlag.GAP if k <= v.gap_until else 0
        columns = self.columns(v, bids if has_book else {}, asks if has_book else {})
        known = self.now if self.mode == "external" or self.latency else v.recv
        self.rows.append((v.number, close, last if has_book else 0, known, int(v.bin_inputs), int(flags), columns))
        v.p = k
        self.begin_row(v)
        v.trades, v.liquidations, v.bin_updates, v.bin_states, v.bin_flags, v.jumped = [], [], 0, 0, 0, False

    def replay(self, v: Venue, applied: list[Entry]) -> tuple[dict, dict, bool, bool]:
        """The book by the one rule: ring order, CLEAR, forget beyond depth after each batch."""
        sides: dict[int, dict[float, float]] = {1: {}, -1: {}}
        trusted = rest = False
        depth = self.instruments[v.number].book_depth
        for e in applied:
            if e.op == "void":
                sides, trusted = {1: {}, -1: {}}, False
                continue
            r = e.record
            if r["flags"] & Flag.CLEAR:
                sides, trusted, rest = {1: {}, -1: {}}, True, bool(r["flags"] & Flag.REST)
            side = int(r["side"])
            if side:
                if r["size"] > 0:
                    sides[side][float(r["price"])] = float(r["size"])
                else:
                    sides[side].pop(float(r["price"]), None)
            if r["flags"] & Flag.LAST and depth:
                for s, levels in sides.items():
                    for price in sorted(levels, reverse=s > 0)[depth:]:
                        del levels[price]
        return sides[1], sides[-1], trusted, rest

    def columns(self, v: Venue, bids: dict[float, float], asks: dict[float, float]) -> list[float]:
        one = self.instruments[v.number]
        out = dict.fromkeys(range(25), 0.0)
        if bids and asks and max(bids) > 0 and min(asks) > 0:
            out[0], out[1] = (max(bids) + min(asks)) / 2, min(asks) - max(bids)
        b = math.fsum(to_base(q, p, one) for p, q in bids.items())
        a = math.fsum(to_base(q, p, one) for p, q in asks.items())
        out[2] = (b - a) / (b + a) if b + a else 0.0
        total = {0: [0.0, 0.0, 0], 1: [0.0, 0.0, 0], -1: [0.0, 0.0, 0]}
        for _, _, price, size, side in v.trades:
            for s in {0, side}:
                total[s][0] += size
                total[s][1] += price * size
                total[s][2] += 1
        out[3], out[15], out[5] = total[0]
        out[4] = out[15] / out[3] if out[3] else 0.0
        out[16], out[17], out[18] = total[1]
        out[19], out[20], out[21] = total[-1]
        out[22] = (out[16] - out[19]) / (out[16] + out[19]) if out[16] + out[19] else 0.0
        if v.trades:
            ordered = sorted(v.trades)
            out[23], out[24] = ordered[0][2], ordered[-1][2]
        long = short = 0.0
        for r in v.liquidations:
            notional = float(r["price"] * to_base(r["size"], r["price"], one))
            out[6] += notional
            long += notional if r["side"] < 0 else 0.0
            short += notional if r["side"] > 0 else 0.0
        out[7] = len(v.liquidations)
        out[8] = (long - short) / out[6] if out[6] else 0.0
        if Kind.FUNDING in v.states:
            t, r = v.states[Kind.FUNDING]
            interval = int(r["id"]) or one.funding_interval_ns or 8 * 3600 * 10**9
            out[9] = float(r["price"])
            out[10] = out[9] * (8760 * 3600e9 / interval)
            out[11] = float(int(r["aux"]) - t) if r["aux"] else 0.0
        if Kind.OPEN_INTEREST in v.states:
            r = v.states[Kind.OPEN_INTEREST][1]
            oi = float(r["size"])
            out[12] = oi
            if not math.isnan(r["price"]):
                out[13] = float(r["price"])
            elif Kind.MARK_PRICE in v.states:
                mark = float(v.states[Kind.MARK_PRICE][1]["price"])
                out[13] = float(to_base(oi, mark, one) * mark)
            out[14] = oi - v.previous_interest if v.previous_interest is not None else 0.0
            v.previous_interest = oi
        return [float(out[i]) for i in range(25)]

    # --- the ends ---

    def lost(self) -> None:
        self.torn = True
        for v in self.venues.values():
            if v.broken or v.in_batch:
                v.last_id = None
            v.broken, v.in_batch, v.doubt, v.lost_open = False, False, True, True

    def finalize(self) -> None:
        if self.final:
            return
        for number in sorted(self.venues):
            v = self.venues[number]
            if v.p is not None:
                self.settle(v)
                last = max([v.p + 1] + [self.row_of(e.time) for e in self.held(v)])
                self.step(v, last, RowFlag.PARTIAL)
                self.settle(v)
        self.final = True
