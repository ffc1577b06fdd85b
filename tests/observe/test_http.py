"""The HTTP page over a real socket, its metrics read by Prometheus' own parser."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ringcollect.errors import EnvironmentRefused
from ringcollect.observe.health import State
from ringcollect.observe.http import StatusServer
from ringcollect.observe.observer import Observer
from ringcollect.observe.snapshot import Snapshot
from ringcollect.records import Channel
from ringcollect.ring.attach import attach
from tests.observe.rings import producer, subscribe, trades
from tests.observe.test_observer import table


def answers(snapshot: Snapshot, observer: Observer, *paths: str) -> list[tuple[int, str]]:
    """(status, body) of each path, from a server on a port the system chose."""

    async def ask() -> list[tuple[int, str]]:
        server = StatusServer(lambda: snapshot, observer.subscriptions)
        address = await server.start("127.0.0.1", 0)
        try:
            async with aiohttp.ClientSession() as session:
                got = []
                for path in paths:
                    async with session.get(address + path) as response:
                        got.append((response.status, await response.text()))
                return got
        finally:
            await server.close()

    return asyncio.run(ask())


def test_metrics_carry_the_numbers_of_shared_memory_with_their_labels(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    attach(ring.path, register="journal")
    subscribe(ring, 1, Channel.BOOK, state=3)
    ring.publish(trades(8))
    ring.counters.count("frames_in", 42)
    observer = Observer(tmp_path)
    ((status, text),) = answers(observer.look(table(tmp_path)), observer, "/metrics")
    assert status == 200
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    place = (("channel", "book"), ("exchange", "binance"), ("market", "spot"), ("symbol", "ETHUSDT"))
    assert samples["ringcollect_ring_records_total", (("ring", "binance.rec"),)] == 8
    assert samples["ringcollect_frames_in_total", (("ring", "binance.rec"),)] == 42
    assert samples["ringcollect_consumer_lag_records", (("consumer", "journal"), ("ring", "binance.rec"))] == 8
    assert samples["ringcollect_subscription_frames_total", place] == 7
    histogram = {
        bound: samples["ringcollect_subscription_gap_size_bucket", tuple(sorted((*place, ("le", bound))))]
        for bound in ("1", "2", "5", "10", "50", "100", "500", "1000", "+Inf")
    }
    assert histogram == {"1": 0, "2": 0} | dict.fromkeys(("5", "10", "50", "100", "500", "1000", "+Inf"), 1)
    assert samples["ringcollect_subscription_gap_size_sum", place] == 3
    assert samples["ringcollect_subscription_missing_total", place] == 3
    assert samples["ringcollect_subscription_silence_seconds_count", place] == 0
    assert samples["ringcollect_subscription_state", tuple(sorted((*place, ("state", "flowing"))))] == 1
    assert samples["ringcollect_state", (("state", "READY"),)] == 1
    assert samples["ringcollect_state", (("state", "ERROR"),)] == 0
    ring.close()


@pytest.mark.parametrize(
    ("state", "health", "ready"),
    [(State.READY, 200, 200), (State.DEGRADED, 200, 200), (State.OFFLINE, 200, 503), (State.ERROR, 503, 503)],
)
def test_health_fails_on_error_only_and_ready_also_when_offline(
    state: State, health: int, ready: int, tmp_path: Path
) -> None:
    observer = Observer(tmp_path)
    snapshot = msgspec.structs.replace(observer.look(table(tmp_path)), state=state, reason="why")
    got = answers(snapshot, observer, "/health", "/ready")
    assert [status for status, _ in got] == [health, ready]
    assert json.loads(got[0][1])["reason"] == "why"


def test_status_and_subscriptions_are_json(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.BOOK, state=4, reason=6)
    observer = Observer(tmp_path)
    (_, whole), (_, ledger) = answers(observer.look(table(tmp_path)), observer, "/status", "/subscriptions")
    assert json.loads(whole)["rings"][0]["name"] == "binance.rec"
    assert {"uptime_s", "since", "pss_sum", "windows"} <= json.loads(whole).keys()
    assert json.loads(ledger)[0]["reason"] == "flowed, then stopped"
    ring.close()


def test_a_port_that_is_taken_is_refused_with_its_number(tmp_path: Path) -> None:
    async def start_twice() -> None:
        first = StatusServer(lambda: pytest.fail(), list)
        address = await first.start("127.0.0.1", 0)
        try:
            await StatusServer(lambda: pytest.fail(), list).start("127.0.0.1", int(address.rpartition(":")[2]))
        finally:
            await first.close()

    with pytest.raises(EnvironmentRefused, match=r"cannot listen on 127\.0\.0\.1:\d+"):
        asyncio.run(start_twice())


def test_what_nobody_can_know_has_no_series_and_is_said_in_words(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    row = subscribe(ring, 0, Channel.BBO, state=3)
    row["tracked"], row["silence_limit_ns"], row["last_record_ns"] = 0, 5 * 10**9, 1
    row["silence_gaps"], row["silence_ns"], row["silences"][0, 1] = 1, 20 * 10**9, 1
    observer = Observer(tmp_path)
    (_, text), (_, ledger) = answers(observer.look(table(tmp_path)), observer, "/metrics", "/subscriptions")
    samples = {s.name: s for family in text_string_to_metric_families(text) for s in family.samples}
    assert "ringcollect_subscription_gaps_total" not in samples
    assert "ringcollect_subscription_gap_size_count" not in samples
    assert samples["ringcollect_subscription_tracked"].value == 0
    assert samples["ringcollect_subscription_silence_seconds_count"].value == 1
    assert samples["ringcollect_subscription_silence_seconds_sum"].value == 20
    assert samples["ringcollect_subscription_silent_seconds"].value > 10**9, "it has been silent since 1970"
    [said] = json.loads(ledger)
    assert (said["gaps"], said["missing"], said["silence_ms"]) == ("untracked", "untracked", 20_000)
    ring.close()
