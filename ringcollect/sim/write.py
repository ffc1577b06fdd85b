"""The simulated stream as a capture file, as if a client had recorded it: no sockets, no waiting.

The client subscribes to every default stream, asks for metadata, snapshots and open interest, asks for a new snapshot
half a second after a depth frame was lost or moved on its way, and connects again a second after it was cut off.
Receive times are the venue's plus a seeded latency, strictly increasing.
"""

from __future__ import annotations

import gzip
import heapq
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from ringcollect.sim.binance.venue import Venue
from ringcollect.sim.peer import Peer
from ringcollect.sim.rules import SECOND
from ringcollect.sim.truth import Truth
from ringcollect.sim.world import Options, World

DEFAULT_LENGTH_NS = 60 * SECOND
_MILLISECOND = 1_000_000
_SNAPSHOT_AFTER_NS = 300 * _MILLISECOND
_RESYNC_AFTER_NS = 500 * _MILLISECOND
_RETRY_AFTER_NS = SECOND
_RECONNECT_AFTER_NS = SECOND
_OPEN_INTEREST_EVERY_NS = 10 * SECOND
_REST_HOSTS = {"spot": "https://api.binance.com", "linear": "https://fapi.binance.com"}
_LEGS = (
    ("spot", "wss://stream.binance.com:9443", "/stream", ("trade", "depth@100ms", "bookTicker")),
    ("linear", "wss://fstream.binance.com", "/public/stream", ("trade", "depth@100ms", "bookTicker")),
    ("linear", "wss://fstream.binance.com", "/market/stream", ("markPrice@1s", "forceOrder")),
)
_BREAKS_A_BOOK = frozenset({"drop", "reorder", "gap", "silent"})


def write_capture(options: Options, folder: Path, length_ns: int, now_ns: int) -> dict[str, Any]:
    """Write ``folder/sim_binance.jsonl.gz`` and the truth file; returns their paths and the line counts.

    ``now_ns`` is the start where ``options.start_ns`` is 0. The bytes are a pure function of options and start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sim_binance.jsonl.gz"
    truth_path = options.truth or folder / "truth.jsonl"
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file:
        client = _Client(options, truth_path, now_ns, file)
        client.record(length_ns)
    return {"capture": str(path), "truth": str(truth_path)} | client.counts


class _Watcher(Truth):
    """The truth file, and what broke a book since it was last asked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.broken: list[str] = []

    def line(self, k: str, **fields: Any) -> None:
        super().line(k, **fields)
        if k == "fault" and fields["fault"] in _BREAKS_A_BOOK and "@depth" in fields["stream"]:
            self.broken.append(fields["stream"].partition("@")[0].upper())


