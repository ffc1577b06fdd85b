"""The running collector has retention done by a child, when it is due and never twice at once."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from ringcollect.config import Collector, Config, Retention, Storage
from ringcollect.store.verify import verify
from ringcollect.supervise.retaining import FIRST_S, NICE, Retainer
from tests import synthetic
from tests.store import lake


def config_of(data: Path, **limits: object) -> Config:
    return Config(
        collector=Collector(data=str(data)),
        storage=Storage(fsync="off"),
        retention=msgspec.convert(limits, Retention),
    )


def ended(retainer: Retainer, now_s: float) -> None:
    """Wait for the child and let it be collected."""
    assert retainer._child is not None
    retainer._child.wait(timeout=60)
    retainer.poll(now_s)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Trades over the midnight of months ago."""
    return lake.make_lake(tmp_path, lake.trades(900, start_ns=synthetic.MIDNIGHT_NS - 400 * 1_000_000))


def test_a_lake_without_limits_never_has_a_child(tmp_path: Path) -> None:
    retainer = Retainer(config_of(tmp_path))
    for now_s in (0.0, 100.0, 1e9):
        retainer.poll(now_s)
    assert retainer._child is None


def test_the_first_run_comes_after_a_minute_the_next_after_the_interval(data: Path) -> None:
    retainer = Retainer(config_of(data, age="1d", interval="30m"))
    retainer.poll(1000.0)
    retainer.poll(1000.0 + FIRST_S - 0.1)
    assert retainer._child is None
    retainer.poll(1000.0 + FIRST_S)
    assert retainer._child is not None
    assert os.getpriority(os.PRIO_PROCESS, retainer._child.pid) == NICE
    ended(retainer, 1000.0 + FIRST_S + 1)
    assert (retainer.runs, retainer.error) == (1, "") and retainer.files == 2 and retainer.bytes > 1000
    assert lake.parquet_files(data) == []
    assert verify(data).problems == []


def test_what_goes_wrong_is_said_and_tried_again(data: Path) -> None:
    stray = lake.parquet_files(data)[0].with_name("more.parquet")
    stray.write_bytes(b"PAR1")
    retainer = Retainer(config_of(data, age="1d"))
    retainer.poll(0.0)
    retainer.poll(FIRST_S)
    ended(retainer, FIRST_S + 1)
    assert "more.parquet: is in no certificate" in retainer.error
    stray.unlink()
    retainer.poll(FIRST_S + 3600)
    ended(retainer, FIRST_S + 3601)
    assert (retainer.error, lake.parquet_files(data)) == ("", [])


def test_at_a_stop_the_child_is_ended(data: Path) -> None:
    retainer = Retainer(config_of(data, age="1d"))
    retainer.poll(0.0)
    retainer.poll(FIRST_S)
    child = retainer._child
    assert child is not None
    retainer.stop()
    assert child.poll() is not None and retainer._child is None
    assert verify(data).problems == []
