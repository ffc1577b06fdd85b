"""Which exchanges are compared on which grid, as the configuration says it; no kernel is imported here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ringcollect.config import Config
from ringcollect.sync.parameters import parameters_of
from ringcollect.sync.settings import Parameters

XV_SCHEMA_VERSION = 1


class AcrossPlan(NamedTuple):
    """What one grid is compared by: the columns of group O, and how long after its stamp a row still counts.

    ``stored``: the rows go to the lake.
    """

    grid: str
    grid_ns: int
    columns: tuple[str, ...]
    delay_ns: int
    exchanges: tuple[str, ...]
    stored: bool = True


def across_plans(config: Config, exchanges: Sequence[str]) -> tuple[AcrossPlan, ...]:
    """A plan for each grid that has columns of group O and rows of at least two of ``exchanges``."""
    found: dict[str, list[tuple[str, Parameters]]] = {}
    for exchange in exchanges:
        for plan in config.row_plans(exchange):
            parameters = parameters_of(config, plan)
            if parameters.across:
                found.setdefault(plan.grid, []).append((exchange, parameters))
    return tuple(
        AcrossPlan(
            grid=grid,
            grid_ns=chosen[0][1].grid_ns,
            columns=chosen[0][1].across,
            delay_ns=max(one.resolved_hold_back_ns() for _, one in chosen) + config.sync.choice.venue_wait_ns,
            exchanges=tuple(exchange for exchange, _ in chosen),
            stored=config.sync.output.features,
        )
        for grid, chosen in found.items()
        if len(chosen) > 1
    )


def across_ring_name(exchange: str, grid: str) -> str:
    """``binance.100ms.xv``."""
    return f"{exchange}.{grid}.xv"


def across_meta(plan: AcrossPlan, exchange: str) -> dict[str, object]:
    """What such a ring says of itself; another choice of any of it is a new generation."""
    meta: dict[str, object] = {
        "kind": "xv",
        "exchange": exchange,
        "grid": plan.grid,
        "grid_ns": plan.grid_ns,
        "columns": list(plan.columns),
        "delay_ns": plan.delay_ns,
        "exchanges": list(plan.exchanges),
        "schema_version": XV_SCHEMA_VERSION,
    }
    return meta if plan.stored else meta | {"stored": False}
