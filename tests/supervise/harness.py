"""A supervisor in a process of its own, over small targets: ``python -m tests.supervise.harness FOLDER NAME=TARGET…``.

Ends like ``ringcollect start``: stops in order on SIGTERM and exits with the supervisor's exit code.
"""

from __future__ import annotations

import signal
import sys
import time

from ringcollect.config import Log
from ringcollect.supervise.backoff import RestartPolicy
from ringcollect.supervise.forking import Spawner
from ringcollect.supervise.plan import ChildSpec, Stage
from ringcollect.supervise.supervisor import Supervisor

STAGES = {"feed": Stage.FEED, "sync": Stage.SYNC, "journal": Stage.WRITER}
BUDGET_S = 0.7


def main() -> int:
    folder, *children = sys.argv[1:]
    specs = []
    for child in children:
        name, _, target = child.partition("=")
        stage = STAGES[name.partition("-")[0]]
        specs.append(ChildSpec(name, stage, f"tests.supervise.targets:{target}", (folder, name), BUDGET_S))
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))

    def report(event: str, name: str, detail: str) -> None:
        print(event, name, detail, flush=True)

    policy = RestartPolicy(first_s=0.05, max_s=0.4, healthy_s=60)
    supervisor = Supervisor(specs, Spawner(Log(), preload=""), report, time.monotonic, policy)
    supervisor.poll()
    print("ready", flush=True)
    while not supervisor.stopped:
        if asked:
            supervisor.stop()
        supervisor.poll()
        time.sleep(0.01)
    return supervisor.exit_code


if __name__ == "__main__":
    sys.exit(main())
