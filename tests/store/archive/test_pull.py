"""The way back: what was archived and removed is here again, byte for byte, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.archive.keys import Keys
from ringcollect.store.archive.pull import Pulled, pull, segments_of
from ringcollect.store.location import Lake
from ringcollect.store.scan import scan
from ringcollect.store.selection import select
from ringcollect.store.verify import verify
from tests.store import compacting, lake
from tests.store.archive import segments


def bring(archive: Path, data: Path, keys: Keys = Keys(), **chosen: object) -> Pulled:  # noqa: B008 immutable
    """Pull the chosen segments."""
    source = Lake.open(archive)
    found = list(segments_of(source, keys, select(**chosen)))  # type: ignore[arg-type]
    return pull(source, keys, found, Lake.open(data), lambda *told: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segments.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def data(made: Path, ram: Path) -> Path:
    return Path(shutil.copytree(made, ram / "data"))


@pytest.mark.parametrize("layout", ["hive", "flat"])
@pytest.mark.parametrize("server", ["", "tokyo"])
def test_what_was_archived_and_removed_comes_back_byte_for_byte(
    data: Path, ram: Path, layout: str, server: str
) -> None:
    before, where = segments.content(data), segments.target(ram / "archive", layout, server)
    segments.send_all(data, where, remove=True)
    pulled = bring(ram / "archive", data, where.keys)
    assert segments.content(data) == before
    assert (pulled.files, pulled.here) == (sum(path.endswith(".parquet") for path in before), 0)
    assert list(data.rglob("*.removed")) == []
    report = verify(data, strict=True)
    assert (report.problems, report.notes) == ([], [])
    bring(ram / "archive", ram / "new", where.keys)
    assert segments.content(ram / "new") == before
    again = bring(ram / "archive", ram / "new", where.keys)
    assert (again.files, again.here) == (0, pulled.files)


def test_only_segments_of_this_server_come(data: Path, ram: Path) -> None:
    segments.send_all(data, segments.target(ram / "archive", server="tokyo"))
    assert bring(ram / "archive", ram / "new", Keys(server="paris")).segments == 0
    assert bring(ram / "archive", ram / "new", Keys()).segments == 0


def test_the_selection_chooses_segments_that_have_anything_of_it(data: Path, ram: Path) -> None:
    segments.send_all(data, segments.target(ram / "archive"))
    every = bring(ram / "archive", ram / "1").segments
    assert bring(ram / "archive", ram / "2", exchanges=("okx",)).segments == 0
    assert bring(ram / "archive", ram / "3", types=("trades",), symbols=("BTC-USDT",)).segments == every
    assert bring(ram / "archive", ram / "4", markets=("linear",)).segments == 0
    certificates = [json.loads(path.read_bytes()) for path in (data / "certificates").rglob("*.json")]
    middle = sorted(each["stream_ns"][0] for each in certificates)[1]
    expected = sum(each["stream_ns"][1] >= middle for each in certificates)
    assert 0 < bring(ram / "archive", ram / "5", start=middle).segments == expected < every
    assert ["missing before" in problem.what for problem in verify(ram / "5").problems] == [True], "and it says so"


def test_a_damaged_file_in_the_archive_does_not_come(data: Path, ram: Path) -> None:
    segments.send_all(data, segments.target(ram / "archive"))
    bad = min((ram / "archive" / "raw").rglob("*.parquet"))
    whole = bad.read_bytes()
    bad.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(LakeError, match=r"its SHA-256 differs") as caught:
        bring(ram / "archive", ram / "new")
    assert bad.name in str(caught.value)
    assert not (ram / "new" / bad.relative_to(ram / "archive")).exists()
    bad.unlink()
    with pytest.raises(NotFoundError, match="its certificate is"):
        bring(ram / "archive", ram / "new")
    bad.write_bytes(whole)
    bring(ram / "archive", ram / "new")
    assert segments.content(ram / "new") == segments.content(data)


@pytest.mark.parametrize(
    "path", ["../../outside/date=1", "/etc/exchange=a/date=b/c", "raw/exchange=a/date=b/../../../x"]
)
def test_a_certificate_that_points_out_of_the_lake_is_refused(data: Path, ram: Path, path: str) -> None:
    segments.send_all(data, segments.target(ram / "archive"))
    certificate = min((ram / "archive" / "certificates").rglob("*.json"))
    content = json.loads(certificate.read_bytes())
    content["files"][0]["path"] = path
    certificate.write_text(json.dumps(content))
    before = sorted(each for each in ram.rglob("*") if ram / "new" not in each.parents and each != ram / "new")
    with pytest.raises(LakeError):
        bring(ram / "archive", ram / "new")
    assert sorted(each for each in ram.rglob("*") if ram / "new" not in each.parents and each != ram / "new") == before


def test_rows_that_were_merged_in_the_archive_come_as_the_merged_file(ram: Path) -> None:
    """And take the place of those that are still here in files of their own."""
    data = lake.make_lake(ram, lake.trades(900), policy=lake.Policy(records=300))
    segments.send_all(data, segments.target(ram / "archive"))
    compacting.compacted(ram / "archive")
    for folder in (ram / "new", data):
        if folder == data:
            min((data / "raw").rglob("*.parquet")).unlink()
        bring(ram / "archive", folder)
        report = verify(folder, strict=True)
        assert (report.problems, report.lost) == ([], [])
        assert scan(folder, "trades").to_table()["seq"].to_pylist() == list(range(900))
        assert len(list((folder / "raw").rglob("*.parquet"))) == 1
