"""Whoever waits for rings misses nothing, keeps to its interval, and stops when told."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref
from pathlib import Path
from unittest.mock import Mock

import llvmlite.binding as llvm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import ir

from ringcollect.errors import RingReset
from ringcollect.records import RECORD
from ringcollect.ring import protocol
from ringcollect.ring.attach import attach
from ringcollect.ring.layout import H_HEAD
from ringcollect.ring.producer import Producer
from ringcollect.ring.waiting import STRATEGIES, Adaptive, Spinning, Waiting, Watch, Yielding, heads, strategy
from tests.wakeups import counted, wakeups

SHORTEST_S, LONGEST_S = 0.001, 0.020


def never() -> bool:
    return False


def words(head: int = 0) -> np.ndarray:
    """As much of a ring as waiting looks at."""
    ring = np.zeros(512, np.int64)
    ring[H_HEAD] = head
    return ring


class World:
    """Virtual time in which rings move: sleeping, and looking at the clock, are when others get their turn."""

    def __init__(self, rings: list[np.ndarray], publications: list[tuple[float, int]], at_turn: list[int]) -> None:
        """``publications``: (time, ring); ``at_turn``: a ring each that moves when the clock is next looked at."""
        self.now_s = 0.0
        self.rings = rings
        self.slept: list[float] = []
        self.published: list[tuple[float, int]] = []
        self._due = sorted(publications)
        self._at_turn = list(at_turn)

    def clock(self) -> float:
        if self._at_turn:
            self._publish(self._at_turn.pop())
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        end_s = self.now_s + seconds
        while self._due and self._due[0][0] <= end_s:
            self.now_s, ring = self._due.pop(0)
            self._publish(ring)
        self.now_s = end_s

    def _publish(self, ring: int) -> None:
        self.rings[ring][H_HEAD] += 1
        self.published.append((self.now_s, ring))


@pytest.fixture(params=["kernels", "plain"])
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to look: one kernel call, and numpy where numba is not loaded."""
    monkeypatch.setattr("ringcollect.ring.waiting.watch.use_kernels", lambda: request.param == "kernels")
    return request.param


@settings(max_examples=200, deadline=None)
@given(
    publications=st.lists(st.tuples(st.floats(0, 2), st.integers(0, 2)), max_size=40),
    at_turn=st.lists(st.integers(0, 2), max_size=20),
    duty_s=st.floats(0.0005, 0.3),
)
def test_whatever_is_published_when_is_seen_once_and_within_the_longest_interval(
    publications: list[tuple[float, int]], at_turn: list[int], duty_s: float
) -> None:
    rings = [words() for _ in range(3)]
    world = World(rings, publications, at_turn)
    waiting, watch = Adaptive(SHORTEST_S, LONGEST_S, sleep=world.sleep, clock=world.clock), Watch()
    cursors, seen = [0, 0, 0], 0
    while world.now_s < 2.5:
        watch.set(list(zip(rings, cursors, strict=True)))
        came = waiting.wait(watch, duty_s, never)
        new = [int(ring[H_HEAD]) - cursor for ring, cursor in zip(rings, cursors, strict=True)]
        assert came or world.now_s > 0
        for when_s, _ in world.published[seen:]:
            assert world.now_s - when_s <= LONGEST_S + 1e-9
        if not came and any(new):  # published after the last look: the next wait does not sleep
            before = len(world.slept)
            assert waiting.wait(watch, duty_s, never)
            assert len(world.slept) == before
            new = [int(ring[H_HEAD]) - cursor for ring, cursor in zip(rings, cursors, strict=True)]
        assert not came or any(new)
        cursors = [cursor + more for cursor, more in zip(cursors, new, strict=True)]
        seen = len(world.published)
    assert sum(cursors) == len(publications) + len(at_turn)


@settings(max_examples=200, deadline=None)
@given(
    publications=st.lists(st.tuples(st.floats(0, 1), st.just(0)), max_size=60),
    shortest_ms=st.integers(1, 20),
    times=st.integers(1, 50),
    duty_s=st.floats(0.001, 0.5),
)
def test_every_sleep_is_within_the_bounds_or_ends_when_the_caller_has_something_to_do(
    publications: list[tuple[float, int]], shortest_ms: int, times: int, duty_s: float
) -> None:
    ring, shortest_s = words(), shortest_ms / 1000
    longest_s = shortest_s * times
    world = World([ring], publications, [])
    waiting, watch = Adaptive(shortest_s, longest_s, sleep=world.sleep, clock=world.clock), Watch()
    while world.now_s < 1.2:
        began_s, before = world.now_s, len(world.slept)
        watch.set([(ring, int(ring[H_HEAD]))])
        if not waiting.wait(watch, duty_s, never):
            assert world.now_s == pytest.approx(began_s + duty_s)
            assert all(shortest_s <= slept <= longest_s for slept in world.slept[before:-1])
        assert all(slept <= longest_s for slept in world.slept[before:])
        assert world.now_s <= began_s + duty_s + 1e-9


