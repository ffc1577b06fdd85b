"""The supervisor as a state machine: what to start, restart, stop and kill, given the time and who has died.

No I/O but through the handles it is given, no clock but the one passed in: the same machine runs live and in tests
with a virtual clock. A process that outlives its stop budget is killed, named, and never holds up the others.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

from ringcollect.supervise.backoff import RestartPolicy
from ringcollect.supervise.plan import ChildSpec, Stage

EXIT_LOST, EXIT_KILLED = 1, 5


class Handle(Protocol):
    """A started process."""

    @property
    def pid(self) -> int:
        """Process id."""

    def exit_code(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""

    def terminate(self) -> None:
        """SIGTERM."""

    def kill(self) -> None:
        """SIGKILL."""


class State(enum.StrEnum):
    """What a child is doing, as the process table shows it."""

    RUNNING = "running"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    KILLED = "killed"


class Child:
    """One supervised process and its history."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.handle: Handle | None = None
        self.state = State.BACKOFF
        self.restarts = 0
        self.failures = 0
        self.started_s = 0.0
        self.next_start_s = 0.0
        self.stop_deadline_s = 0.0
        self.last_exit = ""

    @property
    def pid(self) -> int:
        """Process id, 0 while it does not run."""
        return self.handle.pid if self.handle is not None else 0


class Supervisor:
    """Children in the order they are started; :meth:`poll` does whatever is due.

    ``spawn`` starts a process or raises OSError; ``report(event, name, detail)`` hears everything that happens;
    ``clock`` gives monotonic seconds.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        spawn: Callable[[ChildSpec], Handle],
        report: Callable[[str, str, str], None],
        clock: Callable[[], float],
        policy: RestartPolicy | None = None,
    ) -> None:
        self.children = [Child(spec) for spec in specs]
        self.killed: list[str] = []
        self.failed_stops: list[str] = []
        self._spawn = spawn
        self._report = report
        self._clock = clock
        self._policy = policy or RestartPolicy()
        self._stop_stage: Stage | None = None
        self._retired: list[Child] = []

    @property
    def stopping(self) -> bool:
        """True from the first call of :meth:`stop`."""
        return self._stop_stage is not None

    @property
    def steady(self) -> bool:
        """True while every child runs and none is to stop: there is nothing to do but to notice the dead."""
        return not self.stopping and all(
            child.state is (State.STOPPED if child in self._retired else State.RUNNING) for child in self.children
        )  # fmt: skip

    @property
    def stopped(self) -> bool:
        """True when every child has ended or was killed."""
        return self.stopping and all(child.state in (State.STOPPED, State.KILLED) for child in self.children)

    @property
    def exit_code(self) -> int:
        """5 if a process outlived its budget, 1 if one ended badly while stopping, else 0."""
        if self.killed:
            return EXIT_KILLED
        return EXIT_LOST if self.failed_stops else 0

    def stop(self) -> None:
        """Begin to stop: feeds, then the synchronizer, the writer, the archiver; :meth:`poll` carries it on."""
        if not self.stopping:
            self._stop_stage = Stage.FEED
            self.poll()

    def retire(self, name: str) -> None:
        """Stop ``name`` for good, within its budget, while the others go on."""
        self._retired += [child for child in self.children if child.spec.name == name and child not in self._retired]
        self.poll()

    def respecify(self, specs: Sequence[ChildSpec]) -> None:
        """What children of these names are started with from now on; those that run are not touched."""
        by_name = {spec.name: spec for spec in specs}
        for child in self.children:
            child.spec = by_name.get(child.spec.name, child.spec)

    def poll(self) -> None:
        """Notice the dead, start what is due, carry a stop on. Never waits for a child."""
        now_s = self._clock()
        for child in self.children:
            if child.handle is not None and (code := child.handle.exit_code()) is not None:
                self._ended(child, code, now_s)
            if child in self._retired and not self.stopping:
                self._stop_child(child, now_s)
            if child.state is State.BACKOFF and now_s >= child.next_start_s and not self._is_stop_turn(child):
                self._start(child, now_s)
            if child.state is State.RUNNING and now_s - child.started_s >= self._policy.healthy_s:
                child.failures = 0
        if self.stopping:
            self._carry_stop_on(now_s)

    def _start(self, child: Child, now_s: float) -> None:
        try:
            child.handle = self._spawn(child.spec)
        except (OSError, EOFError) as error:
            child.last_exit = f"could not be started: {error}"
            self._back_off(child, now_s)
            return
        if child.last_exit:
            child.restarts += 1
        child.state, child.started_s = State.RUNNING, now_s
        self._report("process_started", child.spec.name, f"pid {child.pid}, restart {child.restarts}")

    def _ended(self, child: Child, code: int, now_s: float) -> None:
        child.handle = None
        if child.state is State.KILLED:
            return  # what it said as it died is not why it died
        if child.state is State.RUNNING and code == 0 and 0 < child.spec.recycle_s <= now_s - child.started_s:
            child.state, child.next_start_s = State.BACKOFF, now_s
            self._report("process_recycled", child.spec.name, f"after {now_s - child.started_s:.0f} s")
            return
        child.last_exit = describe_exit(code)
        if child.state is State.STOPPING:
            child.state = State.STOPPED
            if code != 0:
                self.failed_stops.append(child.spec.name)
                self._report("process_failed_to_stop_in_order", child.spec.name, child.last_exit)
            return
        self._back_off(child, now_s)

    def _back_off(self, child: Child, now_s: float) -> None:
        child.failures += 1
        delay_s = self._policy.delay_s(child.failures)
        child.state, child.next_start_s = State.BACKOFF, now_s + delay_s
        self._report("process_died", child.spec.name, f"{child.last_exit}; starts again in {delay_s:g} s")

    def _is_stop_turn(self, child: Child) -> bool:
        """True when the stop has reached this child's stage: until then even a stopping collector restarts it."""
        return self._stop_stage is not None and child.spec.stage <= self._stop_stage

    def _carry_stop_on(self, now_s: float) -> None:
        for stage in Stage:
            self._stop_stage = stage
            members = [child for child in self.children if child.spec.stage is stage]
            for child in members:
                self._stop_child(child, now_s)
            if any(child.state is State.STOPPING for child in members):
                return

    def _stop_child(self, child: Child, now_s: float) -> None:
        if child.state is State.BACKOFF:
            child.state = State.STOPPED
            self.failed_stops.append(child.spec.name)
            self._report("process_was_down_at_stop", child.spec.name, child.last_exit)
        elif child.state is State.RUNNING and child.handle is not None:
            child.state, child.stop_deadline_s = State.STOPPING, now_s + child.spec.stop_budget_s
            child.handle.terminate()
        elif child.state is State.STOPPING and child.handle is not None and now_s >= child.stop_deadline_s:
            child.handle.kill()
            child.state, child.last_exit = State.KILLED, f"killed after {child.spec.stop_budget_s:g} s"
            self.killed.append(child.spec.name)
            self._report("process_killed_past_its_stop_budget", child.spec.name, child.last_exit)


def describe_exit(code: int) -> str:
    """``exit 0``, ``signal 9``: an exit code for people."""
    return f"signal {-code}" if code < 0 else f"exit {code}"
