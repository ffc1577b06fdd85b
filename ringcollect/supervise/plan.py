"""Which processes a configuration needs, and in which order they stop."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from ringcollect.config import Config


class Stage(enum.IntEnum):
    """Stop order: a stage stops only when nothing before it writes any more."""

    FEED = 0
    SYNC = 1
    WRITER = 2
    ARCHIVE = 3


@dataclass(frozen=True)
class ChildSpec:
    """One process: ``target`` is ``module:function``, imported in the child only, called with ``args`` and ``stop``."""

    name: str
    stage: Stage
    target: str
    args: tuple[Any, ...]
    stop_budget_s: float
    recycle_s: float = 0.0
    """At this age the process may end by itself with exit code 0 and is started again at once; 0: never."""


def plan(config: Config) -> tuple[ChildSpec, ...]:
    """The children of ``config``: a feed per exchange, the synchronizer unless disabled, the journal process,
    the archive process if there is an archive."""
    exchanges = config.exchanges()
    collector = config.collector
    children = [
        ChildSpec(
            f"feed-{exchange}", Stage.FEED, "ringcollect.feed.process:run", (config, exchange), collector.stop_feeds_s
        )
        for exchange in exchanges
    ]
    if config.sync.enabled:
        children.append(
            ChildSpec("sync", Stage.SYNC, "ringcollect.sync.process:run", (config, exchanges), collector.stop_sync_s)
        )
    children.append(
        ChildSpec(
            "journal",
            Stage.WRITER,
            "ringcollect.store.process:run",
            (config, exchanges),
            collector.stop_writer_s,
            recycle_s=config.storage.recycle_ns / 1e9,
        )
    )
    if config.archive.mode != "off":
        budget = collector.stop_archive_s
        children.append(ChildSpec("archive", Stage.ARCHIVE, "ringcollect.store.archive.process:run", (config,), budget))
    return tuple(children)
