"""A synchronizer killed at each of its failpoints, in a process of its own: no row missing, none doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ringcollect.records import RECORD
from ringcollect.ring.attach import attach
from ringcollect.ring.producer import Producer
from ringcollect.sync.engine import Engine
from ringcollect.sync.settings import Parameters
from ringcollect.sync.worker import open_worker
from tests import synthetic

PROGRAM = """
import sys
from pathlib import Path
from ringcollect.sync.settings import Parameters
from ringcollect.sync.worker import open_worker
worker = open_worker(Path(sys.argv[1]), "test", "100ms", Parameters(), ring_capacity=1 << 14)
worker.save()
while worker.step():
    worker.save()
worker.close()
"""
POINTS = (
    "sync.before_publish",
    "sync.after_publish",
    "checkpoint.after_head",
    "checkpoint.before_close",
    "checkpoint.after_write",
)


def run_worker(directory: Path, fail: str = "") -> int:
    environment = os.environ | {"RINGCOLLECT_FAIL": fail}
    return subprocess.run([sys.executable, "-c", PROGRAM, str(directory)], env=environment, timeout=120).returncode


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_failpoint_no_row_is_missing_and_none_doubled(point: str, tmp_path: Path) -> None:
    records = synthetic.stream(3600)
    ring = Producer.open(tmp_path, "test.rec", RECORD, 1 << 15, generation=1)
    for instrument in synthetic.instruments("test"):
        ring.instruments.put(instrument)
    for batch in np.array_split(records, 4):
        ring.publish(np.ascontiguousarray(batch))
    assert len(records) > 3 * 4096  # so that the worker passes each point several times
    assert run_worker(tmp_path, f"{point}:2") == -signal.SIGKILL
    worker = open_worker(tmp_path, "test", "100ms", Parameters(), ring_capacity=1 << 14)
    while worker.step():
        pass
    worker.close()
    reader = attach("test.100ms.row", directory=tmp_path)
    expected = Engine(Parameters(), synthetic.instruments("test").__getitem__).collect(records)
    assert reader.last(reader.capacity).tobytes() == expected.tobytes()
