"""The archive against a real store that dies, freezes, refuses, fills up or has another clock."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringcollect.config import Config
from ringcollect.config.archive_section import Archive
from ringcollect.config.schema import Collector
from ringcollect.store.archive.process import ArchiveProcess
from ringcollect.store.archive.send import send
from ringcollect.store.archive.sending import ArchiveError
from ringcollect.store.verify import verify
from tests.servers import archives
from tests.servers.seaweed import Seaweed, weed
from tests.store.archive import segments

WAIT_S = 100.0
MIB = 1 << 20


def archiver(data: Path, runtime: Path, uri: str, mode: str = "s3") -> ArchiveProcess:
    """An archive process for the lake; its children are real."""
    config = Config(collector=Collector(data=str(data), runtime_dir=str(runtime)), archive=Archive(mode=mode))
    return ArchiveProcess(config, segments.target(uri))


def until(process: ArchiveProcess, condition: Callable[[], bool], speed: float = 1.0) -> None:
    """Turn the loop until ``condition``, its clock running ``speed`` times as fast as the host's."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + WAIT_S, process.counts.__dict__
        process.step(began + (time.monotonic() - began) * speed)
        time.sleep(0.01)


def here(server: Seaweed, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of ``server``, with this process's environment saying where it is."""
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    server.make_bucket("lake")
    return "s3://lake"


def parquet_files(data: Path) -> dict[str, bytes]:
    return {path: content for path, content in segments.content(data).items() if path.endswith(".parquet")}


@pytest.mark.parametrize("layout", ["hive", "flat"])
@pytest.mark.parametrize("server", ["", "tokyo-1"])
def test_every_file_of_a_lake_is_in_the_bucket_under_its_key(
    tmp_path: Path, bucket: str, layout: str, server: str
) -> None:
    data = segments.make(tmp_path)
    before = segments.content(data)
    where = segments.target(f"{bucket}/lake", layout, server)
    sent = segments.send_all(data, where, remove=True)
    assert archives.stored(where.uri) == {where.keys.key(path): content for path, content in before.items()}
    assert sum(each.removed for each in sent) == sum(path.endswith(".parquet") for path in before)
    assert parquet_files(data) == {}
    assert verify(data, strict=True).problems == []


def test_large_files_go_in_parts_and_are_not_read_back_to_be_verified(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store's own hash is enough, for one request and for parts; only then is nothing fetched."""
    certificate = archives.large_segment(tmp_path, 0, [10 * MIB - 1, 10 * MIB, 10 * MIB + 1, 25 * MIB, 0, 1])
    before = segments.content(tmp_path)
    where = segments.target(bucket)
    lake = where.open()
    fetched: list[str] = []
    pieces = type(lake).pieces
    monkeypatch.setattr(type(lake), "pieces", lambda self, key: fetched.append(key) or pieces(self, key))
    send(tmp_path, certificate, where, lake, remove=True, tell=segments.silent)
    assert fetched == []
    assert archives.stored(bucket) == before


def test_the_server_killed_in_the_middle_of_an_upload_costs_that_upload_only(
    tmp_path: Path, own_seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = here(own_seaweed, monkeypatch)
    certificate = archives.large_segment(tmp_path, 0, [1000, 45 * MIB])
    before = segments.content(tmp_path)
    where = segments.target(bucket)
    told: list[int] = []

    def kill_in_the_middle(_key: str, length: int) -> None:
        told.append(length)
        if len(told) == 3:
            own_seaweed.kill()

    with pytest.raises(ArchiveError) as caught:
        send(tmp_path, certificate, where, where.open(), remove=True, tell=kill_in_the_middle)
    assert caught.value.stage == "upload"
    assert caught.value.is_of_the_store
    assert segments.content(tmp_path) == before
    own_seaweed.start()
    assert set(archives.stored(bucket)) <= {next(iter(parquet_files(tmp_path)))}, "the large one is not seen"
    sent = send(tmp_path, certificate, where, where.open(), remove=True, tell=segments.silent)
    assert (sent.there + sent.files, sent.removed) == (2, 2)
    assert archives.stored(bucket) == before


def test_the_server_killed_and_started_again_and_again_the_archiver_goes_on_by_itself(
    tmp_path: Path, own_seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = here(own_seaweed, monkeypatch)
    data = tmp_path / "data"
    for number in range(6):
        archives.large_segment(data, number, [12 * MIB, 100])
    before = segments.content(data)
    process = archiver(data, tmp_path, bucket)
    for _ in range(2):
        sent = process.counts.segments
        until(process, lambda sent=sent: process.counts.segments > sent)
        own_seaweed.kill()
        until(process, lambda: process.counts.error != "", speed=5)
        assert "does not answer" in process.counts.error
        own_seaweed.start()
        until(process, lambda sent=sent: process.counts.segments > sent + 1, speed=50)
    until(process, lambda: not process.backlog.paths and process.finished and not process.counts.error, speed=50)
    assert process.counts.retries >= 2
    assert process.counts.failures["upload"] + process.counts.failures["verify"] >= 2
    assert parquet_files(data) == {}
    assert archives.stored(bucket) == before


def test_a_server_that_freezes_is_given_up_and_tried_again(
    tmp_path: Path, own_seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = here(own_seaweed, monkeypatch)
    data = tmp_path / "data"
    archives.large_segment(data, 0, [100])
    before = segments.content(data)
    process = archiver(data, tmp_path, bucket)
    own_seaweed.freeze()
    until(process, lambda: process.counts.error != "", speed=20)
    assert parquet_files(data) != {}
    own_seaweed.thaw()
    until(process, lambda: process.counts.segments == 1, speed=50)
    assert archives.stored(bucket) == before


def test_wrong_credentials_remove_nothing_are_said_to_be_wrong_and_go_on_when_they_are_right(
    tmp_path: Path, bucket: str, s3: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    archives.large_segment(data, 0, [100, 200])
    before = segments.content(data)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-of-somebody-else")
    process = archiver(data, tmp_path, bucket)
    until(process, lambda: process.counts.retries > 0, speed=5)
    assert "wrong secret key" in process.counts.error
    assert "a-secret-of-somebody-else" not in process.counts.error
    assert segments.content(data) == before
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.env["AWS_SECRET_ACCESS_KEY"])
    until(process, lambda: process.counts.segments == 1 and not process.counts.error, speed=50)
    assert archives.stored(bucket) == before


def test_a_bucket_that_is_not_there_is_named(tmp_path: Path, s3: Seaweed) -> None:
    archives.large_segment(tmp_path / "data", 0, [100])
    process = archiver(tmp_path / "data", tmp_path, "s3://never-made/lake")
    until(process, lambda: process.counts.error != "")
    assert "s3://never-made/lake" in process.counts.error
    process.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 150 MiB, in a folder that others may enter; skips where none may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="ringcollect-disk-"))
    size = f"size={150 * MIB},mode=0755"
    command = ["mount", "-t", "tmpfs", "-o", size, "ringcollect-test", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True)
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip(f"a small file system needs root: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def test_a_store_that_is_full_loses_nothing_and_takes_the_rest_when_there_is_room(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small_disk / "data").mkdir()
    server = Seaweed(weed(), small_disk / "data")
    try:
        server.start()
        bucket = here(server, monkeypatch)
        data = tmp_path / "data"
        for number in range(6):
            archives.large_segment(data, number, [35 * MIB])
        before = segments.content(data)
        process = archiver(data, tmp_path, bucket)
        until(process, lambda: process.counts.retries >= 2, speed=20)
        assert process.counts.error != ""
        assert 0 < process.counts.segments < 6
        there = archives.stored(bucket)
        for path, content in before.items():
            assert there.get(path, content) == content
            assert path in there or (data / path).read_bytes() == content
        subprocess.run(["mount", "-o", f"remount,size={2000 * MIB}", str(small_disk)], check=True)
        server.kill()  # it has marked its volumes as full
        server.start()
        until(process, lambda: process.counts.segments == 6 and not process.counts.error, speed=50)
        assert archives.stored(bucket) == before
        assert parquet_files(data) == {}
    finally:
        server.close()


@pytest.mark.parametrize("skew", ["+2d", "-2d"])
def test_a_clock_that_is_days_off_sends_everything_or_says_that_it_is_the_clock(
    tmp_path: Path, bucket: str, skew: str
) -> None:
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed (apt-get install faketime)")
    certificate = archives.large_segment(tmp_path, 0, [100, 12 * MIB])
    before = segments.content(tmp_path)
    where = segments.target(bucket)
    done = archives.work(tmp_path, where, [certificate], remove=True, prefix=["faketime", "-f", skew])
    said = done.stdout.decode()
    if done.returncode == 0:
        assert archives.stored(bucket) == before
    else:
        assert "clock" in said, said
        assert parquet_files(tmp_path) == {path: c for path, c in before.items() if path.endswith(".parquet")}
    assert archives.work(tmp_path, where, [certificate], remove=True).returncode == 0
    assert archives.stored(bucket) == before
