"""Everything of ``ringcollect start`` between the configuration and the outcome."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from setproctitle import setproctitle

from ringcollect.config import Config
from ringcollect.observe.logs import configure
from ringcollect.observe.snapshot import Snapshot
from ringcollect.supervise.environment import check_host
from ringcollect.supervise.forking import Spawner
from ringcollect.supervise.lock import SupervisorLock
from ringcollect.supervise.plan import plan
from ringcollect.supervise.run import Outcome, Run
from ringcollect.supervise.systemd import Notifier
from ringcollect.supervise.warming import ensure_warm
from ringcollect.sync.catalogue.plan import needed
from ringcollect.sync.parameters import parameters_of


def collect(
    config: Config, *, show: Callable[[Snapshot], None], tell: Callable[[str], None], for_s: float | None = None,
    reread: Callable[[], Config] | None = None,
) -> Outcome:  # fmt: skip
    """Collect until a signal, or for ``for_s`` seconds. ``show`` gets every snapshot, ``tell`` lines for people.

    ``reread`` gives the configuration as it is now, for a reload.

    Before any process is started, raises ConfigError for features that nobody or no grid has, and EnvironmentRefused
    when the host or another collector is in the way.
    """
    groups = {"A"}
    if config.sync.enabled:
        for exchange in config.exchanges():
            for rows in config.row_plans(exchange):
                chosen = parameters_of(config, rows)
                groups |= {group.letter for group in needed(chosen.columns, chosen.options)}
                groups |= {"P"} if chosen.bars else set()
    runtime = config.runtime_path()
    check_host(config)
    lock = SupervisorLock(runtime)
    try:
        configure(config.log, "supervisor")
        setproctitle(f"{config.collector.name}: supervisor")
        ensure_warm(tell, config.exchanges(), "".join(sorted(groups)))
        spawner = Spawner(config.log, collector=config.collector.name, exchanges=config.exchanges())
        notifier = Notifier(os.environ)
        run = Run(config, plan(config), spawner, notifier=notifier, show=show, for_s=for_s, reread=reread)
        return asyncio.run(run.main())
    finally:
        lock.release()
