"""What the host must offer, refused in words before anything starts."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from ringcollect.config import Config, Market, Override, Sync, SyncFeatures, SyncOutput
from ringcollect.config.archive_section import Archive
from ringcollect.errors import ConfigError, EnvironmentRefused
from ringcollect.supervise import environment
from ringcollect.supervise.environment import ROW_BYTES, check_host, needed_bytes
from ringcollect.supervise.plan import Stage, plan
from ringcollect.sync.catalogue import select
from ringcollect.sync.rows import row_dtype


@pytest.fixture
def config(tmp_path: Path) -> Config:
    base = Config(markets=(Market(exchange="binance", market="spot", symbols=("BTCUSDT",)),))
    folders = msgspec.structs.replace(
        base.collector, data=str(tmp_path / "data"), runtime_dir=str(tmp_path / "runtime")
    )
    return msgspec.structs.replace(base, collector=folders)


def test_a_tmpfs_too_small_for_the_rings_is_refused_with_both_sizes(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs
    small = 20 << 20

    class Small:
        f_bavail, f_frsize = small // 4096, 4096

    monkeypatch.setattr(environment.os, "statvfs", lambda path: Small if "runtime" in str(path) else real(path))
    needed = needed_bytes(config) >> 20
    with pytest.raises(EnvironmentRefused, match=rf"need {needed} MiB in .*runtime, which has 20 MiB.*shm-size"):
        check_host(config)


def test_rings_that_are_there_already_count_as_room(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        f_bavail, f_frsize = 0, 4096

    config.runtime_path().mkdir()
    with (config.runtime_path() / "binance.rec.ring").open("wb") as ring:
        ring.truncate(needed_bytes(config))
    monkeypatch.setattr(environment.os, "statvfs", lambda path: Full)
    check_host(config)


def test_the_estimate_covers_the_rows_of_every_feature_set_there_is(config: Config) -> None:
    assert row_dtype(tuple(select(("minimal",)))).itemsize <= ROW_BYTES


def test_every_grid_has_a_row_ring_that_needs_room(config: Config) -> None:
    market = msgspec.structs.replace(
        config.markets[0],
        symbols=("BTCUSDT", "ETHUSDT"),
        override=(Override(symbols=("ETHUSDT",), grid="1s"), Override(symbols=("BTCUSDT",), grid="10s")),
    )
    off = Sync(enabled=False)
    one_row_ring = needed_bytes(config) - needed_bytes(msgspec.structs.replace(config, sync=off))
    three = msgspec.structs.replace(config, markets=(market,))
    assert needed_bytes(three) - needed_bytes(config) == 2 * one_row_ring > 0
    assert needed_bytes(msgspec.structs.replace(three, sync=off)) < needed_bytes(config)


def test_every_kind_of_bars_has_a_ring_that_needs_room(config: Config) -> None:
    def with_bars(*sizes: str) -> int:
        sync = Sync(features=SyncFeatures(bar_sizes=sizes), output=SyncOutput(bars=True))
        return needed_bytes(msgspec.structs.replace(config, sync=sync))

    one = with_bars("5ticks") - with_bars()
    assert 2 << 20 < one < 5 << 20
    assert with_bars() - needed_bytes(config) == 4 * one


def test_without_the_synchronizer_no_such_process_is_planned_and_less_memory_is_asked_for(config: Config) -> None:
    raw_only = msgspec.structs.replace(config, sync=Sync(enabled=False))
    assert [spec.name for spec in plan(config)] == ["feed-binance", "sync", "journal"]
    assert [spec.name for spec in plan(raw_only)] == ["feed-binance", "journal"]
    assert needed_bytes(raw_only) < needed_bytes(config)


def test_budgets_come_from_the_configuration_stage_by_stage(config: Config) -> None:
    collector = msgspec.structs.replace(config.collector, stop_feeds_s=1.5, stop_sync_s=2.5, stop_writer_s=3.5)
    specs = plan(msgspec.structs.replace(config, collector=collector))
    assert [(spec.stage, spec.stop_budget_s) for spec in specs] == [
        (Stage.FEED, 1.5),
        (Stage.SYNC, 2.5),
        (Stage.WRITER, 3.5),
    ]


def test_an_archive_adds_a_process_that_stops_last_within_its_own_budget(config: Config) -> None:
    collector = msgspec.structs.replace(config.collector, stop_archive_s=4.5)
    specs = plan(msgspec.structs.replace(config, collector=collector, archive=Archive(mode="s3", bucket="lake")))
    assert (specs[-1].name, specs[-1].stage, specs[-1].stop_budget_s) == ("archive", max(Stage), 4.5)
    assert "archive" not in [spec.name for spec in plan(config)]


def test_an_archive_without_a_bucket_or_keys_is_refused_before_anything_starts(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("S3_BUCKET", "AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    archived = msgspec.structs.replace(config, archive=Archive(mode="both"))
    with pytest.raises(ConfigError, match=r"archive\.bucket: is not set, nor is S3_BUCKET"):
        check_host(archived)
    monkeypatch.setenv("S3_BUCKET", "lake")
    with pytest.raises(ConfigError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        check_host(archived)
    monkeypatch.setenv("AWS_ACCESS_KEY", "a")
    monkeypatch.setenv("AWS_SECRET_KEY", "b")
    check_host(archived)
