"""A store that knows no checksum trailers: refused with advice, and with the documented setting as good as any."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringcollect.store.verify import verify
from tests.servers import archives
from tests.servers.swift import Swift, require_swift
from tests.store.archive import segments

SETTING = "AWS_REQUEST_CHECKSUM_CALCULATION"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def swift() -> Iterator[Swift]:
    require_swift()
    server = Swift()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def bucket(swift: Swift, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket, and an environment in which children find it; pyarrow reads ``SETTING`` when it is loaded."""
    for name, value in swift.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(SETTING, "when_required")
    name = f"bucket-{next(_numbers)}"
    make = "import sys; from tests.servers.swift import make; make(*sys.argv[1:])"
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", make, swift.endpoint, name], check=True, env=os.environ | paths)
    return f"s3://{name}"


def stored(uri: str) -> dict[str, str]:
    """SHA-256 of everything in the bucket, read by a process of its own."""
    code = (
        "import hashlib, json, sys; from ringcollect.store.location import Lake; lake = Lake.open(sys.argv[1]);"
        "print(json.dumps({e.key: hashlib.sha256(lake.read(e.key)).hexdigest() for e in lake.files()}))"
    )
    done = subprocess.run([sys.executable, "-c", code, uri], check=True, capture_output=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def hashes(content: dict[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(raw).hexdigest() for path, raw in content.items()}


def test_a_lake_goes_there_and_comes_back(tmp_path: Path, bucket: str) -> None:
    data = segments.make(tmp_path)
    before, where = segments.content(data), segments.target(f"{bucket}/lake", server="old")
    certificates = sorted((data / "certificates").rglob("*.json"))
    done = archives.work(data, where, certificates, remove=True)
    assert done.returncode == 0, done.stdout
    assert stored(where.uri) == {where.keys.key(path): content for path, content in hashes(before).items()}
    assert not [path for path in segments.content(data) if path.endswith(".parquet")]
    assert verify(data, strict=True).problems == []


def test_large_files_go_in_parts(tmp_path: Path, bucket: str) -> None:
    certificate = archives.large_segment(tmp_path, 0, [25 << 20, 10 << 20, 1, 0])
    before = segments.content(tmp_path)
    assert archives.work(tmp_path, segments.target(bucket), [certificate], remove=True).returncode == 0
    assert stored(bucket) == hashes(before)


def test_killed_in_the_middle_of_a_large_upload_it_goes_on(tmp_path: Path, bucket: str) -> None:
    certificate = archives.large_segment(tmp_path, 0, [35 << 20])
    before, where = segments.content(tmp_path), segments.target(bucket)
    killed = archives.work(tmp_path, where, [certificate], remove=True, fail="archive.during_upload:3")
    assert killed.returncode == -signal.SIGKILL
    assert stored(bucket) == {}
    assert archives.work(tmp_path, where, [certificate], remove=True).returncode == 0
    assert stored(bucket) == hashes(before)


def test_without_the_setting_nothing_is_lost_and_it_is_named(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SETTING)
    certificate = archives.large_segment(tmp_path, 0, [100])
    before = segments.content(tmp_path)
    done = archives.work(tmp_path, segments.target(bucket), [certificate], remove=True)
    assert done.returncode != 0
    assert f"{SETTING}=when_required" in done.stdout.decode()
    assert segments.content(tmp_path) == before
