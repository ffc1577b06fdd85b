"""The archiver killed -9 at every step, against a real store: no file lost, none twice, none that is not whole."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from ringcollect.store.archive.failpoint_names import REMOVING, SENDING
from ringcollect.store.verify import verify
from tests.servers import archives
from tests.store.archive import segments


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segments.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    for path, content in segments.content(made).items():
        (tmp_path / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / path).write_bytes(content)
    return tmp_path / "data"


@pytest.mark.parametrize("name", SENDING | REMOVING)
def test_killed_at_every_step_the_next_run_ends_what_it_began(name: str, data: Path, bucket: str) -> None:
    before, where = segments.content(data), segments.target(f"{bucket}/lake", server="tokyo")
    certificates = sorted((data / "certificates").rglob("*.json"))
    killed = archives.work(data, where, certificates, remove=True, fail=f"{name}:2")
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    there = archives.stored(where.uri)
    for path, content in before.items():
        here = data / path
        assert there.get(where.keys.key(path), content) == content, "what is in the store is whole"
        assert where.keys.key(path) in there or here.read_bytes() == content, f"{path} is nowhere"
    assert verify(data, strict=True).problems == []
    ended = archives.work(data, where, certificates, remove=True)
    assert ended.returncode == 0, ended.stdout
    assert archives.stored(where.uri) == {where.keys.key(path): content for path, content in before.items()}
    assert not [path for path in segments.content(data) if path.endswith(".parquet")]
    report = verify(data, strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert not [path for path in data.rglob("*") if path.name.endswith((".tmp", ".removing"))]


def test_killed_in_the_middle_of_a_large_upload_nobody_sees_a_part_of_it(tmp_path: Path, bucket: str) -> None:
    certificate = archives.large_segment(tmp_path, 0, [35 << 20])
    where = segments.target(bucket)
    killed = archives.work(tmp_path, where, [certificate], remove=True, fail="archive.during_upload:3")
    assert killed.returncode == -signal.SIGKILL
    assert archives.stored(bucket) == {}
    before = segments.content(tmp_path)
    assert archives.work(tmp_path, where, [certificate], remove=True).returncode == 0
    assert archives.stored(bucket) == before
