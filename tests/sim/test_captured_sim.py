"""Captures of every exchange served as in life: a collector that subscribes records what is in them, all of it."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import orjson
import pytest

from ringcollect.feed.ledger import State
from ringcollect.records import Channel, Flag, Kind
from ringcollect.sim.capture import CaptureStage
from ringcollect.sim.scene import Answer
from tests.exchanges.frames import lines
from tests.exchanges.sessions import run as passive
from tests.exchanges.test_binance_oracle import SIDES
from tests.exchanges.test_captured_books import Book
from tests.sim.venues import T0, Desk

DERIVED = ("mark_price", "index_price", "funding", "open_interest")
LINEAR = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
KINDS = {
    "book": (Kind.BOOK_SNAPSHOT, Kind.BOOK_DELTA, Kind.BOOK_CHECK), "trade": (Kind.TRADE,), "bbo": (Kind.BBO,),
    "mark_price": (Kind.MARK_PRICE,), "index_price": (Kind.INDEX_PRICE,), "funding": (Kind.FUNDING,),
    "open_interest": (Kind.OPEN_INTEREST,),
}  # fmt: skip

NONE_OF = ("rejected", "seq_gaps", "trade_gaps", "resyncs", "reconnects", "duplicates", "rest_errors")


class Case(NamedTuple):
    """What is collected of a capture: market -> (symbols, channels), which came over the connection ``conns`` says."""

    capture: str
    exchange: str
    markets: dict[str, tuple[tuple[str, ...], tuple[str, ...]]]
    records: int
    """At least so many."""
    history: bool = False
    """Whether the oracle has the prints from before the subscription, too."""
    conns: dict[str, int] = {}  # noqa: RUF012
    depth: int = 0
    url: str = ""


CASES = {
    "bybit": Case(
        "bybit_v5_2026", "bybit",
        {"linear": (LINEAR, ("book", "trade", *DERIVED)), "spot": (LINEAR[:2], ("book", "trade"))},
        21_000, conns={"spot": 1},
    ),
    "okx": Case(
        "okx_v5_2022_05", "okx",
        {
            "spot": (("BTC-USDT",), ("book", "trade")),
            "inverse": (("UNI-USD-SWAP", "BTC-USD-220527"), ("book", "trade")),
        },
        8_600, history=True,
    ),
    "okx without a recorded list": Case("okx_v5_2026", "okx", {"spot": (("BTC-USDT",), ("book",))}, 130),
    "coinbase": Case(
        "coinbase_adv_2026", "coinbase", {"spot": (("ETH-USD",), ("book", "trade", "bbo"))}, 20_000,
        history=True,
    ),
    "coinbase's exchange feed": Case(
        "coinbase_exchange_2021", "coinbase", {"spot": (("SKL-USD", "BAND-GBP", "YFI-BTC"), ("book", "trade"))}, 6_700,
        url="wss://ws-feed.exchange.coinbase.com/ws-feed",
    ),
    "kraken, depth 10": Case("kraken_v2_2026", "kraken", {"spot": (("BTC/USD",), ("book",))}, 700, depth=10),
    "kraken, depth 25": Case(
        "kraken_v2_2026", "kraken", {"spot": (("BTC/USD",), ("book",))}, 5_000, depth=25, conns={"spot": 1}
    ),
    "kraken_futures": Case(
        "kraken_futures_2021", "kraken_futures",
        {"inverse": (("PI_ETHUSD", "PI_LTCUSD", "FI_XBTUSD_210924"), ("book", "trade"))}, 6_900,
    ),
    "upbit": Case(
        "upbit_2021", "upbit", {"spot": (("KRW-LAMB", "KRW-WAVES", "BTC-ITAM"), ("book", "trade", "bbo"))}, 4_100
    ),
}  # fmt: skip


class Playing:
    """A served capture for a Desk: all its clients are of one venue."""

    def __init__(self, stage: CaptureStage) -> None:
        self.stage = stage
        self.scene = self.scheduler = self
        self.host: Any = None
        self.asked: list[tuple[str, int]] = []

    def run_until(self, now_ns: int, most: int) -> None:
        while not self.stage.advance(T0 + now_ns):
            pass

    def open(self, number: int, url: str, now_ns: int) -> Any:
        seat = self.stage.connect(urlsplit(url).path, now_ns)
        assert seat is not None, url
        self.host = seat[0]
        return seat[1]

    def receive(self, peer: Any, text: str, now_ns: int) -> None:
        self.host.receive(peer, text, now_ns)

    def lost(self, peer: Any, code: int, reason: str, now_ns: int) -> None:
        self.host.lost(peer, code, reason, now_ns)

    def get(self, target: str, now_ns: int) -> Answer | None:
        answer = self.stage.get(target, now_ns)
        self.asked.append((target, answer.status if answer else 0))
        return answer


class Served(NamedTuple):
    """A case, and the desk that has collected all of it at full speed."""

    case: Case
    desk: Desk
    venue: Playing

    def of(self, market: str, symbol: str, channel: str) -> np.ndarray:
        return of(self.desk.records(), self.desk.registry, market, symbol, channel)


def of(records: np.ndarray, registry: Any, market: str, symbol: str, channel: str) -> np.ndarray:
    """Rows of one instrument and channel."""
    instrument = registry.get(market, symbol)
    assert instrument is not None, symbol
    return records[np.isin(records["kind"], KINDS[channel]) & (records["instrument"] == instrument.number)]


@pytest.fixture(params=CASES, scope="module")
def served(
    request: pytest.FixtureRequest, captures: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    case = CASES[request.param]
    stage = CaptureStage(captures / f"{case.capture}.jsonl.gz", T0, exchange=case.exchange, speed=0.0)
    venue = Playing(stage)
    desk = Desk(tmp_path_factory.mktemp("served"), case.exchange, venue, case.markets, url=case.url, depth=case.depth)
    while not stage.finished():
        desk.run(0.5)
        assert desk.now - T0 < 60 * 10**9
    desk.run(0.1)
    yield Served(case, desk, venue)
    desk.ring.close()


def test_what_is_asked_for_is_recorded_as_by_whoever_was_there(served: Served, captures: Path, tmp_path: Path) -> None:
    """Bit for bit what a session makes of the capture itself; only when it was received is another time."""
    case, desk, _ = served
    path = tmp_path / "one.jsonl.gz"
    conns = {-1, *(case.conns.get(market, 0) for market in case.markets)}
    with gzip.open(captures / f"{case.capture}.jsonl.gz") as whole, gzip.open(path, "wb", compresslevel=1) as part:
        part.writelines(line for line in whole if orjson.loads(line)["c"] in conns)
    expected = passive(path, case.exchange, tmp_path / "passive")
    compared = 0
    for market, (symbols, channels) in case.markets.items():
        for symbol, channel in product(symbols, channels):
            mine, theirs = served.of(market, symbol, channel), of(
                expected.records, expected.registry, market, symbol, channel
            )  # fmt: skip
            for field in ("kind", "side", "sub", "price", "size", "ts_event", "id", "aux"):
                np.testing.assert_array_equal(mine[field], theirs[field], err_msg=f"{symbol} {channel} {field}")
            flags = ~np.uint16(Flag.BAD_TS)  # a capture is old when it is served
            np.testing.assert_array_equal(mine["flags"] & flags, theirs["flags"] & flags)
            compared += len(mine)
    assert compared >= case.records
    counters = desk.ring.counters
    assert {name: counters[name] for name in NONE_OF} == dict.fromkeys(NONE_OF, 0)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    told = {
        (symbol, channel) for symbol, channel in desk.ledger() if desk.ledger()[symbol, channel][0] == State.FLOWING
    }
    quiet = desk.ledger().keys() - told
    assert all(channel in (Channel.TRADE, Channel.BBO) for _, channel in quiet)  # acknowledged; nobody traded


def test_prints_and_last_books_are_the_oracles(served: Served, captures: Path) -> None:
    case = served.case
    outputs = [m for line in lines(captures / "oracle" / f"{case.capture}.jsonl.gz") for m in line["out"]]
    states = {
        (line["c"], line["s"]): line for line in lines(captures / "oracle" / f"books_{case.capture}.jsonl.gz")
    }  # fmt: skip
    for market, (symbols, channels) in case.markets.items():
        for symbol in symbols:
            if "trade" in channels:
                rows = served.of(market, symbol, "trade")
                rows = rows if case.history else rows[(rows["flags"] & Flag.SNAPSHOT) == 0]
                mine = Counter((float(r["price"]), float(r["size"]), int(r["side"])) for r in rows)
                assert mine == Counter(
                    (m["price"], m["amount"], SIDES[m["side"]]) for m in outputs
                    if m["type"] == "trade" and m["symbol"] == symbol and m["exchange"].endswith("-spot") == (
                        market == "spot" and case.exchange == "bybit"
                    )
                )  # fmt: skip
            book, state = Book(), states[case.conns.get(market, 0), symbol]
            instrument = served.desk.registry.get(market, symbol)
            assert instrument is not None
            for row in served.of(market, symbol, "book"):
                book.apply(row, instrument.book_depth)
            assert (len(book.levels[1]), len(book.levels[-1])) == (state["nb"], state["na"])
            for side, key in ((1, "b"), (-1, "a")):
                best = sorted(book.levels[side].items(), reverse=side == 1)[:10]
                assert best == [(float(price), float(size)) for price, size in state[key]]


def test_lists_of_instruments_come_from_the_capture_or_of_its_symbols(served: Served) -> None:
    """And the collector knows its instruments by them, not by guesses."""
    assert {status for _, status in served.venue.asked} == {200}
    for market, (symbols, _) in served.case.markets.items():
        for symbol in symbols:
            instrument = served.desk.registry.get(market, symbol)
            assert instrument is not None and not instrument.inferred and instrument.base


def served_texts(stage: CaptureStage, peer: Any, now: int) -> list[str]:
    stage.advance(now)
    return [payload.decode() for _, payload in peer.drain(now)]


def okx_stage(captures: Path, speed: float) -> CaptureStage:
    return CaptureStage(captures / "okx_v5_2022_05.jsonl.gz", T0, exchange="okx", speed=speed)


ASK = '{"op":"subscribe","args":[{"channel":"books","instId":"BTC-USDT"}]}'


def test_frames_wait_until_everything_is_asked_for_and_then_keep_their_pace(captures: Path) -> None:
    second = 10**9
    stage = okx_stage(captures, 2.0)
    host, peer = stage.connect("/ws/v5/public", T0) or pytest.fail("no such path")
    host.receive(peer, ASK, T0)
    host.receive(peer, ASK.replace("books", "trades"), T0 + second)
    assert len(served_texts(stage, peer, T0 + second)) == 2  # the answers
    assert not served_texts(stage, peer, T0 + 3 * second - 1)
    began = T0 + 3 * second
    arrived: dict[str, int] = {}
    for now in range(began, began + 6 * second, second // 100):
        arrived |= dict.fromkeys(served_texts(stage, peer, now), now - began)
    recorded = list(lines(captures / "okx_v5_2022_05.jsonl.gz"))
    first = next(line["t"] for line in recorded if '"data"' in line["f"] and line["d"] == "in")
    wanted = [
        line for line in recorded
        if line["d"] == "in" and '"data"' in line["f"] and '"BTC-USDT"' in line["f"] and "tickers" not in line["f"][:40]
    ]  # fmt: skip
    assert list(arrived) == [line["f"] for line in wanted] and len(wanted) > 150
    for line in wanted:
        due = (line["t"] - first) // 2
        assert due <= arrived[line["f"]] <= due + second // 100
    assert stage.finished()


def test_whoever_comes_late_gets_the_last_whole_book_and_what_changed_since(captures: Path) -> None:
    stage = okx_stage(captures, 0.0)
    seats = [stage.connect("/ws/v5/public", T0) or pytest.fail("no such path") for _ in range(2)]
    (host, first), (_, late) = seats
    host.receive(first, ASK, T0)
    stage.advance(T0)
    while not stage.finished():
        stage.advance(T0 + 3 * 10**9)
    host.receive(late, ASK, T0 + 4 * 10**9)
    early, after = ([payload for _, payload in peer.drain(T0 + 5 * 10**9)] for peer in (first, late))
    assert len(early) == 99 and early == after
    host.receive(late, ASK.replace("books", "trades"), T0 + 6 * 10**9)
    assert len(late.drain(T0 + 7 * 10**9)) == 1  # an answer; prints that are past are past
