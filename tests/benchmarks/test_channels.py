"""Channels between processes: what a subject counts is what arrived."""

from __future__ import annotations

import time

import pytest

from benchmarks.harness import cpus
from benchmarks.ring.group import Latency, Throughput, quantiles
from benchmarks.ring.links import Link, MultiprocessingQueue
from benchmarks.ring.own import Ring
from benchmarks.sockets.server import encoded
from ringcollect.ring.waiting import strategy


def ring(folder, **way) -> Link:
    return Ring(folder, 64, waiting=strategy("yield"), **way)


@pytest.mark.parametrize("kernel", [True, False])
def test_a_ring_whose_producer_waits_delivers_everything_to_every_reader(tmp_path, kernel) -> None:
    subject = Throughput(ring(tmp_path, kernel=kernel, gated=True), 2, 0.05, [cpus()] * 3)
    for _ in range(2):
        subject.prepare()
        assert subject.run() > 0
        found = subject.evidence()
        assert found["received"] == [found["sent"]] * 2 and found["lost"] == [0, 0]


def test_what_a_lapped_reader_misses_is_counted_as_lost_and_not_as_received(tmp_path) -> None:
    subject = Throughput(ring(tmp_path, kernel=True, gated=False), 1, 0.05, [cpus()] * 2)
    subject.prepare()
    subject.run()
    found = subject.evidence()
    assert found["received"][0] + found["lost"][0] == found["sent"]


def test_latencies_are_of_every_record_and_above_nothing(tmp_path) -> None:
    for link in (Ring(tmp_path, 1, kernel=False, gated=False, waiting=strategy("yield")), MultiprocessingQueue(1, 1)):
        subject = Latency(link, 10_000, 50, [cpus()] * 2)
        subject.prepare()
        began = time.monotonic_ns()
        subject.run()
        found = subject.evidence()
        assert found["received"] == found["sent"] == 50
        assert 0 < found["p50"] <= found["p99"] <= found["p99.9"] < time.monotonic_ns() - began


def test_quantiles_are_places_in_the_ordered_latencies() -> None:
    found = quantiles(list(range(1000, 0, -1)), sent=1001)
    assert found == {"p50": 501, "p99": 991, "p99.9": 1000, "sent": 1001, "received": 1000}


def test_frames_are_encoded_as_the_rfc_shows_them() -> None:
    """RFC 6455, 5.7: a single-frame unmasked text message, 256 bytes, 64 KiB (there as binary: opcode 2, ours 1)."""
    assert encoded([b"Hello"]) == bytes.fromhex("810548656c6c6f")
    assert encoded([bytes(256)])[:4] == bytes.fromhex("817e0100")
    assert encoded([bytes(65536)])[:10] == bytes.fromhex("817f0000000000010000")
    assert encoded([b"a", b"b"]) == b"\x81\x01a\x81\x01b"
