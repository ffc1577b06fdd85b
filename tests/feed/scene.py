"""A random but seeded day at the venue: true books; frames lost, doubled and swapped; cuts and slow answers."""

from __future__ import annotations

import random
from typing import Any

from ringcollect.feed.legs import Phase
from tests.feed.script import BookOf, Stage, depth, snapshot, ticker, trade

SYMBOLS = ("AAAUSDT", "BBBUSDT")


class Venue:
    """The true state of each symbol; ``states[symbol][id]`` is its book after the update ``id``."""

    def __init__(self, rng: random.Random, market: str) -> None:
        self.rng, self.linear = rng, market == "linear"
        self.books: dict[str, dict[tuple[int, str], str]] = {s: {} for s in SYMBOLS}
        self.ids = dict.fromkeys(SYMBOLS, 1000)
        self.events = dict.fromkeys(SYMBOLS, 1000)
        self.trade_ids = dict.fromkeys(SYMBOLS, 1)
        self.states: dict[str, dict[int, dict[tuple[int, float], float]]] = {s: {1000: {}} for s in SYMBOLS}

    def delta(self, symbol: str) -> dict:
        rng, book = self.rng, self.books[symbol]
        first = self.ids[symbol] + (rng.randrange(1, 50) if self.linear else 1)
        last = first + rng.randrange(3)
        prev = self.events[symbol]
        changes: dict[int, list] = {1: [], -1: []}
        for _ in range(rng.randrange(0, 4)):
            side = rng.choice((1, -1))
            price = f"{100 - side * rng.randrange(1, 30) * 0.01:.2f}"
            size = rng.choice(("0.000", f"{rng.randrange(1, 999) / 1000:.3f}"))
            changes[side] = [c for c in changes[side] if c[0] != price] + [[price, size]]
            if float(size):
                book[side, price] = size
            else:
                book.pop((side, price), None)
        self.ids[symbol] = self.events[symbol] = last
        self.states[symbol][last] = {(s, float(p)): float(z) for (s, p), z in book.items()}
        return depth(symbol, first, last, changes[1], changes[-1], prev if self.linear else None)

    def snapshot(self, symbol: str) -> dict:
        sides = {side: [[p, z] for (s, p), z in self.books[symbol].items() if s == side] for side in (1, -1)}
        return snapshot(self.ids[symbol], sides[1], sides[-1])

    def print(self, symbol: str) -> dict:
        self.trade_ids[symbol] += 1
        return trade(symbol, self.trade_ids[symbol], "99.99", "0.125")

    def quote(self, symbol: str) -> dict:
        return ticker(symbol, self.ids[symbol])


def play(s: Stage, seed: int, steps: int, faults: float) -> Venue:
    """Run ``steps`` events through the stage's session; a share ``faults`` of the frames meets an accident."""
    rng = random.Random(seed)
    venue = Venue(rng, s.market)
    s.up()
    swapped: dict[int, list[Any]] = {}
    for _ in range(steps):
        symbol = rng.choice(SYMBOLS)
        frame = rng.choice((venue.delta, venue.delta, venue.print, venue.quote))(symbol)
        for conn in [c for c, socket in s.session.connections.sockets.items() if socket.phase == Phase.OPEN]:
            for each in on_the_way(frame, swapped.setdefault(conn, []), rng, faults):
                if conn in s.session.connections.sockets:
                    s.frame(each, conn, after=rng.random() * 0.02)
            if rng.random() < faults * 0.02:
                s.session.close(conn, 1006, "cut", s.now)
                s._collect()
        answer(s, venue, rng)
        s.advance(rng.random() * 0.05)
        if rng.random() < 0.01:
            s.session.resync(s.number(symbol), s.now)
            s._collect()
    return venue


def on_the_way(frame: Any, swapped: list[Any], rng: random.Random, faults: float) -> list[Any]:
    """What one connection sees of ``frame``: mostly just that."""
    accident = rng.random() / faults if faults else 1.0
    if accident < 0.25:
        return []
    if accident < 0.5:
        return [frame, frame]
    if accident < 0.75:
        swapped.append(frame)
        return []
    if accident < 0.9:
        return [rng.choice((b"{", b"garbage", b'{"e":"depthUpdate"}')), frame]
    if accident < 1.0:
        return [{"e": "serverShutdown", "E": 1_700_000_000_000}, frame]
    late, swapped[:] = list(swapped), []
    return [frame, *late]


def answer(s: Stage, venue: Venue, rng: random.Random) -> None:
    """Sockets come up, acks come, snapshots come when they like."""
    s.open_sockets()
    s.ack()
    for rest in [a for a in s.log if getattr(a, "purpose", "") == "snapshot"]:
        if rng.random() < 0.3:
            s.log.remove(rest)
            symbol = next(x for x in SYMBOLS if s.number(x) == rest.instrument)
            s.answer(rest, 200 if rng.random() < 0.9 else 500, venue.snapshot(symbol))


def follow(s: Stage, venue: Venue, symbol: str) -> tuple[int, int]:
    """Walk the ring as a consumer would: after each applied batch the book is the venue's, or the chain says it is not.

    Returns (batches applied with the book right, batches at which it was known to be broken).
    """
    book, right, known_broken = BookOf(), 0, 0
    records = s.data(symbol)
    start = 0
    for i, record in enumerate(records):
        if not record["flags"] & 1:
            continue
        batch, start = records[start : i + 1], i + 1
        before = book.last
        book.apply(batch)
        if book.last is None or (book.last == before and batch["flags"][0] & 16):
            continue
        if book.broken:
            known_broken += 1
        else:
            assert book.levels == venue.states[symbol][book.last], f"a wrong book after id {book.last}, unnoticed"
            right += 1
    return right, known_broken