def test_in_silence_the_interval_doubles_to_the_longest_and_halves_while_there_is_something() -> None:
    ring = words()
    world = World([ring], [], [])
    waiting, watch = Adaptive(SHORTEST_S, LONGEST_S, sleep=world.sleep, clock=world.clock), Watch()
    watch.set([(ring, 0)])
    waiting.wait(watch, 0.1, never)
    assert world.slept[:7] == [0.001, 0.002, 0.004, 0.008, 0.016, 0.020, 0.020]
    intervals = []
    for _ in range(7):
        ring[H_HEAD] += 1
        waiting.wait(watch, 1, never)  # at once: it is there
        watch.set([(ring, int(ring[H_HEAD]))])
        before = len(world.slept)
        world._due = [(world.now_s, 0)]
        waiting.wait(watch, 1, never)
        intervals.append(world.slept[before])
        watch.set([(ring, int(ring[H_HEAD]))])
    assert intervals == [0.010, 0.0025, 0.001, 0.001, 0.001, 0.001, 0.001]


@pytest.mark.parametrize("name", STRATEGIES)
def test_under_load_nobody_waits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("slept"))
    monkeypatch.setattr(os, "sched_yield", lambda: pytest.fail("yielded"))
    watch = Watch()
    watch.set([(words(5), 5), (words(6), 5)])
    assert strategy(name).wait(watch, 10, lambda: pytest.fail("asked whether to stop"))


@pytest.mark.parametrize("name", STRATEGIES)
def test_with_nothing_to_watch_it_waits_as_long_as_it_may(name: str) -> None:
    began_s = time.monotonic()
    assert not strategy(name).wait(Watch(), 0.02, never)
    assert time.monotonic() - began_s >= 0.02


def test_many_rings_are_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Mock(side_effect=heads.any_ahead)
    monkeypatch.setattr(heads, "any_ahead", calls)
    rings = [words(7) for _ in range(100)]
    watch = Watch()
    watch.set([(ring, 7) for ring in rings])
    assert not watch.ahead()
    rings[99][H_HEAD] += 1
    assert watch.ahead()
    assert calls.call_count == 2


def test_a_head_counts_when_it_has_passed_its_position(look: str) -> None:
    ring, watch = words(10), Watch()
    for position, ahead in ((9, True), (10, False), (11, False)):
        watch.set([(ring, position)])
        assert watch.ahead() is ahead


def test_a_ring_dropped_and_removed_while_it_is_watched_stays_mapped(tmp_path: Path, look: str) -> None:
    ring = Producer.open(tmp_path, "x.rec", capacity=64, generation=1)
    reader = attach("x", directory=tmp_path)
    mapping = weakref.ref(reader.words)
    watch = Watch()
    watch.set([(reader.words, reader.cursor)])
    del reader
    (tmp_path / "x.rec.ring").unlink()
    gc.collect()
    assert not watch.ahead()
    ring.publish(np.zeros(1, RECORD))
    assert watch.ahead(), "the old file is still there for those who have it mapped"
    watch.set([])
    gc.collect()
    assert mapping() is None, "and no longer than that"
    assert not watch.ahead()
    ring.close()


def test_a_replaced_ring_ends_the_wait_of_its_reader(tmp_path: Path) -> None:
    old = Producer.open(tmp_path, "x.rec", capacity=64, generation=1)
    reader = attach("x", directory=tmp_path)
    reads = reader.follow()
    old.publish(np.zeros(3, RECORD))
    assert len(next(reads).records) == 3
    old.close()
    new = Producer.open(tmp_path, "x.rec", capacity=128, generation=2)
    with pytest.raises(RingReset):
        next(reads)
    new.close()


