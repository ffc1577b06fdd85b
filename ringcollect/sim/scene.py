"""What every part of one simulation shares, and what every venue answers over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ringcollect.sim.faults import FaultPlan
from ringcollect.sim.scheduler import Scheduler
from ringcollect.sim.truth import Truth


class Scene(msgspec.Struct, frozen=True):
    """What every part of one simulation shares. Not serialised."""

    seed: int
    start_ns: int
    plan: FaultPlan
    roll: Callable[[str], tuple[float, int]]
    truth: Truth
    scheduler: Scheduler


class Answer(msgspec.Struct, frozen=True):
    """An HTTP response: status, headers, body text."""

    status: int
    headers: dict[str, str]
    body: str
