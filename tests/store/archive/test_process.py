"""The archive process with real children: what waits goes, what fails is tried again, counted and named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ringcollect.config import Config
from ringcollect.config.archive_section import Archive
from ringcollect.config.schema import Collector
from ringcollect.observe import archive as observed
from ringcollect.store.archive import process as module
from ringcollect.store.archive.process import ArchiveProcess
from ringcollect.store.archive.sender import arguments_of
from ringcollect.store.archive.work import lock
from ringcollect.store.verify import verify
from tests.store.archive import segments

WAIT_S = 60.0


@pytest.fixture
def data(ram: Path) -> Path:
    return segments.make(ram)


@pytest.fixture
def archiver(data: Path, ram: Path) -> Iterator[Callable[..., ArchiveProcess]]:
    """Makes an archive process for the lake; it is not a process of its own here, its children are real."""
    made: list[ArchiveProcess] = []

    def make(mode: str = "both", interval: str = "0s") -> ArchiveProcess:
        config = Config(
            collector=Collector(data=str(data), runtime_dir=str(ram)), archive=Archive(mode=mode, interval=interval)
        )
        made.append(ArchiveProcess(config, segments.target(ram / "archive")))
        return made[-1]

    yield make
    for each in made:
        each.close()


def until(process: ArchiveProcess, condition: Callable[[], bool], speed: float = 1.0) -> None:
    """Turn the loop until ``condition``, its clock running ``speed`` times as fast as the host's."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + WAIT_S, process.counts.__dict__
        process.step(began + (time.monotonic() - began) * speed)
        time.sleep(0.01)


def test_everything_sealed_is_sent_and_counted(data: Path, ram: Path, archiver: Callable[..., ArchiveProcess]) -> None:
    process = archiver()
    until(process, lambda: process.counts.segments > 0 and process.finished and not process.backlog.paths)
    process.tell()
    assert segments.content(ram / "archive") == segments.content(data)
    seen = observed.look(ram, time.time())
    files = [path for path in segments.content(data) if path.endswith(".parquet")]
    assert (seen.files, seen.waiting_files, seen.waiting_bytes, seen.error) == (len(files), 0, 0, "")
    assert seen.bytes == sum(len(segments.content(data)[path]) for path in files)
    assert set(seen.failures.values()) == {0}


def test_a_bad_segment_keeps_nobody_waiting_and_is_named_until_it_is_good(
    data: Path, ram: Path, archiver: Callable[..., ArchiveProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 1)
    bad = min((data / "raw").rglob("*.parquet"))
    whole = bad.read_bytes()
    bad.write_bytes(whole[:-9] + bytes(9))
    process = archiver(mode="s3")
    until(process, lambda: process.counts.failures["read"] > 0 and process.finished, speed=5)
    process.tell()
    seen = observed.look(ram, time.time())
    assert bad.name in seen.error
    assert (seen.waiting_segments, seen.failing_s >= 0) == (1, True)
    named = [json.loads(certificate.read_bytes())["files"] for certificate in (data / "certificates").rglob("*.json")]
    of_bad = next(files for files in named if any((data / file["path"]) == bad for file in files))
    assert {path for path in segments.content(data) if path.startswith("raw/")} == {file["path"] for file in of_bad}
    bad.write_bytes(whole)
    until(process, lambda: not process.counts.error, speed=50)
    assert process.counts.retries > 0
    assert verify(ram / "archive", strict=True).problems == []


def test_an_archive_that_refuses_is_tried_again_with_longer_pauses(
    data: Path, ram: Path, archiver: Callable[..., ArchiveProcess]
) -> None:
    (ram / "archive").write_bytes(b"a file where the archive should be")
    process = archiver()
    until(process, lambda: process.counts.retries >= 3, speed=20)
    assert "archive" in process.counts.error
    assert process.counts.segments == 0
    (ram / "archive").unlink()
    until(process, lambda: not process.counts.error, speed=50)
    assert segments.content(ram / "archive") == segments.content(data)


def test_one_lake_has_one_archiver(data: Path, ram: Path, archiver: Callable[..., ArchiveProcess]) -> None:
    fd = lock(data)
    process = archiver()
    until(process, lambda: process.counts.failures["reach"] > 0)
    assert "in use by another process" in process.counts.error
    os.close(fd)
    until(process, lambda: process.counts.segments > 0, speed=20)


def test_within_an_interval_nothing_new_is_sent(data: Path, ram: Path, archiver: Callable[..., ArchiveProcess]) -> None:
    process = archiver(interval="1h")
    until(process, lambda: process.counts.segments > 0 and process.finished)
    sent = process.counts.segments
    for mark in data.rglob("*.archived"):
        mark.unlink()
    began = time.monotonic()
    for second in range(0, 3500, 50):
        process.step(began + second)
    assert (process.counts.segments, len(process.backlog.paths)) == (sent, sent)
    process.begin_last_round(began)
    until(process, lambda: process.counts.segments == 2 * sent)


def test_a_child_that_hangs_is_ended_and_counted(
    data: Path, ram: Path, archiver: Callable[..., ArchiveProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = archiver()
    process.step(time.monotonic())
    assert process._sender is not None
    os.kill(process._sender._child.pid, signal.SIGSTOP)
    until(process, lambda: process.counts.failures["timeout"] > 0, speed=1000)


def test_a_child_ends_when_who_started_it_is_gone(data: Path, ram: Path) -> None:
    where = segments.target(ram / "archive")
    fd = lock(data)
    os.close(fd)
    certificates = sorted((data / "certificates").rglob("*.json"))
    slow = (
        "import sys, time; from ringcollect.store.archive import work; work.send = lambda *a, **k: time.sleep(600);"
        "import threading; threading.Thread(target=work._end_with_parent, daemon=True).start();"
        "work._say('ready', {}); work.main(sys.argv[1:])"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", slow, *arguments_of(data, where, remove=False), *map(str, certificates)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    assert b"ready" in child.stdout.readline()
    child.stdin.close()
    assert child.wait(timeout=WAIT_S) != 0
    child.stdout.close()


KILLED = (
    "archive.after_upload",
    "archive.certificate.after_upload",
    "archive.removal.after_rename",
    "archive.after_unlink",
)


@pytest.mark.parametrize("name", KILLED)
def test_killed_at_a_step_the_next_run_ends_what_it_began(name: str, data: Path, ram: Path) -> None:
    """Some of the steps; tests/servers walks all of them against a real store."""
    before, where = segments.content(data), segments.target(ram / "archive")
    certificates = sorted((data / "certificates").rglob("*.json"))
    environment = os.environ | {"RINGCOLLECT_FAIL": f"{name}:2"}
    command = [sys.executable, "-m", "ringcollect.store.archive.work", *arguments_of(data, where, remove=True)]
    pipe, keep = os.pipe()
    killed = subprocess.run(
        [*command, *map(str, certificates)], env=environment, stdin=pipe, check=False,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(pipe)
    os.close(keep)
    assert killed.returncode == -signal.SIGKILL
    here = {path for path in segments.content(data) if path.endswith(".parquet")}
    there = set(segments.content(ram / "archive"))
    assert here | there >= {path for path in before if path.endswith(".parquet")}, "a file is nowhere"
    segments.send_all(data, where, remove=True)
    assert segments.content(ram / "archive") == before
    assert not [path for path in segments.content(data) if path.endswith(".parquet")]
    assert verify(data, strict=True).problems == []
