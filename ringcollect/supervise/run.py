"""One run of the collector: the supervisor's event loop with its signals, HTTP page, process table and systemd."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from ringcollect.config import Config
from ringcollect.errors import ConfigError, NotFoundError, RingcollectError
from ringcollect.feed.desk import Desk
from ringcollect.observe.observer import Observer
from ringcollect.observe.process_table import TABLE_FILE, ProcessRow, ProcessTable, write_table
from ringcollect.observe.rings import find_rings
from ringcollect.observe.snapshot import STATE_FILE, Snapshot, encode
from ringcollect.ring.mapping import is_locked
from ringcollect.runtime import write_atomically
from ringcollect.supervise.forking import Spawner
from ringcollect.supervise.plan import ChildSpec, Stage, plan
from ringcollect.supervise.reload import DONE, REFUSED, RESULT_FILE, Reloading, Result, compare, write_result
from ringcollect.supervise.retaining import Retainer
from ringcollect.supervise.supervisor import Handle, Supervisor
from ringcollect.supervise.systemd import Notifier

if TYPE_CHECKING:
    from ringcollect.observe.http import StatusServer

TICK_S = 0.05
"""Between two looks at the processes while one of them is to be started, stopped or killed."""
QUIET_S = 0.25
"""The same while all of them run: so long it takes to notice that one has died. A signal is noticed at once."""
LOOK_S = 1.0
HEARTBEAT_S = 30.0
ORPHANS_S = 6.0
"""Children of a supervisor that was killed are gone after 5 s; their rings are free then."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. ``begin`` is the look before it, ``running`` the last before the stop, ``final`` after it."""

    exit_code: int
    killed: tuple[str, ...]
    restarts: dict[str, int]  # by process, those above zero
    begin: Snapshot
    running: Snapshot
    final: Snapshot


