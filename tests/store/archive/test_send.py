"""A lake into an archive (here a folder; tests/servers has the same on real object stores): whole, verified, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringcollect.store.archive.marks import Watch
from ringcollect.store.archive.send import send
from ringcollect.store.archive.sending import ArchiveError
from ringcollect.store.location import Lake
from ringcollect.store.verify import verify
from tests.store.archive import segments


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return segments.make(tmp_path_factory.mktemp("made"))


@pytest.fixture
def data(made: Path, ram: Path) -> Path:
    """A lake of one's own: hard links cost nothing, and nobody writes into a sealed file."""
    for path in made.rglob("*"):
        if path.is_file():
            copy = ram / "data" / path.relative_to(made)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return ram / "data"


def test_the_archive_of_a_lake_is_that_lake_byte_for_byte_and_verifies(data: Path, ram: Path) -> None:
    before = segments.content(data)
    sent = segments.send_all(data, segments.target(ram / "archive"))
    assert segments.content(ram / "archive") == before == segments.content(data)
    assert len(sent) > 2
    assert sum(each.files for each in sent) == sum(path.endswith(".parquet") for path in before)
    assert sum(each.bytes for each in sent) == sum(len(c) for path, c in before.items() if path.endswith(".parquet"))
    report = verify(ram / "archive", strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert report.records == verify(data, strict=True).records > 0


def test_what_is_archived_is_not_looked_at_again_and_a_lost_mark_costs_a_comparison_only(data: Path, ram: Path) -> None:
    where = segments.target(ram / "archive")
    first = segments.send_all(data, where)
    assert segments.send_all(data, where) == []
    for mark in data.rglob("*.archived"):
        mark.unlink()
    again = segments.send_all(data, where)
    assert [(each.files, each.there) for each in again] == [(0, each.files) for each in first]


def test_another_archive_begins_anew(data: Path, ram: Path) -> None:
    segments.send_all(data, segments.target(ram / "one"))
    segments.send_all(data, segments.target(ram / "two"))
    assert segments.content(ram / "one") == segments.content(ram / "two")


def test_removing_leaves_certificates_that_say_where_the_records_are(data: Path, ram: Path) -> None:
    before, records = segments.content(data), verify(data).records
    sent = segments.send_all(data, segments.target(ram / "archive"), remove=True)
    assert segments.content(ram / "archive") == before
    assert sorted(segments.content(data)) == sorted(path for path in before if path.startswith("certificates/"))
    assert sum(each.removed for each in sent) == sum(path.endswith(".parquet") for path in before)
    report = verify(data, strict=True)
    assert (report.problems, report.lost) == ([], [])
    assert sum(str(ram / "archive") in note.what for note in report.notes) == len(sent)
    assert verify(ram / "archive").records == records
    assert segments.send_all(data, segments.target(ram / "archive"), remove=True) == []


def test_what_was_archived_before_is_removed_later_only_if_the_archive_still_has_it(data: Path, ram: Path) -> None:
    where = segments.target(ram / "archive")
    segments.send_all(data, where)
    before = segments.content(data)
    lost = next(path for path in before if path.endswith(".parquet"))
    (ram / "archive" / lost).unlink()
    sent = segments.send_all(data, where, remove=True)
    assert sum(each.files for each in sent) == 1, "what somebody deleted there is sent again before it goes here"
    assert segments.content(ram / "archive") == before


def test_a_file_that_is_not_what_its_certificate_says_is_neither_archived_nor_removed(data: Path, ram: Path) -> None:
    path = next((data / "raw").rglob("*.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    where = segments.target(ram / "archive")
    failed = []
    for pending in Watch(data, where.mark, removes=True).look():
        try:
            send(data, pending.certificate, where, where.open(), remove=True, tell=segments.silent)
        except ArchiveError as error:
            failed.append(error)
    assert [error.stage for error in failed] == ["read"]
    assert path.name in str(failed[0])
    assert path.exists()
    assert not (ram / "archive" / path.relative_to(data)).exists()


def test_a_damaged_file_in_the_archive_is_noticed_and_replaced(data: Path, ram: Path) -> None:
    where = segments.target(ram / "archive")
    segments.send_all(data, where)
    before = segments.content(data)
    stored = next((ram / "archive" / "raw").rglob("*.parquet"))
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")  # no Parquet any more, the length is right
    for mark in data.rglob("*.archived"):
        mark.unlink()
    assert sum(each.files for each in segments.send_all(data, where)) == 1
    assert segments.content(ram / "archive") == before


def test_two_collectors_of_one_name_cannot_overwrite_each_others_files(data: Path, ram: Path) -> None:
    """The same stamp in two file names is enough for it."""
    mine, other = sorted((data / "raw").rglob("*.parquet"))[:2]
    theirs = ram / "archive" / mine.relative_to(data)
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(other.read_bytes())
    with pytest.raises(ArchiveError, match="server_name"):
        segments.send_all(data, segments.target(ram / "archive"))
    assert theirs.read_bytes() == other.read_bytes()
    segments.send_all(data, segments.target(ram / "archive", server="two"))


def test_segments_of_a_removal_for_another_reason_are_left_alone(data: Path, ram: Path) -> None:
    certificate = min((data / "certificates").rglob("*.json"))
    certificate.with_suffix(".removing").write_bytes(b'{"rows": []}')
    where = segments.target(ram / "archive")
    count = len(list((data / "certificates").rglob("*.json")))
    assert len(segments.send_all(data, where, remove=True)) == count - 1
    assert Watch(data, where.mark, removes=True).look() == []
    assert certificate.with_suffix(".removing").exists()


def test_a_new_segment_is_noticed_and_an_unchanged_lake_is_not_read_again(data: Path, ram: Path) -> None:
    where = segments.target(ram / "archive")
    watch = Watch(data, where.mark, removes=False)
    waiting = watch.look()
    assert [p.mtime_ns for p in waiting] == sorted(p.mtime_ns for p in waiting)
    for pending in waiting[:-1]:
        send(data, pending.certificate, where, Lake.open(where.uri), remove=False, tell=segments.silent)
    assert [p.certificate for p in watch.look()] == [waiting[-1].certificate]


def test_every_piece_that_is_sent_is_told(data: Path, ram: Path) -> None:
    told: list[tuple[str, int]] = []
    segments.send_all(data, segments.target(ram / "archive"), tell=lambda key, length: told.append((key, length)))
    files = {path: len(c) for path, c in segments.content(data).items() if path.endswith(".parquet")}
    assert dict(told) == files
