"""The supervisor with a virtual clock and processes made of paper."""

from __future__ import annotations

from ringcollect.supervise.backoff import RestartPolicy
from ringcollect.supervise.plan import ChildSpec, Stage
from ringcollect.supervise.supervisor import State, Supervisor


class Paper:
    """A process that ends when the test says so."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.code: int | None = None
        self.signals: list[str] = []

    def exit_code(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.signals.append("TERM")

    def kill(self) -> None:
        self.signals.append("KILL")


class World:
    """Clock, spawned processes and reports of one supervisor."""

    def __init__(self, *stages: Stage, **policy: float) -> None:
        self.now = 0.0
        self.spawned: dict[str, list[Paper]] = {}
        self.events: list[tuple[str, str]] = []
        self.refuse: set[str] = set()
        specs = [ChildSpec(stage.name.lower(), stage, "", (), 10.0) for stage in stages]
        self.supervisor = Supervisor(
            specs, self.spawn, lambda event, name, _: self.events.append((event, name)), lambda: self.now,
            RestartPolicy(**policy),
        )  # fmt: skip
        self.supervisor.poll()

    def spawn(self, spec: ChildSpec) -> Paper:
        if spec.name in self.refuse:
            raise OSError("no more processes")
        processes = self.spawned.setdefault(spec.name, [])
        processes.append(Paper(1000 * (len(self.spawned) + 1) + len(processes)))
        return processes[-1]

    def at(self, now: float) -> None:
        self.now = now
        self.supervisor.poll()

    def newest(self, name: str) -> Paper:
        return self.spawned[name][-1]


def test_restart_delays_double_to_the_cap_and_begin_anew_after_a_healthy_while() -> None:
    world = World(Stage.FEED, first_s=1, max_s=4, healthy_s=60)
    started_at = []
    for _ in range(5):
        world.newest("feed").code = 1
        died = world.now
        world.at(died)
        count = len(world.spawned["feed"])
        while len(world.spawned["feed"]) == count:
            world.at(world.now + 0.25)
        started_at.append(world.now - died)
    assert started_at == [1, 2, 4, 4, 4]
    world.at(world.now + 60)
    world.newest("feed").code = -9
    world.at(world.now)
    child = world.supervisor.children[0]
    assert child.next_start_s - world.now == 1
    assert child.last_exit == "signal 9"


def test_a_child_that_recycles_itself_starts_again_at_once_and_was_not_restarted() -> None:
    world = World(Stage.WRITER, first_s=1, max_s=4)
    world.supervisor.respecify([ChildSpec("writer", Stage.WRITER, "", (), 10.0, recycle_s=100.0)])
    child = world.supervisor.children[0]
    world.newest("writer").code = 0
    world.at(100)
    assert (len(world.spawned["writer"]), child.restarts, child.failures) == (2, 0, 0)
    assert world.events[-2:] == [("process_recycled", "writer"), ("process_started", "writer")]


def test_a_child_that_ends_before_it_is_due_has_died() -> None:
    for code, at in ((0, 99), (1, 100), (-9, 100)):
        world = World(Stage.WRITER, first_s=1, max_s=4)
        world.supervisor.respecify([ChildSpec("writer", Stage.WRITER, "", (), 10.0, recycle_s=100.0)])
        world.newest("writer").code = code
        world.at(at)
        assert world.supervisor.children[0].state is State.BACKOFF
        assert world.events[-1] == ("process_died", "writer")


def test_it_is_steady_while_every_child_runs_and_none_is_to_stop() -> None:
    world = World(Stage.FEED, Stage.SYNC, first_s=1, max_s=4)
    assert world.supervisor.steady
    world.newest("sync").code = 1
    world.at(1)
    assert not world.supervisor.steady
    world.at(3)
    assert world.supervisor.steady
    world.supervisor.stop()
    assert not world.supervisor.steady


def test_a_child_that_cannot_be_started_is_tried_again_later() -> None:
    world = World(Stage.FEED, first_s=1, max_s=4)
    world.refuse.add("feed")
    world.newest("feed").code = 1
    world.at(1)
    world.at(2)
    assert world.supervisor.children[0].state is State.BACKOFF
    world.refuse.clear()
    world.at(10)
    assert world.supervisor.children[0].state is State.RUNNING


def test_each_stage_is_asked_to_stop_only_when_the_one_before_has_ended() -> None:
    world = World(Stage.WRITER, Stage.SYNC, Stage.FEED)
    world.supervisor.stop()
    order = []
    for name in ("feed", "sync", "writer"):
        order.append({each: list(world.newest(each).signals) for each in ("feed", "sync", "writer")})
        world.newest(name).code = 0
        world.at(world.now + 1)
    assert order == [
        {"feed": ["TERM"], "sync": [], "writer": []},
        {"feed": ["TERM"], "sync": ["TERM"], "writer": []},
        {"feed": ["TERM"], "sync": ["TERM"], "writer": ["TERM"]},
    ]
    assert world.supervisor.stopped
    assert world.supervisor.exit_code == 0


def test_a_stage_past_its_budget_is_killed_and_the_next_is_asked_at_once_even_if_the_killed_one_lingers() -> None:
    world = World(Stage.FEED, Stage.WRITER)
    world.supervisor.stop()
    world.at(9.9)
    assert world.newest("feed").signals == ["TERM"]
    world.at(10)
    assert world.newest("feed").signals == ["TERM", "KILL"]
    assert world.newest("writer").signals == ["TERM"]
    world.newest("writer").code = 0
    world.at(10.1)
    assert world.supervisor.stopped
    assert world.supervisor.exit_code == 5
    assert world.supervisor.killed == ["feed"]
    world.newest("feed").code = -9
    world.at(11)
    assert world.supervisor.children[0].state is State.KILLED


def test_a_writer_that_dies_while_the_feeds_stop_is_started_again_to_drain_the_rings() -> None:
    world = World(Stage.FEED, Stage.WRITER, first_s=1)
    world.supervisor.stop()
    world.newest("writer").code = -9
    world.at(1)
    world.at(2)
    assert len(world.spawned["writer"]) == 2
    world.newest("feed").code = 0
    world.at(3)
    assert world.newest("writer").signals == ["TERM"]


def test_a_feed_that_dies_while_it_stops_is_not_started_again_and_shows_in_the_exit_code() -> None:
    world = World(Stage.FEED, Stage.WRITER, first_s=1)
    world.supervisor.stop()
    world.newest("feed").code = -11
    world.at(5)
    world.newest("writer").code = 0
    world.at(20)
    assert len(world.spawned["feed"]) == 1
    assert world.supervisor.stopped
    assert world.supervisor.exit_code == 1
    assert ("process_failed_to_stop_in_order", "feed") in world.events


def test_a_writer_that_is_down_when_its_turn_to_stop_comes_shows_in_the_exit_code() -> None:
    world = World(Stage.FEED, Stage.WRITER, first_s=30, max_s=30)
    world.newest("writer").code = 4
    world.at(1)
    world.supervisor.stop()
    world.newest("feed").code = 0
    world.at(2)
    assert world.supervisor.stopped
    assert world.supervisor.exit_code == 1
    assert ("process_was_down_at_stop", "writer") in world.events


def test_a_retired_child_stops_for_good_within_its_budget_and_the_others_go_on() -> None:
    world = World(Stage.FEED, Stage.WRITER)
    world.supervisor.retire("feed")
    feed, writer = world.newest("feed"), world.newest("writer")
    assert (feed.signals, writer.signals, world.supervisor.steady) == (["TERM"], [], False)
    world.at(9.0)
    assert feed.signals == ["TERM"]
    world.at(10.0)
    assert feed.signals == ["TERM", "KILL"] and world.supervisor.killed == ["feed"]


def test_a_retired_child_that_obeys_is_not_started_again_and_no_fault() -> None:
    world = World(Stage.FEED, Stage.WRITER)
    world.supervisor.retire("feed")
    world.newest("feed").code = 0
    for now in (1.0, 2.0, 300.0):
        world.at(now)
    assert len(world.spawned["feed"]) == 1 and world.supervisor.steady
    world.supervisor.stop()
    world.newest("writer").code = 0
    world.at(301.0)
    assert world.supervisor.stopped and world.supervisor.exit_code == 0


def test_a_child_dies_and_comes_back_with_what_it_was_respecified_to() -> None:
    world = World(Stage.FEED, first_s=1)
    world.supervisor.respecify([ChildSpec("feed", Stage.FEED, "", ("new",), 10.0)])
    assert len(world.spawned["feed"]) == 1
    world.newest("feed").code = -9
    world.at(1.0)
    world.at(3.0)
    assert len(world.spawned["feed"]) == 2 and world.supervisor.children[0].spec.args == ("new",)