class Run:
    """Start with :meth:`main`; everything before it (lock, host, kernels) is the caller's."""

    def __init__(
        self,
        config: Config,
        specs: tuple[ChildSpec, ...],
        spawner: Spawner,
        *,
        notifier: Notifier,
        show: Callable[[Snapshot], None],
        for_s: float | None = None,
        reread: Callable[[], Config] | None = None,
    ) -> None:
        """``show`` gets a snapshot every second; ``for_s`` ends the run like SIGTERM, counted from all being up.

        ``reread`` reads the configuration again, for a reload; raises ConfigError for one with a problem.
        """
        self._config = config
        self._runtime = config.runtime_path()
        self._spawner = spawner
        self._notifier = notifier
        self._show: Callable[[Snapshot], None] | None = show
        self._for_s = for_s
        self._log = structlog.get_logger()
        self._started_ns = time.time_ns()
        self._born_ns: dict[str, int] = {}
        self._http = ""
        self._unwritten = 0
        self._observer = Observer(self._runtime)
        self._supervisor = Supervisor(specs, self._spawn, self._report, time.monotonic)
        self._table = ProcessTable(supervisor_pid=0, started_ns=0, data="")
        self._begin = self._snapshot = self._observer.look(self._new_table())
        self._asked = 0
        self._reread = reread
        self._reload_asked = False
        self._reloads = 0
        self._reloading: Reloading | None = None
        self._started_on_a_terminal = os.isatty(sys.stdin.fileno()) if sys.stdin is not None else False
        self._woken = asyncio.Event()
        self._retainer = Retainer(config)

    async def main(self) -> Outcome:
        """Run until a signal or the end of ``for_s``, then stop everything in order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask)
        loop.add_signal_handler(signal.SIGHUP, self._hear_hangup)
        for exchange in self._config.exchanges():
            Desk(self._runtime, exchange).forget()
        server = await self._serve() if self._config.http.enabled else None
        try:
            await self._wait_for_orphans()
            self._supervisor.poll()
            self._look()
            self._notifier.ready()
            running = await self._until_stopped(loop)
        finally:
            self._retainer.stop()
            self._notifier.close()
            if server is not None:
                await server.close()
            for name in (TABLE_FILE, STATE_FILE, RESULT_FILE):
                (self._runtime / name).unlink(missing_ok=True)
        return Outcome(
            exit_code=self._supervisor.exit_code,
            killed=tuple(self._supervisor.killed),
            restarts={c.spec.name: c.restarts for c in self._supervisor.children if c.restarts},
            begin=self._begin,
            running=running,
            final=self._snapshot,
        )

    async def _serve(self) -> StatusServer:
        from ringcollect.observe.http import StatusServer  # aiohttp is 12 MB that a host without [http] saves

        server = StatusServer(lambda: self._snapshot, self._observer.subscriptions)
        self._http = await server.start(self._config.http.host, self._config.http.port)
        return server

    async def _until_stopped(self, loop: asyncio.AbstractEventLoop) -> Snapshot:
        begin_s = loop.time()
        end_s = begin_s + self._for_s if self._for_s is not None else float("inf")
        next_look_s = next_heartbeat_s = begin_s
        running = self._snapshot
        while not self._supervisor.stopped:
            now_s = loop.time()
            if not self._supervisor.stopping and (self._asked or now_s >= end_s):
                self._look()
                running = self._snapshot
                self._begin_stop("signal" if self._asked else "end of --for")
            self._supervisor.poll()
            if not self._supervisor.stopping:
                self._reload()
            if now_s >= next_look_s:
                next_look_s = now_s + LOOK_S
                if not self._supervisor.stopping:
                    self._retainer.poll(now_s)
                self._look()
                self._tell()
                self._notifier.watchdog()
            if now_s >= next_heartbeat_s:
                next_heartbeat_s = now_s + HEARTBEAT_S
                self._heartbeat()
            await self._rest(min(next_look_s, end_s) - loop.time())
        self._look()
        return running

    async def _rest(self, longest_s: float) -> None:
        if not self._supervisor.steady or self._reloading is not None:
            await asyncio.sleep(TICK_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(QUIET_S, longest_s))):
                await self._woken.wait()

    async def _wait_for_orphans(self) -> None:
        """Give the children of a killed supervisor the time they have to let go of their rings."""
        end_s = time.monotonic() + ORPHANS_S
        while (held := _held(self._runtime)) and time.monotonic() < end_s and not self._asked:
            self._log.info("waiting_for_processes_of_an_earlier_run", rings=held)
            await asyncio.sleep(0.5)

    def _ask(self) -> None:
        self._asked += 1
        self._woken.set()

    def _hear_hangup(self) -> None:
        """Reload, unless it was the terminal that hung up: whoever looked on has left, which means to stop."""
        if self._started_on_a_terminal and not _has_terminal():
            self._ask()
            return
        self._reload_asked = True
        self._woken.set()

    def _reload(self) -> None:
        """Carry a reload on: read and compare, tell the feeds, wait for their receipts, say how it went."""
        if self._reloading is None:
            if not self._reload_asked:
                return
            self._reload_asked = False
            if not self._asked:
                self._woken.clear()
            self._reloads += 1
            self._begin_reload()
        if self._reloading is None:
            return
        result = self._reloading.result(time.monotonic())
        if result is not None:
            self._reloading = None
            self._end_reload(result)

    def _begin_reload(self) -> None:
        try:
            if self._reread is None:
                raise ConfigError("this collector was started without a configuration that could be read again")
            change = compare(self._config, self._reread())
            self._reloading = Reloading(change, self._runtime, self._started_ns, self._reloads, time.monotonic())
        except (RingcollectError, OSError) as error:
            code = error.exit_code if isinstance(error, RingcollectError) else REFUSED
            lines = (str(error), "nothing has changed")
            self._end_reload(Result(run_ns=self._started_ns, number=self._reloads, exit_code=code, lines=lines))
            return
        self._config = change.config
        kept = plan(change.config)
        self._supervisor.respecify([spec for spec in kept if spec.stage is Stage.FEED])
        for exchange in change.stopped:
            self._supervisor.retire(f"feed-{exchange}")

    def _end_reload(self, result: Result) -> None:
        say = self._log.info if result.exit_code == DONE else self._log.error
        say("reload", exit_code=result.exit_code, result="; ".join(result.lines))
        self._write(lambda: write_result(self._runtime, result))

    def _begin_stop(self, why: str) -> None:
        self._log.info("stopping", why=why)
        self._notifier.stopping()
        self._supervisor.stop()

    def _spawn(self, spec: ChildSpec) -> Handle:
        handle = self._spawner(spec)
        self._born_ns[spec.name] = time.time_ns()
        return handle

    def _report(self, event: str, name: str, detail: str) -> None:
        level = self._log.info if event in ("process_started", "process_recycled") else self._log.error
        level(event, child=name, detail=detail)

    def _look(self) -> None:
        """Look at everything, and leave what was seen where ``status`` finds it."""
        before = self._snapshot.state
        self._snapshot = self._observer.look(self._new_table())
        if self._snapshot.state is not before:
            self._log.info("state_change", state=self._snapshot.state.value, reason=self._snapshot.reason)
        self._write(lambda: write_atomically(self._runtime / STATE_FILE, encode(self._snapshot)))
        self._notifier.status(f"{self._snapshot.state} {self._snapshot.reason}".strip())

    def _write(self, write: Callable[[], None]) -> None:
        """Write for ``status``. A runtime folder that is full is not a reason to stop collecting."""
        try:
            write()
        except OSError as error:
            if not self._unwritten:
                self._log.warning("state_not_written", reason=str(error))
            self._unwritten += 1
        else:
            self._unwritten = 0

    def _tell(self) -> None:
        """Show the snapshot; whoever watched may have gone (``start | head``), and collecting goes on."""
        if self._show is None:
            return
        try:
            self._show(self._snapshot)
        except OSError as error:
            self._log.warning("nobody_watches_any_more", reason=str(error))
            self._show = None

    def _new_table(self) -> ProcessTable:
        """The process table as it is, written if it has changed."""
        table = ProcessTable(
            supervisor_pid=os.getpid(),
            started_ns=self._started_ns,
            data=str(self._config.data_path()),
            http=self._http,
            processes=tuple(
                ProcessRow(
                    name=child.spec.name,
                    pid=child.pid,
                    state=child.state.value,
                    restarts=child.restarts,
                    started_ns=self._born_ns.get(child.spec.name, 0),
                    last_exit=child.last_exit,
                )
                for child in self._supervisor.children
            ),
        )
        if table != self._table:
            self._table = table
            self._write(lambda: write_table(self._runtime, table))
        return table

    def _heartbeat(self) -> None:
        now = self._snapshot
        self._log.info(
            "heartbeat",
            state=now.state.value,
            records={ring.name: ring.head for ring in now.rings},
            lost={f"{ring.name}/{c.name}": c.lost for ring in now.rings for c in ring.consumers if c.lost},
            subscriptions=now.subscriptions,
            pss_mb=round(now.pss_sum / 1e6),
            unsealed=now.journals.count,
        )


def _has_terminal() -> bool:
    try:
        os.tcgetpgrp(sys.stdin.fileno())
    except OSError:
        return False
    return True


def _held(runtime: Path) -> list[str]:
    """Rings whose producer lives."""
    held = []
    for path in find_rings(runtime):
        with suppress(NotFoundError):
            if is_locked(path):
                held.append(path.name)
    return held
