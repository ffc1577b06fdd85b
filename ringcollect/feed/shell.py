"""The world around a session: sockets, REST, the wall clock and the stop signal, all on one event loop.

Every input goes to the session with the time it happened; what the session then asks for is done at once. The loop
looks at the clock at least every ``LOOK_S``: timers, resync words of the synchronizer, steps of the wall clock, stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

from ringcollect.config.secrets import mask_text
from ringcollect.exchanges.protocol import Exchange, Limits
from ringcollect.feed.actions import Action, Close, Complain, Connect, Ping, Reloaded, Rest, Send
from ringcollect.feed.clock import WallClock
from ringcollect.feed.desk import Desk
from ringcollect.feed.rest import Gets, RestClient
from ringcollect.feed.rest_budget import pause_ns
from ringcollect.feed.route import DIRECT, Route
from ringcollect.feed.session import Session
from ringcollect.feed.shared_budget import SharedBudget
from ringcollect.feed.transport import Callbacks, Connection, Opener, Options
from ringcollect.ring.frames import FrameProducer
from ringcollect.ring.producer import Producer

LOOK_S = 0.1
SECOND = 1_000_000_000


class Shell:
    """Runs ``session`` until ``stop()`` is true. The rings are closed by whoever opened them."""

    def __init__(
        self,
        session: Session,
        exchange: Exchange,
        ring: Producer,
        frames: FrameProducer,
        shared: SharedBudget,
        stop: Callable[[], bool],
        *,
        opener: Opener,
        desk: Desk,
        clock: WallClock | None = None,
        way: Route = DIRECT,
        rest: Callable[..., Gets] = RestClient,
    ) -> None:
        self._session = session
        self._exchange = exchange
        self._ring = ring
        self._frames = frames
        self._shared = shared
        self._stop = stop
        self._clock = clock or WallClock()
        self._way = way
        self._desk = desk
        self._problems: tuple[str, ...] = ()
        self._open = opener
        self._log = structlog.get_logger().bind(exchange=exchange.name)
        self._connections: dict[int, Connection] = {}
        self._connecting: dict[int, asyncio.Task[None]] = {}
        self._callbacks = Callbacks(self._on_frames, self._on_alive, self._on_close, self._clock.now_ns)
        self._make_rest = rest
        self._rest: Gets | None = None

    async def run(self, start_ns: int) -> None:
        """Start at ``start_ns`` (a new ring's generation), serve, stop in order: STOP record first, then sockets."""
        now_ns = self._clock.now_ns
        way = self._way
        self._rest = self._make_rest(
            self._on_answer, admit=self._admit_rest, now_ns=now_ns, tls=way.tls, proxy=way.proxy
        )
        self._session.start(start_ns)
        self._act()
        while not self._stop():
            self._look()
            wait_ns = self._session.next_deadline() - now_ns()
            await asyncio.sleep(min(LOOK_S, max(0.0005, wait_ns / 1e9)))
        self._session.stop(now_ns())
        self._act()
        await self._close_all()

    # inputs

    def _on_frames(self, conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
        self._session.frames(conn, payloads, ts_recv, opcode)
        if self._session.core.actions:
            self._act()

    def _on_alive(self, conn: int, ts: int) -> None:
        self._session.alive(conn, ts)

    def _on_open(self, connection: Connection, ts: int) -> None:
        self._connections[connection.conn] = connection
        self._log.info("connected", conn=connection.conn)
        self._session.open(connection.conn, "", ts)
        self._act()

    def _on_close(self, conn: int, code: int, reason: str, ts: int) -> None:
        reason = mask_text(reason)  # a library may name the proxy with all that is in its address
        self._connections.pop(conn, None)
        self._log.warning("disconnected", conn=conn, code=code, reason=reason)
        self._session.close(conn, code, reason, ts)
        self._act()

    def _on_answer(self, request: Rest, status: int, headers: dict[str, str], body: bytes, ts: int) -> None:
        wait_ns = pause_ns(status, headers, SECOND, self._exchange.limits(request.market).forbidden_pause_ns)
        if wait_ns:
            self._shared.block(_host(request.url), ts + wait_ns)
        if not 200 <= status < 300:
            self._log.warning("rest_failed", url=request.url, status=status, reason=body[:200].decode(errors="replace"))
        self._session.rest(request.request, status, headers, body, ts)
        self._act()

    def _look(self) -> None:
        """Whatever is not told by a socket."""
        session = self._session
        now = self._clock.now_ns()
        step = self._clock.step_ns()
        if step:
            self._log.warning("clock_step", seconds=step / 1e9)
            session.clock_step(step, now)
        if (quality := self._clock.quality()) is not None:
            session.clock_quality(quality.offset, quality.dispersion, now)
        for instrument in self._ring.control.pending_resyncs():
            self._ring.control.resync_done(instrument)
            session.resync(instrument, now)
        if self._ring.control.books_pending():
            self._ring.control.books_told()
            session.books_wanted(now)
        plan = self._desk.take()
        if plan is not None:
            session.reload(plan, now)
        session.timer(now)
        self._ring.heartbeat(now)
        self._frames.ring.heartbeat(now)
        self._act()

    # actions

    def _act(self) -> None:
        for action in self._session.actions():
            self._do(action)

    def _do(self, action: Action) -> None:
        if isinstance(action, Send):
            connection = self._connections.get(action.conn)
            if connection is not None:
                connection.send_text(action.text)
        elif isinstance(action, Ping):
            connection = self._connections.get(action.conn)
            if connection is not None:
                connection.send_ping()
        elif isinstance(action, Connect):
            self._connecting[action.conn] = asyncio.get_running_loop().create_task(self._connect(action))
        elif isinstance(action, Close):
            task = self._connecting.pop(action.conn, None)
            if task is not None:
                task.cancel()
            connection = self._connections.pop(action.conn, None)
            if connection is not None:
                self._log.info("closing", conn=action.conn)
                connection.drop()
        elif isinstance(action, Complain):
            self._complain(action.problems)
        elif isinstance(action, Reloaded):
            self._log.info("reloaded", added=action.added, ended=action.ended)
            self._desk.done(action.added, action.ended)
        elif self._rest is not None:
            self._rest.get(action)

    def _complain(self, problems: tuple[str, ...]) -> None:
        for problem in problems:
            if problem not in self._problems:
                self._log.error("symbols", problem=problem)
        self._problems = problems
        self._desk.complain(problems)

    async def _connect(self, action: Connect) -> None:
        limits = self._limits_of(action.url)
        name = _host(action.url) + "#connects"
        while (wait_s := self._admit(name, 1, limits.connects, limits.connects_window_ns)) > 0:
            await asyncio.sleep(wait_s)
        tls = self._way.tls if action.url.startswith("wss:") else None
        options = Options(tls=tls, proxy=self._way.proxy, deflate=limits.deflate)
        refusal = await self._open(action.url, action.conn, self._callbacks, on_open=self._on_open, options=options)
        self._connecting.pop(action.conn, None)
        if refusal is None:
            return
        wait_ns = pause_ns(refusal.status, refusal.headers, SECOND, limits.forbidden_pause_ns)
        if wait_ns:
            self._shared.block(name, self._clock.now_ns() + wait_ns)

    def _limits_of(self, url: str) -> Limits:
        meaning = self._exchange.read_url(url)
        return self._exchange.limits(self._exchange.markets[0] if meaning is None else meaning.market)

    def _admit_rest(self, request: Rest) -> float:
        limits = self._exchange.limits(request.market)
        return self._admit(_host(request.url), request.weight, limits.rest_weight, limits.rest_window_ns)

    def _admit(self, name: str, units: int, limit: int, window_ns: int) -> float:
        return self._shared.admit(name, units, limit, window_ns, self._clock.now_ns())

    # the end

    async def _close_all(self) -> None:
        for task in self._connecting.values():
            task.cancel()
        for connection in list(self._connections.values()):
            connection.drop()
        self._connections.clear()
        if self._rest is not None:
            await self._rest.close()
        await asyncio.sleep(0)
        self._log.info("stopped", frames_in=self._ring.counters["frames_in"], records=self._ring.counters["records"])


def _host(url: str) -> str:
    return urlsplit(url).netloc
