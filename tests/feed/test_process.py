"""The child's main against the simulated exchange on loopback: real sockets, real REST, real rings."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ringcollect.config import Collector, Config, Market, Override, Ring, Storage, Websocket
from ringcollect.errors import EnvironmentRefused, RingError
from ringcollect.exchanges import load
from ringcollect.feed import recording
from ringcollect.feed.counters import FEED_COUNTERS
from ringcollect.feed.ledger import State
from ringcollect.feed.process import open_rings, plan_from_config, run
from ringcollect.feed.session import Session
from ringcollect.instruments import Registry
from ringcollect.records import WHOLE_EXCHANGE, Flag, Kind, Status
from ringcollect.ring.attach import attach
from ringcollect.ring.control import Control
from ringcollect.ring.frames import Direction, attach_frames
from ringcollect.ring.paths import control_path
from ringcollect.ring.producer import Producer
from ringcollect.ring.requests import request_books
from ringcollect.sim.faults import parse_faults
from ringcollect.sim.server import Simulator
from ringcollect.sim.world import Options, World
from tests.feed.script import BookOf

EVERYTHING = ("book", "trade", "bbo", "mark_price", "index_price", "funding", "open_interest")


@contextmanager
def simulated(truth: Path | None = None, faults: str = "", rate: float = 800.0) -> Iterator[str]:
    """A simulated Binance in a thread of its own; yields ``host:port``."""
    ready: list[int] = []
    told, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        world = World(Options(rate=rate, faults=parse_faults(faults), truth=truth, seed=5), time.time_ns())
        simulator = Simulator(world)
        ready.append(await simulator.start())
        told.set()
        while not stop.is_set():
            await asyncio.sleep(0.01)
        await simulator.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert told.wait(20)
    try:
        yield f"127.0.0.1:{ready[0]}"
    finally:
        stop.set()
        thread.join(20)


def config_for(folder: Path, host: str, **sections: object) -> Config:
    def market(name: str, channels: tuple[str, ...]) -> Market:
        return Market(
            exchange="binance", market=name, symbols=("BTCUSDT", "eth/usdt"), channels=channels,
            url=f"ws://{host}", rest_url=f"http://{host}",
        )  # fmt: skip

    collector = Collector(data=str(folder / "data"), runtime_dir=str(folder / "run"))
    markets = (market("spot", EVERYTHING[:3]), market("linear", EVERYTHING))
    return Config(collector=collector, markets=markets, **sections)  # type: ignore[arg-type]


class Until:
    """A ``stop()`` that is true once ``enough(ring)`` is, or after ``seconds``: the test then fails on content."""

    def __init__(self, config: Config, enough: Callable[[object], bool], seconds: float = 20.0) -> None:
        self.path = config.runtime_path() / "binance.rec.ring"
        self.enough, self.deadline = enough, time.monotonic() + seconds
        self.reader = None

    def __call__(self) -> bool:
        if self.reader is None and self.path.exists():
            self.reader = attach(self.path)
        return time.monotonic() > self.deadline or (self.reader is not None and self.enough(self.reader))


def everything(config: Config) -> np.ndarray:
    reader = attach(config.runtime_path() / "binance.rec.ring")
    reader.cursor = 0
    read = reader.read(1 << 20)
    assert read.lost[0] == read.lost[1]
    return read.records


def all_flowing(records: int) -> Callable[[object], bool]:
    """Enough records, and every one of the 20 subscriptions flows."""

    def enough(reader) -> bool:
        states = reader.ledger.rows()["state"]
        return reader.head > records and len(states) == 20 and (states == State.FLOWING).all()

    return enough


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


def test_everything_the_exchange_sent_is_in_the_ring_and_every_stream_flows(tmp_path, transport):
    """Over either transport, half of the messages in fragments."""
    truth = tmp_path / "truth.jsonl"
    with simulated(truth, faults="fragment=0.5") as host:
        websocket = Websocket(open_interest_poll="1s", transport=transport)
        config = config_for(tmp_path, host, websocket=websocket)
        run(config, "binance", Until(config, all_flowing(6_000)))
    reader = attach(config.runtime_path() / "binance.rec.ring")
    counters = dict(reader.counters)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    for zero in ("seq_gaps", "trade_gaps", "rejected", "duplicates", "half_open", "reconnects", "rest_errors"):
        assert counters[zero] == 0, zero
    assert reader.state == "closed" and not reader.producer_alive()
    records = everything(config)
    assert (records["kind"][-1], records["sub"][-1]) == (Kind.STATUS, Status.STOP)
    flowing = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.FLOWING)]
    instruments = {(i.market, i.symbol): i for i in reader.instruments()}
    assert len({(r["instrument"], r["side"]) for r in flowing}) == 2 * 3 + 2 * len(EVERYTHING)
    assert set(instruments) == {(m, s) for m in ("spot", "linear") for s in ("BTCUSDT", "ETHUSDT")}
    sent = [json.loads(line) for line in truth.read_bytes().splitlines()]
    for (market, symbol), instrument in instruments.items():
        mine = records[records["instrument"] == instrument.number]
        trades = mine[mine["kind"] == Kind.TRADE]
        matches = [t for t in sent if t["k"] == "trade" and (t["m"], t["s"]) == (market, symbol)]
        told = {t["id"]: t for t in matches if t.get("x") != "NA"}
        first, last = int(trades["id"][0]), int(trades["id"][-1])
        assert trades["id"].tolist() == [number for number in told if first <= number <= last]
        for r in trades:
            assert (r["price"], r["size"]) == (float(told[r["id"]]["p"]), float(told[r["id"]]["q"]))
        book = BookOf().apply(mine)
        assert not book.broken and book.last is not None
        assert max(book.side(+1)) < min(book.side(-1))
        ages = trades["ts_recv"] - trades["ts_event"]
        assert (ages > -(10**9)).all() and np.median(ages) < 2 * 10**9


def test_a_half_open_line_is_noticed_replaced_and_everything_flows_again(tmp_path, transport):
    with simulated(faults="half_open=2s") as host:
        config = config_for(tmp_path, host, websocket=Websocket(stale="1500ms", transport=transport))

        def replaced(reader) -> bool:
            return reader.counters["half_open"] >= 1 and reader.counters["reconnects"] >= 1 and flowing(reader)

        flowing = all_flowing(500)
        run(config, "binance", Until(config, replaced))
    counters = dict(attach(config.runtime_path() / "binance.rec.ring").counters)
    assert counters["half_open"] >= 1 and counters["reconnects"] >= 1 and counters["rejected"] == 0
    records = everything(config)
    status = records[records["kind"] == Kind.STATUS]
    lost = status[status["sub"] == Status.DISCONNECTED]
    assert len(lost), "the data does not say that it was cut off"
    after = records[records["seq"] > lost["seq"][-1]]
    assert (after["kind"] == Kind.TRADE).any() and (after["kind"] == Kind.BOOK_SNAPSHOT).any()


def test_a_recorded_run_plays_back_to_the_same_ring(tmp_path):
    with simulated(faults="drop=0.01,dup=0.01,reorder=0.01,garbage=0.005", rate=500) as host:
        rings = Ring(frame_entries=1 << 16, recording_bytes=64 << 20)
        config = config_for(
            tmp_path,
            host,
            storage=Storage(record_frames=True),
            ring=rings,
            websocket=Websocket(open_interest_poll="1s"),
        )
        run(config, "binance", Until(config, all_flowing(3_000)))
    frames = attach_frames(config.runtime_path() / "binance.frm.ring")
    frames.ring.cursor = 0
    entries = []
    while True:
        more, lost = frames.read(4096)
        assert lost[0] == lost[1]
        entries += more
        if not more:
            break
    plan = recording.plan_of(entries[0])
    assert plan is not None
    ring = Producer.open(
        tmp_path / "replay", "binance.rec", capacity=1 << 17, generation=1, counters=FEED_COUNTERS, ledger_rows=256
    )  # fmt: skip
    session = Session(plan, load("binance"), Registry(None, "binance"), ring)
    for entry in entries:
        if entry.direction is not Direction.REJECT:
            recording.apply(session, entry)
            session.actions()
    reader = attach(ring.path)
    reader.cursor = 0
    assert reader.read(1 << 20).records.tobytes() == everything(config).tobytes()
    ring.close()


def test_with_dropped_doubled_and_swapped_frames_books_heal_and_nothing_is_lost_silently(tmp_path):
    with simulated(faults="drop=0.02,dup=0.01,reorder=0.02,garbage=0.01,gap=0.05,snapshot_old=0.2", rate=2000) as host:
        config = config_for(tmp_path, host, websocket=Websocket(retry_first="100ms"))
        run(config, "binance", Until(config, lambda r: r.counters["seq_gaps"] >= 5 and r.counters["trade_gaps"] >= 5))
    reader = attach(config.runtime_path() / "binance.rec.ring")
    counters = dict(reader.counters)
    assert counters["frames_in"] == sum(counters[n] for n in ("decoded", "control", "ignored", "rejected"))
    assert counters["seq_gaps"] >= 5 and counters["rejected"] > 0 and counters["trade_gaps"] > 0
    records = everything(config)
    gaps = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.SEQ_GAP)]
    assert len(gaps) == counters["seq_gaps"] + counters["trade_gaps"]
    done = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.RESYNC_DONE)]
    assert len(done) >= 1
    for instrument in reader.instruments():
        assert not BookOf().apply(records[records["instrument"] == instrument.number]).broken


def test_cut_connections_come_back_and_flow(tmp_path):
    with simulated(faults="cut=2s", rate=400) as host:
        config = config_for(tmp_path, host, websocket=Websocket(retry_first="50ms", retry_max="200ms"))
        run(config, "binance", Until(config, lambda r: r.counters["reconnects"] >= 3 and r.counters["resyncs"] >= 4))
    counters = dict(attach(config.runtime_path() / "binance.rec.ring").counters)
    assert counters["reconnects"] >= 3 and counters["resyncs"] >= 4
    records = everything(config)
    lost = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.DISCONNECTED)]
    assert len(lost) >= 3 and (lost["side"] > 0).all()


def test_a_resync_word_in_the_control_file_reaches_the_book_and_a_request_for_books_the_stream(tmp_path):
    asked = []
    with simulated(rate=300) as host:
        config = config_for(tmp_path, host)

        def enough(reader) -> bool:
            records = reader.last(2000)
            if not asked and np.any((records["kind"] == Kind.BOOK_DELTA) & (records["flags"] & Flag.UNSYNCED == 0)):
                number = int(records["instrument"][records["kind"] == Kind.BOOK_SNAPSHOT][0])
                Control(control_path(reader.path)).request_resync(number)
                request_books("binance", directory=reader.path.parent)
                asked.append(number)
            return reader.counters["resyncs_asked"] == 1 and np.any(
                (records["kind"] == Kind.STATUS) & (records["sub"] == Status.RESYNC_DONE)
            )

        run(config, "binance", Until(config, enough))
    records = everything(config)
    done = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.RESYNC_DONE)]
    assert asked and [int(r["instrument"]) for r in done] == asked
    wanted = records[(records["kind"] == Kind.STATUS) & (records["sub"] == Status.BOOKS_WANTED)]
    assert wanted["instrument"].tolist() == [WHOLE_EXCHANGE]


def test_an_exchange_that_is_not_there_is_tried_again_and_the_process_stops_when_told(tmp_path):
    config = config_for(tmp_path, "127.0.0.1:1", websocket=Websocket(retry_first="50ms", retry_max="100ms"))
    began = time.monotonic()
    run(config, "binance", Until(config, lambda r: r.counters["rest_errors"] >= 2 and r.head > 3, seconds=3))
    assert time.monotonic() - began < 6
    records = everything(config)
    assert records["sub"][-1] == Status.STOP and (records["sub"] == Status.TICK).any()


def test_a_second_feed_of_the_same_exchange_is_refused_while_the_first_lives(tmp_path):
    config = config_for(tmp_path, "127.0.0.1:1")
    plan = plan_from_config(config, "binance")
    registry = Registry(None, "binance")
    ring, frames = open_rings(config, plan, registry, 1)
    with pytest.raises(EnvironmentRefused, match="living producer"):
        open_rings(config, plan, registry, 2)
    ring.close()
    frames.close()
    again, more = open_rings(config, plan, registry, 3)
    assert again.reattached and again.generation == 1
    again.close()
    more.close()


def test_a_ring_that_outlived_its_lake_keeps_its_numbers_or_gets_a_new_generation(tmp_path):
    config = config_for(tmp_path, "127.0.0.1:1")
    plan = plan_from_config(config, "binance")
    first = Registry(None, "binance")
    ring, frames = open_rings(config, plan, first, 1)
    for symbol in ("AAAUSDT", "BBBUSDT"):
        ring.instruments.put(first.register("spot", symbol, 1)[0])
    ring.close()
    frames.close()

    emptied = Registry(None, "binance")  # the lake was deleted: the ring's numbers go on
    ring, frames = open_rings(config, plan, emptied, 2)
    assert ring.generation == 1
    assert [i.symbol for i in emptied.rows()] == ["AAAUSDT", "BBBUSDT"]
    with pytest.raises(RingError, match="instrument 0 is spot AAAUSDT, not CCCUSDT"):
        ring.instruments.put(Registry(None, "binance").register("spot", "CCCUSDT", 1)[0])
    ring.close()
    frames.close()

    other = Registry(None, "binance")  # another lake, where 0 is something else
    other.register("spot", "CCCUSDT", 1)
    ring, frames = open_rings(config, plan, other, 3)
    assert ring.generation == 3 and ring.instruments.count == 0
    assert [i.symbol for i in other.rows()] == ["CCCUSDT"]
    ring.close()
    frames.close()


def test_a_plan_carries_channels_and_depths_of_each_symbol():
    entry = Market(
        exchange="binance", market="spot", symbols=("BTCUSDT", "ETHUSDT"), depth=100,
        override=(Override(symbols=("eth/usdt",), channels=("trade",), depth=500),),
    )  # fmt: skip
    other = Market(exchange="binance", market="spot", symbols=("XRPUSDT",))
    plan = plan_from_config(Config(markets=(entry, other)), "binance", seed=9)
    [market] = plan.markets
    assert [(s.symbol, s.channels, s.depth) for s in market.symbols] == [
        ("BTCUSDT", ("book", "trade", "bbo"), 100), ("ETHUSDT", ("trade",), 500),
        ("XRPUSDT", ("book", "trade", "bbo"), 0),
    ]  # fmt: skip
    assert plan.options.seed == 9 and plan.streams() == 7 and plan.options.stale_ns == 30 * 10**9