def test_following_gives_everything_and_ends_with_the_ring(tmp_path: Path, look: str) -> None:
    ring = Producer.open(tmp_path, "x.rec", capacity=256, generation=1)
    reader = attach("x", directory=tmp_path)
    seen: list[int] = []

    def produce() -> None:
        for _ in range(50):
            ring.publish(np.zeros(4, RECORD))
        ring.close()

    producer = threading.Thread(target=produce)
    producer.start()
    for read in reader.follow():
        assert read.lost[0] == read.lost[1]
        seen.extend(read.records["seq"].tolist())
    producer.join()
    assert seen == list(range(200))


def test_following_goes_on_over_a_restart_and_stops_when_told(tmp_path: Path) -> None:
    ring = Producer.open(tmp_path, "x.rec", capacity=64, generation=1)
    ring.publish(np.zeros(2, RECORD))
    told: list[bool] = []
    reads = attach("x", directory=tmp_path).follow(Yielding(), lambda: bool(told))
    assert next(reads).records["seq"].tolist() == [0, 1]
    ring.close()
    ring = Producer.open(tmp_path, "x.rec", capacity=64, generation=2)
    ring.publish(np.zeros(1, RECORD))
    assert next(reads).records["seq"].tolist() == [2]
    told.append(True)
    assert list(reads) == []
    ring.close()


def test_a_sleeper_asks_whether_to_stop_at_least_once_per_longest_interval() -> None:
    world = World([words()], [], [])
    waiting, watch = Adaptive(SHORTEST_S, LONGEST_S, sleep=world.sleep, clock=world.clock), Watch()
    watch.set([(world.rings[0], 0)])
    assert not waiting.wait(watch, 60, lambda: world.now_s >= 0.5)
    assert world.now_s <= 0.5 + LONGEST_S


@pytest.mark.parametrize("waiting", [Yielding(), Spinning(), Adaptive()], ids=lambda waiting: type(waiting).__name__)
def test_a_signal_is_heard_while_waiting(waiting: Waiting) -> None:
    """SIGALRM comes from the kernel; its Python handler only runs when the interpreter is in the main thread again."""
    heard: list[int] = []
    watch = Watch()
    watch.set([(words(), 0)])
    before = signal.signal(signal.SIGALRM, lambda number, _: heard.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert not waiting.wait(watch, 300, lambda: bool(heard))
    finally:
        signal.signal(signal.SIGALRM, before)


def test_one_slice_of_spinning_stays_near_a_millisecond_whatever_a_round_takes() -> None:
    for round_ns in (1, 10, 100, 1000, 20_000):
        assert max(slices_of(round_ns)[20:]) <= 1_000_000, round_ns


def slices_of(round_ns: int) -> list[int]:
    """How long the slices of a spin are on a host where one round takes ``round_ns``."""
    slices: list[int] = []

    class Slow(Watch):
        def spin(self, rounds: int) -> bool:
            slices.append(rounds * round_ns)
            return False

    waiting = Spinning(lambda: sum(slices))
    waiting.wait(Slow(), 0.1, never)
    return slices


def test_spinning_leaves_the_interpreter_to_other_threads() -> None:
    """A thread publishes while one call of the kernel spins: it could not if the kernel held the lock."""
    ring, watch = words(), Watch()
    watch.set([(ring, 0)])

    def publish() -> None:
        ring[H_HEAD] = 1

    timer = threading.Timer(0.005, publish)
    timer.start()
    assert watch.spin(1 << 30)
    timer.join()


def test_the_spin_hint_of_arm_is_yield(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol.platform, "machine", lambda: "aarch64")
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "spin_hint")
    builder = ir.IRBuilder(function.append_basic_block())
    signature, codegen = protocol.pause._defn(None)
    codegen(Mock(), builder, signature, ())
    builder.ret_void()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple("aarch64-unknown-linux-gnu").create_target_machine()
    assert "\tyield\n" in machine.emit_assembly(llvm.parse_assembly(str(module)))


@counted
def test_a_second_of_silence_costs_fifty_wake_ups() -> None:
    watch = Watch()
    watch.set([(words(), 0)])
    waiting = Adaptive(SHORTEST_S, LONGEST_S)
    before = wakeups()
    waiting.wait(watch, 1.0, never)
    assert wakeups() - before <= 1.0 / LONGEST_S + 5 + 5  # on the way up; page faults
    before = wakeups()
    Spinning().wait(watch, 0.05, never)
    assert wakeups() - before <= 5, "and spinning never sleeps"


def test_a_strategy_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match="no waiting strategy 'futex'; there are adaptive, yield, spin"):
        strategy("futex")
    with pytest.raises(ValueError, match="is none"):
        Adaptive(0.02, 0.001)
