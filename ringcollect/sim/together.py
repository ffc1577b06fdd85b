"""Several simulated exchanges on one port: each behind its own paths, all in one truth file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count
from pathlib import Path

import msgspec

from ringcollect.errors import ConfigError
from ringcollect.sim.faults import Change, FaultPlan
from ringcollect.sim.peer import Peer
from ringcollect.sim.scene import Answer
from ringcollect.sim.solo import KINDS, SoloStage
from ringcollect.sim.stage import Host, Stage
from ringcollect.sim.truth import Truth
from ringcollect.sim.world import DEFAULT_SYMBOLS, Options, World

EXCHANGES = ("binance", *KINDS)
"""Every exchange that can be simulated."""


class Together:
    """The first stage that knows a path serves it. Binance comes last: whatever follows ``/ws/`` is a stream of its."""

    patient = False

    def __init__(self, stages: list[Stage], truth: Truth) -> None:
        self.stages = stages
        self.truth = truth
        self.markets = tuple(dict.fromkeys(market for stage in stages for market in stage.markets))

    def wire_ns(self, now_ns: int) -> int:
        """The wire clock is the local one."""
        return now_ns

    def advance(self, wire_ns: int, most: int = 5_000) -> bool:
        """Let everything due happen, at most ``most`` steps of each; False when more is due."""
        done = [stage.advance(wire_ns, most) for stage in self.stages]  # every one has its turn
        return all(done)

    def has(self, target: str) -> bool:
        """Whether ``target`` is a path of one of the venues."""
        return any(stage.has(target) for stage in self.stages)

    def connect(self, target: str, wire_ns: int) -> tuple[Host, Peer] | None:
        """A client opens ``target``; None when there is no such path."""
        for stage in self.stages:
            if stage.has(target):
                return stage.connect(target, wire_ns)
        return None

    def get(self, target: str, wire_ns: int) -> Answer | None:
        """The answer to a REST request, None when nobody has such a path."""
        for stage in self.stages:
            answer = stage.get(target, wire_ns)
            if answer is not None:
                return answer
        return None

    def finish(self) -> None:
        """End of the run, for each."""
        for stage in self.stages:
            stage.finish()

    def frames_made(self) -> int:
        """Frames of all so far, whether anybody listened or not."""
        return sum(stage.frames_made() for stage in self.stages)

    def finished(self) -> bool:
        """A generated market never ends."""
        return all(stage.finished() for stage in self.stages)


def stage_of(
    exchanges: tuple[str, ...], now_ns: int, *, symbols: tuple[str, ...] = (), rate: float = 1000.0, seed: int = 1,
    faults: FaultPlan | None = None, truth: Path | None = None,
) -> Stage:  # fmt: skip
    """The simulation of one exchange or several; ``rate`` (frames/s) is that of all together.

    ``symbols`` are native ones, of several exchanges written ``exchange:SYMBOL``. Raises ConfigError.
    """
    named = _by_exchange(exchanges, symbols)
    plan, lines, numbers = faults or FaultPlan(), Truth(truth), count()
    ordered = sorted(named, key=lambda name: name not in KINDS)
    share = rate / len(named)
    plans = _plans(ordered, plan)
    stages = [_one(name, named[name], now_ns, share, seed, plans[name], lines, numbers) for name in ordered]
    return stages[0] if len(stages) == 1 else Together(stages, lines)


def _one(
    exchange: str, symbols: tuple[str, ...], now_ns: int, rate: float, seed: int, plan: FaultPlan, truth: Truth,
    numbers: Iterator[int],
) -> Stage:  # fmt: skip
    if exchange in KINDS:
        return SoloStage(
            exchange, now_ns, symbols=symbols, rate=rate, seed=seed, faults=plan, truth=truth, numbers=numbers
        )
    names = symbols or DEFAULT_SYMBOLS
    return World(Options(spot=names, linear=names, rate=rate, seed=seed, faults=plan), now_ns, truth, numbers)


def _plans(exchanges: list[str], plan: FaultPlan) -> dict[str, FaultPlan]:
    """The plan of each: of several exchanges, listings are written ``exchange:SYMBOL``, too."""
    if len(exchanges) == 1:
        return {exchanges[0]: plan}
    changes: dict[str, list[Change]] = {name: [] for name in exchanges}
    for change in plan.changes:
        exchange, symbol = _split(change.symbol, exchanges)
        changes[exchange].append(msgspec.structs.replace(change, symbol=symbol))
    return {name: msgspec.structs.replace(plan, changes=tuple(mine)) for name, mine in changes.items()}


def _split(text: str, exchanges: Collection[str]) -> tuple[str, str]:
    exchange, colon, symbol = text.partition(":")
    if not colon or exchange.lower() not in exchanges:
        raise ConfigError(f"simulator: {text!r} names none of its exchanges; write {min(exchanges)}:SYMBOL")
    return exchange.lower(), symbol


def _by_exchange(exchanges: tuple[str, ...], symbols: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    for name in exchanges:
        if name not in EXCHANGES:
            raise ConfigError(f"simulator: exchange {name!r} is none of {', '.join(EXCHANGES)}")
    named: dict[str, list[str]] = {name: [] for name in exchanges}
    if len(named) == 1:
        return {exchanges[0]: symbols}
    for text in symbols:
        exchange, symbol = _split(text, exchanges)
        named[exchange].append(symbol)
    return {name: tuple(texts) for name, texts in named.items()}
