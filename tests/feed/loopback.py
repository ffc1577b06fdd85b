"""The child's main against one simulated exchange on loopback: real sockets, real REST, real rings."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ringcollect.config import Collector, Config, Market, Websocket
from ringcollect.exchanges import load
from ringcollect.feed.process import run
from ringcollect.ring.attach import attach
from ringcollect.sim.faults import parse_faults
from ringcollect.sim.server import Simulator
from ringcollect.sim.solo import SoloStage
from ringcollect.sim.stage import Stage


@contextmanager
def served(make: Callable[[], Stage]) -> Iterator[str]:
    """The simulation that ``make`` gives, in a thread of its own; yields ``host:port``."""
    ready: list[int] = []
    told, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        simulator = Simulator(make())
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


def warm(exchange: str) -> None:
    """Nothing is compiled while a socket is open; an exchange that is decoded by types alone has nothing to compile."""
    compile_all = getattr(load(exchange), "warm", None)
    if compile_all is not None:
        compile_all()


def simulated(
    exchange: str, truth: Path, faults: str = "", rate: float = 600.0, symbols: tuple[str, ...] = ()
) -> AbstractContextManager[str]:
    """The simulated exchange in a thread of its own; gives ``host:port``."""
    plan = parse_faults(faults)
    return served(
        lambda: SoloStage(exchange, time.time_ns(), symbols=symbols, rate=rate, seed=5, faults=plan, truth=truth)
    )


def collected(
    folder: Path,
    exchange: str,
    markets: dict[str, tuple[tuple[str, ...], tuple[str, ...]]],
    enough: Callable[[Any, Config], bool],
    *,
    faults: str = "",
    path: str = "",
    rate: float = 600.0,
    symbols: tuple[str, ...] = (),
    seconds: float = 30.0,
    websocket: Websocket | None = None,
) -> tuple[np.ndarray, dict[str, int], list[Any]]:
    """Everything in the ring once ``enough(reader, config)``, the counters, the instruments.

    ``markets``: market -> (symbols, channels); ``path`` is appended to the simulator's address; ``symbols``
    are those it has, if not its usual ones.
    """
    warm(exchange)
    with simulated(exchange, folder / "truth.jsonl", faults, rate, symbols) as host:
        return collected_from(host, folder, exchange, markets, enough, path=path, seconds=seconds, websocket=websocket)


def collected_from(
    host: str,
    folder: Path,
    exchange: str,
    markets: dict[str, tuple[tuple[str, ...], tuple[str, ...]]],
    enough: Callable[[Any, Config], bool],
    *,
    path: str = "",
    seconds: float = 30.0,
    websocket: Websocket | None = None,
) -> tuple[np.ndarray, dict[str, int], list[Any]]:
    """As :func:`collected` does, from whoever listens at ``host``."""
    warm(exchange)
    planned = tuple(
        Market(
            exchange=exchange, market=market, symbols=symbols, channels=channels, url=f"ws://{host}{path}",
            rest_url=f"http://{host}",
        )
        for market, (symbols, channels) in markets.items()
    )  # fmt: skip
    collector = Collector(data=str(folder / "data"), runtime_dir=str(folder / "run"))
    config = Config(collector=collector, markets=planned, websocket=websocket or Websocket())
    ring = config.runtime_path() / f"{exchange}.rec.ring"
    deadline = time.monotonic() + seconds
    readers: list[Any] = []

    def stop() -> bool:
        if not readers and ring.exists():
            readers.append(attach(ring))
        return time.monotonic() > deadline or (bool(readers) and enough(readers[0], config))

    run(config, exchange, stop)
    reader = attach(ring)
    reader.cursor = 0
    return reader.read(1 << 20).records, dict(reader.counters), list(reader.instruments())
