"""kill -9 at random moments of writing, sealing, compacting, archiving: after each, the lake is what was sent.

One collector, one lake, one bucket and one exchange for all rounds. ``RINGCOLLECT_CHAOS_KILLS`` says how many, and
``RINGCOLLECT_CHAOS_SEED`` which: a failure names both.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ringcollect.records import Flag
from ringcollect.store.location import Lake as LakeOf
from ringcollect.store.verify import verify
from tests.promises.system import (
    Collector,
    Exchange,
    Lake,
    assert_each_record_exactly_once,
    assert_rows_exactly_once,
    command,
    environment,
    system,
    until,
)

KILLS = int(os.environ.get("RINGCOLLECT_CHAOS_KILLS", "3"))
SEED = int(os.environ.get("RINGCOLLECT_CHAOS_SEED", "1"))


@pytest.mark.chaos
@pytest.mark.timeout(120 + 60 * KILLS)
def test_after_every_kill_the_lake_and_the_archive_hold_the_truth(tmp_path: Path, bucket: str) -> None:
    archive = {"mode": '"both"', "bucket": f'"{bucket.removeprefix("s3://")}"', "server_name": '"chaos"'}
    victims: dict[str, Callable[[random.Random, Collector], None]] = {
        "journal": _kill_journal, "sealer": _kill_sealer, "archive": _kill_archiver, "compact": _kill_compaction,
        "everything": _kill_everything,
    }  # fmt: skip
    with system(tmp_path, rate=300, archive=archive, rotate_time='"1s"') as (exchange, collector):
        for round_ in range(KILLS):
            moments = random.Random(f"{SEED} {round_}")
            victim = list(victims)[round_ % len(victims)]
            said = f"RINGCOLLECT_CHAOS_SEED={SEED}, kill {round_ + 1} of {KILLS}: {victim}"
            print(said, flush=True)
            collector.start()
            collector.flowing(moments.randrange(200, 1200))
            victims[victim](moments, collector)
            collector.flowing(100)
            assert collector.stop() == 0, f"{said}\n{collector.tail_of_log()}"
            _assert_whole(exchange, collector, said)
        exchange.stop()
        done = subprocess.run(
            command("--config", str(collector.config), "archive", "push"), capture_output=True, text=True,
            env=environment(), timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        remote = verify(LakeOf.open(bucket), strict=True)
        local = verify(collector.data, strict=True)
        assert (remote.problems, remote.lost, local.problems, local.lost) == ([], [], [], [])
        assert remote.records == local.records


def _assert_whole(exchange: Exchange, collector: Collector, said: str) -> None:
    report = verify(collector.data, strict=True)
    assert (report.problems, report.lost) == ([], []), said
    assert_each_record_exactly_once(collector)
    assert_rows_exactly_once(collector)
    stored = [trade for trade in Lake(collector.data).trades() if not trade[2] & Flag.DUPLICATE]
    keys = {key for key, _, _ in stored}
    assert len(keys) == len(stored), f"{said}: a trade is stored twice"
    truth: dict = {}

    def is_written() -> bool:
        truth.update(exchange.trades())
        return keys <= truth.keys()

    until(is_written, "the simulator's account of what is stored", patience_s=20)
    assert {key: values for key, values, _ in stored} == {key: truth[key] for key in keys}, said


def _kill_journal(moments: random.Random, collector: Collector) -> None:
    killed = collector.kill("journal")
    until(lambda: collector.pid("journal") not in (0, killed), "another journal process")


def _kill_archiver(moments: random.Random, collector: Collector) -> None:
    killed = collector.kill("archive")
    until(lambda: collector.pid("archive") not in (0, killed), "another archive process")


def _kill_sealer(moments: random.Random, collector: Collector) -> None:
    parent = psutil.Process(collector.pid("journal"))
    sealers: list[psutil.Process] = []

    def is_sealing() -> bool:
        sealers[:] = [child for child in parent.children() if "ringcollect.store.seal" in " ".join(_words(child))]
        return bool(sealers)

    until(is_sealing, "a sealer at work")
    time.sleep(moments.uniform(0, 0.6))  # where in its work is what is random here
    _kill(sealers[0].pid)


def _kill_compaction(moments: random.Random, collector: Collector) -> None:
    words = ("--config", str(collector.config), "compact", "--older-than", "0s")
    with subprocess.Popen(command(*words), env=environment(), stdout=subprocess.DEVNULL) as compacting:
        with suppress(subprocess.TimeoutExpired):
            compacting.wait(moments.uniform(0.3, 3.0))
        _kill(compacting.pid)


def _kill_everything(moments: random.Random, collector: Collector) -> None:
    assert collector.process is not None
    for pid in collector.all_pids():
        _kill(pid)
    collector.process.wait()
    collector.start()


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
