"""What a look at the rings tells, against what was really published and read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ringcollect.observe.rings import RingSet
from ringcollect.records import Channel
from ringcollect.ring.attach import attach
from tests.observe.rings import CAPACITY, GENERATION, producer, subscribe, trades


def test_head_counters_and_instruments_are_those_of_the_producer(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    ring.publish(trades(5))
    ring.counters.count("frames_in", 5)
    ring.heartbeat(GENERATION + 3)
    (report,) = RingSet(tmp_path).reports(0)
    assert (report.name, report.kind, report.head, report.capacity) == ("binance.rec", "rec", 5, CAPACITY)
    assert (report.generation, report.instruments, report.pid) == (GENERATION, 2, os.getpid())
    assert report.counters["frames_in"] == 5
    assert report.heartbeat_ns == GENERATION + 3
    assert report.alive
    assert report.rate == -1, "one look has no rate"
    ring.close()


def test_lag_loss_and_fill_of_a_reader_are_exact(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    reader = attach(ring.path, register="journal")
    rings = RingSet(tmp_path)
    ring.publish(trades(16))
    (report,) = rings.reports(0)
    (consumer,) = report.consumers
    assert (consumer.name, consumer.lag, consumer.fill, consumer.lost) == ("journal", 16, 0.25, 0)
    assert report.fill == 0.25
    for start in range(0, 3 * CAPACITY, 8):
        ring.publish(trades(8, first=start))
    read = 0
    while len(records := reader.read().records):
        read += len(records)
    reader.commit()
    (report,) = rings.reports(1)
    (consumer,) = report.consumers
    assert consumer.lag == 0
    assert consumer.lost == report.head - read > 0
    ring.close()


def test_rates_come_from_two_looks_and_stop_at_a_new_generation(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    rings = RingSet(tmp_path)
    rings.reports(1_000_000_000)
    ring.publish(trades(8))
    ring.publish(trades(2))
    (report,) = rings.reports(3_000_000_000)
    assert report.rate == 5.0
    ring.close()
    ring.path.unlink()
    fresh = producer(tmp_path, generation=GENERATION + 1)
    fresh.publish(trades(3))
    (report,) = rings.reports(4_000_000_000)
    assert (report.generation, report.head, report.rate) == (GENERATION + 1, 3, -1)
    fresh.close()


def test_the_life_of_a_producer_is_its_lock_not_its_pid(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    ring.words[33] = 1  # the header's pid of a living stranger
    rings = RingSet(tmp_path)
    assert rings.reports(0)[0].alive
    ring.close()
    (report,) = rings.reports(0)
    assert (report.alive, report.state) == (False, "closed")


def test_the_ledger_is_shown_with_names_and_reasons(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.BOOK, state=3)
    subscribe(ring, 1, Channel.TRADE, state=4, reason=6)
    (view,) = RingSet(tmp_path).views()
    first, second = view.subscriptions(GENERATION)
    assert (first.exchange, first.market, first.symbol, first.channel) == ("binance", "spot", "BTCUSDT", "book")
    assert (first.state, first.reason, first.frames, first.gaps) == ("flowing", "", 7, 1)
    assert (second.symbol, second.state, second.reason) == ("ETHUSDT", "stale", "flowed, then stopped")
    assert view.subscription_states() == {"flowing": 1, "stale": 1}
    ring.close()


def test_a_file_that_is_no_ring_is_named_and_hides_no_other(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    (tmp_path / "broken.rec.ring").write_bytes(bytes(8192))
    rings = RingSet(tmp_path)
    assert [report.name for report in rings.reports(0)] == ["binance.rec"]
    assert list(rings.unreadable) == ["broken.rec.ring"]
    assert "magic" in rings.unreadable["broken.rec.ring"]
    ring.close()


def test_looking_never_loads_the_compiler(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.BOOK, state=3)
    program = (
        "import sys; from pathlib import Path; from ringcollect.observe.rings import RingSet;"
        "r = RingSet(Path(sys.argv[1])); r.reports(0); [v.subscriptions(0) for v in r.views()];"
        "print('numba' in sys.modules, 'pyarrow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
    ring.close()