class _Client:
    """A recording client in virtual time. Requests wait in a heap until they are due."""

    def __init__(self, options: Options, truth_path: Path, now_ns: int, file: gzip.GzipFile) -> None:
        self.counts = {"in": 0, "out": 0, "rest": 0}
        self._truth = _Watcher(truth_path)
        self._world = World(options, now_ns, self._truth)
        self._options = options
        self._rng = Random(f"{options.seed}/latency")
        self._file = file
        self._encode = msgspec.json.Encoder().encode
        self._last_t = 0
        self._due: list[tuple[int, str, str]] = []
        self._reconnects: list[tuple[int, int]] = []  # due time, leg index
        self._seats: list[tuple[int, Venue, Peer]] = []  # leg index, venue, connection

    def record(self, length_ns: int) -> None:
        """Run for ``length_ns`` of virtual time in steps of one millisecond."""
        world = self._world
        now_ns = world.start_ns
        self._ask(now_ns, "spot", "/api/v3/exchangeInfo")
        self._ask(now_ns, "linear", "/fapi/v1/exchangeInfo")
        self._ask_open_interest(now_ns)
        self._rest(now_ns)
        for leg in range(len(_LEGS)):
            if self._symbols(_LEGS[leg][0]):
                self._connect(leg, now_ns)
        while now_ns < world.start_ns + length_ns:
            now_ns += _MILLISECOND
            while not world.advance(now_ns):
                pass
            self._receive(now_ns)
            self._rest(now_ns)
        world.finish()
        self._receive(now_ns)
        world.truth.close()

    def _symbols(self, market: str) -> tuple[str, ...]:
        return self._options.spot if market == "spot" else self._options.linear

    def _connect(self, leg: int, now_ns: int) -> None:
        market, host, path, topics = _LEGS[leg]
        seat = self._world.connect(path, now_ns)
        assert seat is not None
        venue, peer = seat
        self._seats.append((leg, venue, peer))
        self._line(now_ns, peer.number, "out", "", host + path)
        names = [f"{symbol.lower()}@{topic}" for symbol in self._symbols(market) for topic in topics]
        request = self._encode({"method": "SUBSCRIBE", "params": names, "id": 1}).decode()
        self._line(now_ns, peer.number, "out", request, host + path)
        venue.receive(peer, request, now_ns)
        if "depth@100ms" in topics:
            for symbol in self._symbols(market):
                self._ask_snapshot(market, symbol, now_ns + _SNAPSHOT_AFTER_NS)

    def _receive(self, now_ns: int) -> None:
        for leg, venue, peer in list(self._seats):
            for kind, payload in peer.drain(now_ns):
                if kind != "ping":
                    url = _LEGS[leg][1] + _LEGS[leg][2]
                    self._line(now_ns, peer.number, "in", payload.decode(errors="replace"), url)
                peer.pong()
            if peer.closed:
                venue.lost(peer, peer.close_code, peer.close_reason, now_ns)
                self._seats.remove((leg, venue, peer))
                self._reconnects.append((now_ns + _RECONNECT_AFTER_NS, leg))
        while self._reconnects and self._reconnects[0][0] <= now_ns:
            self._connect(self._reconnects.pop(0)[1], now_ns)
        broken, self._truth.broken = self._truth.broken, []
        for symbol in dict.fromkeys(broken):
            for market in ("spot", "linear"):
                if symbol in self._symbols(market):
                    self._ask_snapshot(market, symbol, now_ns + _RESYNC_AFTER_NS)

    def _ask(self, due_ns: int, market: str, target: str) -> None:
        if self._symbols(market):
            heapq.heappush(self._due, (due_ns, market, target))

    def _ask_snapshot(self, market: str, symbol: str, due_ns: int) -> None:
        prefix = "/api/v3" if market == "spot" else "/fapi/v1"
        self._ask(due_ns, market, f"{prefix}/depth?symbol={symbol}&limit=1000")

    def _ask_open_interest(self, due_ns: int) -> None:
        for symbol in self._options.linear:
            self._ask(due_ns, "linear", f"/fapi/v1/openInterest?symbol={symbol}")

    def _rest(self, now_ns: int) -> None:
        while self._due and self._due[0][0] <= now_ns:
            due_ns, market, target = heapq.heappop(self._due)
            answer = self._world.get(target, now_ns)
            assert answer is not None
            if answer.status != 200:
                self._ask(due_ns + _RETRY_AFTER_NS, market, target)
                continue
            self._line(now_ns, -1, "rest", answer.body, _REST_HOSTS[market] + target)
            if "openInterest" in target:
                self._ask(due_ns + _OPEN_INTEREST_EVERY_NS, market, target)

    def _line(self, now_ns: int, conn: int, direction: str, text: str, url: str) -> None:
        latency_ns = 200_000 + int(self._rng.expovariate(1 / 800_000))
        self._last_t = max(self._last_t + 1_000, now_ns + latency_ns)
        self.counts[direction] += 1
        self._file.write(self._encode(Recorded(self._last_t, conn, direction, url, text)) + b"\n")


class Recorded(msgspec.Struct, frozen=True):
    """One line of a capture: time ns, connection, direction, URL, text."""

    t: int
    c: int
    d: str
    u: str
    f: str
