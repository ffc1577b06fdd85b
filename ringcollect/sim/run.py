"""``ringcollect sim`` as a process: serve until SIGTERM, one JSON line when ready, one at the end."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import msgspec
import uvloop

from ringcollect.sim.server import Simulator
from ringcollect.sim.stage import Stage

_POLL_S = 0.05
_AFTER_THE_END_S = 1.0


def run(stage: Stage, *, port: int = 0, for_ns: int = 0) -> dict[str, int]:
    """Serve ``stage`` until SIGTERM or SIGINT, for ``for_ns`` if not 0, or until it is played out.

    Prints the ready line and the final counters (one JSON object each) to standard output and returns the latter.
    """
    return uvloop.run(_serve(stage, port, for_ns))


async def _serve(stage: Stage, port: int, for_ns: int) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    simulator = Simulator(stage, port=port)
    await simulator.start()
    _tell(simulator.ready_line())
    end_s = loop.time() + for_ns / 1e9 if for_ns else float("inf")
    while not stopping.is_set() and loop.time() < end_s and not stage.finished():
        await asyncio.sleep(_POLL_S)
    if stage.finished():
        await asyncio.sleep(_AFTER_THE_END_S)
    stats = simulator.stats()
    await simulator.stop()
    _tell({"stopped": True} | stats)
    return stats


def _tell(line: dict[str, Any]) -> None:
    print(msgspec.json.encode(line).decode(), flush=True)
