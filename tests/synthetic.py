"""A made-up exchange: a deterministic record stream with everything that is awkward about real ones.

Snapshots with CLEAR, UNSYNCED and REPLAYED deltas, a sequence gap with its resync, REST records, history re-sent by
the venue, bbo pairs, every kind, status records, silence with TICKs, a UTC midnight and several rotations.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from ringcollect.instruments import Instrument
from ringcollect.records import RECORD, WHOLE_EXCHANGE, Channel, Flag, Kind, Status

MIDNIGHT_NS = 1_790_035_200_000_000_000  # 2026-09-22 00:00:00 UTC
START_NS = MIDNIGHT_NS - 8 * 60 * 1_000_000_000
TICK_NS = 100_000_000


def instruments(exchange: str = "binance") -> list[Instrument]:
    """Three instruments of two markets; numbers 0, 1, 2."""
    rows = (("spot", "BTCUSDT", 0.01, 0.00001), ("spot", "ETHUSDT", 0.01, 0.0001), ("linear", "BTCUSDT", 0.1, 0.001))
    return [
        Instrument(
            number=number,
            exchange=exchange,
            market=market,
            symbol=symbol,
            unified=f"{symbol[:3]}-USDT{'-PERP' if market == 'linear' else ''}",
            base=symbol[:3],
            quote="USDT",
            tick_size=tick,
            lot_size=lot,
            price_precision=2 if market == "spot" else 1,
            size_precision=5,
            valid_from_ns=START_NS,
        )
        for number, (market, symbol, tick, lot) in enumerate(rows)
    ]


class _Stream:
    """The state of the made-up venue while its records are written down."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.rows: list[tuple] = []
        self.now = START_NS
        self.book_id = [1000, 2000, 3000]
        self.trade_id = [10, 20, 30]
        self.mid = [60_000.0, 2_500.0, 60_010.0]

    def add(
        self, kind: int, instrument: int, *, event: int | None = None, recv: int | None = None, price: float = 0.0,
        size: float = 0.0, ident: int = 0, aux: int = 0, sub: int = 0, side: int = 0, flags: int = 0,
    ) -> None:  # fmt: skip
        recv = self.now if recv is None else recv
        event = recv - 3_000_000 if event is None else event
        conn = 1 if instrument == 2 else 0
        seq = len(self.rows)
        self.rows.append((seq, event, recv, price, size, ident, aux, instrument, conn, sub, kind, side, int(flags)))

    def status(
        self, code: Status, instrument: int = WHOLE_EXCHANGE, channel: int = 0, ident: int = 0, aux: int = 0
    ) -> None:
        self.add(Kind.STATUS, instrument, event=0, sub=code, side=channel, ident=ident, aux=aux, flags=Flag.LAST)

    def advance(self) -> None:
        """Let time pass; TICKs while nothing happens."""
        pause = int(self.rng.expovariate(1 / 60e6)) if self.rng.random() < 0.97 else self.rng.randrange(int(2e9))
        target = self.now + pause
        while self.now + TICK_NS < target:
            self.now += TICK_NS
            self.status(Status.TICK)
        self.now = target

    def levels(self, instrument: int, n: int) -> list[tuple[int, float, float]]:
        mid = self.mid[instrument]
        out = []
        for _ in range(n):
            side = self.rng.choice((1, -1))
            ticks = self.rng.randrange(1, 400)
            size = 0.0 if self.rng.random() < 0.3 else self.rng.randrange(1, 10**7) / 1e5
            out.append((side, round(mid - side * ticks * 0.01, 2), size))
        return out

    def delta(self, instrument: int, flags: int = 0) -> list[tuple]:
        previous, self.book_id[instrument] = self.book_id[instrument], self.book_id[instrument] + 1
        held = []
        n = self.rng.randrange(0, 12)
        if n == 0:  # a frame without levels still yields one record
            held.append((0, float("nan"), 0.0, self.book_id[instrument], previous, self.now))
        for side, price, size in self.levels(instrument, n):
            held.append((side, price, size, self.book_id[instrument], previous, self.now))
        self.book(instrument, held, flags)
        return held

    def book(self, instrument: int, held: list[tuple], flags: int) -> None:
        for i, (side, price, size, ident, aux, recv) in enumerate(held):
            last = Flag.LAST if i == len(held) - 1 else 0
            self.add(
                Kind.BOOK_DELTA, instrument, event=recv - 4_000_000, recv=recv, price=price, size=size, ident=ident,
                aux=aux, side=side, flags=flags | last,
            )  # fmt: skip

    def snapshot(self, instrument: int, ident: int) -> None:
        mid = self.mid[instrument]
        rows = [(1, round(mid - 0.01 * k, 2)) for k in range(1, 201)] + [
            (-1, round(mid + 0.01 * k, 2)) for k in range(1, 201)
        ]
        for i, (side, price) in enumerate(rows):
            flags = Flag.SNAPSHOT | Flag.REST | (Flag.CLEAR if i == 0 else 0) | (Flag.LAST if i == len(rows) - 1 else 0)
            size = self.rng.randrange(1, 10**6) / 1e4
            self.add(
                Kind.BOOK_SNAPSHOT, instrument, event=0, price=price, size=size, ident=ident, aux=-1, side=side,
                flags=flags,
            )  # fmt: skip

    def resync(self, instrument: int) -> None:
        """Deltas nobody can apply, then the snapshot, then those that follow it once more."""
        self.status(Status.RESYNC_BEGIN, instrument, Channel.BOOK)
        for _ in range(3):
            snapshot_id = self.book_id[instrument]
            held = self.delta(instrument, Flag.UNSYNCED)
            self.advance()
        self.snapshot(instrument, snapshot_id)
        self.book(instrument, held, Flag.REPLAYED)
        self.status(Status.RESYNC_DONE, instrument, Channel.BOOK)

    def gap(self, instrument: int) -> None:
        expected = self.book_id[instrument] + 1
        self.book_id[instrument] += 7
        self.status(Status.SEQ_GAP, instrument, Channel.BOOK, expected, self.book_id[instrument])
        self.resync(instrument)

    def trade(self, instrument: int) -> None:
        n = self.rng.choice((1, 1, 1, 2, 5))
        for i in range(n):
            self.trade_id[instrument] += 1
            ident = self.trade_id[instrument]
            self.mid[instrument] = round(self.mid[instrument] + self.rng.choice((-0.01, 0.0, 0.01)), 2)
            flags = Flag.LAST if i == n - 1 else 0
            if self.rng.random() < 0.01:
                flags |= Flag.BAD_TS
            self.add(
                Kind.TRADE, instrument, price=self.mid[instrument], size=self.rng.randrange(1, 10**6) / 1e5,
                ident=ident, aux=ident, side=self.rng.choice((1, -1)), flags=flags,
            )  # fmt: skip

    def quote(self, instrument: int) -> None:
        mid, ident = self.mid[instrument], self.book_id[instrument]
        for side in (1, -1):
            self.add(
                Kind.BBO, instrument, event=0, price=round(mid - side * 0.01, 2), side=side, ident=ident,
                size=self.rng.randrange(1, 10**6) / 1e5, flags=Flag.LAST if side < 0 else 0,
            )  # fmt: skip

    def rare(self, instrument: int) -> None:
        price = self.mid[instrument]
        nan_aux = int(np.array([np.nan]).view(np.int64)[0])
        last = Flag.LAST
        self.add(Kind.MARK_PRICE, instrument, price=price, size=np.nan, flags=last)
        self.add(Kind.INDEX_PRICE, instrument, price=price, size=np.nan, flags=last)
        self.add(
            Kind.FUNDING, instrument, price=1e-4, size=np.nan, ident=28_800_000_000_000, aux=MIDNIGHT_NS, flags=last
        )
        self.add(Kind.LIQUIDATION, instrument, price=price, size=0.5, aux=nan_aux, sub=1, side=-1, flags=last)
        self.add(Kind.OPEN_INTEREST, instrument, price=np.nan, size=1234.5, flags=last | Flag.REST)


def stream(batches: int = 6000, seed: int = 7) -> np.ndarray:
    """A RECORD array, seq 0.. without holes, every batch closed by LAST; about 5 records per batch."""
    venue = _Stream(seed)
    venue.status(Status.START)
    for instrument in range(3):
        venue.status(Status.INSTRUMENT_NEW, instrument)
    for instrument in range(3):
        venue.resync(instrument)
    for step in range(batches):
        venue.advance()
        instrument = venue.rng.choice((0, 0, 0, 1, 1, 2))
        draw = venue.rng.random()
        if draw < 0.35:
            venue.delta(instrument)
        elif draw < 0.65:
            venue.trade(instrument)
        elif draw < 0.97:
            venue.quote(instrument)
        else:
            venue.rare(2)
        if step % 1500 == 1499:
            venue.gap(instrument)
    venue.status(Status.STOP)
    return np.array(venue.rows, RECORD)


def batches(records: np.ndarray) -> Iterator[np.ndarray]:
    """The records batch by batch, as a feed publishes them."""
    ends = np.flatnonzero(records["flags"] & Flag.LAST) + 1
    yield from np.split(records, ends[:-1])
