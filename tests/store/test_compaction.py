"""Small segments become one file: every row in it, in order, proven; the lake is as sound as before."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ringcollect.cli.compact import command
from ringcollect.cli.invocation import Invocation
from ringcollect.store.compaction import exchange, swap
from ringcollect.store.compaction.lake_run import CompactionReport
from ringcollect.store.compaction.totals import totals
from ringcollect.store.drain import RingJournal
from ringcollect.store.report import Report
from ringcollect.store.scan import scan
from ringcollect.store.seal import seal_all
from ringcollect.store.selection import select
from ringcollect.store.verify import verify
from tests.store import compacting, lake
from tests.store.compacting import compacted

DAY_NS = 86_400_000_000_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake.make_lake(tmp_path_factory.mktemp("lake"), lake.over_midnight(1000))


@pytest.fixture
def data(sound: Path, ram: Path) -> Path:
    shutil.copytree(sound, ram / "data")
    return ram / "data"


def day_folders(data: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in lake.parquet_files(data):
        found.setdefault(path.parent.relative_to(data).as_posix(), []).append(path)
    return found


def assert_sound(report: Report) -> None:
    assert (report.problems, report.lost, report.notes) == ([], [], [])


def test_every_day_folder_has_one_file_with_every_row_in_ring_order(data: Path) -> None:
    rows, folders = lake.rows_by_seq(data), day_folders(data)
    several = {folder for folder, files in folders.items() if len(files) > 1}
    report = compacted(data)
    assert {one.folder for one in report.merged} == several
    assert (report.exit_code, report.problems) == (0, [])
    after = day_folders(data)
    assert after.keys() == folders.keys()
    for files in after.values():
        assert len(files) == 1
        seqs = np.asarray(pq.read_table(files[0], partitioning=None)["seq"])
        assert (np.diff(seqs) > 0).all()
    assert lake.rows_by_seq(data) == rows
    assert sum(one.rows for one in report.merged) == sum(
        pq.read_metadata(after[folder][0]).num_rows for folder in several
    )


def test_the_certificates_stay_as_they_are_and_still_prove_every_row(data: Path) -> None:
    before, certificates = verify(data, strict=True), sorted((data / "certificates").rglob("*.json"))
    contents = [path.read_bytes() for path in certificates]
    compacted(data)
    after = verify(data, strict=True)
    assert_sound(after)
    assert after.records == before.records and after.coverage == before.coverage
    assert [path.read_bytes() for path in sorted((data / "certificates").rglob("*.json"))] == contents


def test_a_merged_file_says_what_it_is_and_is_encoded_as_its_sources_were(data: Path) -> None:
    path = next(path for path in lake.parquet_files(data, "raw", "trades"))
    source = pq.ParquetFile(path)
    own = json.loads(source.schema_arrow.metadata[b"ringcollect"])
    compacted(data)
    (merged,) = path.parent.glob("*.parquet")
    file = pq.ParquetFile(merged)
    said = json.loads(file.schema_arrow.metadata[b"ringcollect"])
    certificates = [json.loads(path.read_bytes()) for path in (data / "certificates").rglob("*.json")]
    expected = {
        entry["path"].rpartition("/")[2]: entry["claims"]["row_hash"]
        for certificate in certificates
        for entry in certificate["files"]
        if entry["path"].startswith(path.parent.relative_to(data).as_posix())
    }
    assert {one["name"]: one["row_hash"] for one in said["sources"]} == expected and len(expected) > 1
    assert said["identity"] == own["identity"] | {"seq_to": said["sources"][-1]["seq_to"]}
    assert {name: said[name] for name in ("native_symbol", "market", "unified", "schema", "schema_version")} == {
        name: own[name] for name in ("native_symbol", "market", "unified", "schema", "schema_version")
    }
    assert file.schema_arrow.remove_metadata() == source.schema_arrow.remove_metadata()
    for place in range(len(file.schema_arrow.names)):
        one, other = file.metadata.row_group(0).column(place), source.metadata.row_group(0).column(place)
        assert (one.compression, set(one.encodings)) == (other.compression, set(other.encodings))


def test_a_second_run_finds_nothing_to_do(data: Path) -> None:
    compacted(data)
    before = lake.hashes(data)
    assert compacted(data).folders == []
    assert lake.hashes(data) == before


def test_a_dry_run_says_what_would_be_merged_and_changes_nothing(data: Path) -> None:
    before = lake.hashes(data)
    said = compacted(data, dry_run=True)
    assert lake.hashes(data) == before
    done = compacted(data)
    assert [(one.folder, one.files_before, one.files_after, one.rows) for one in said.merged] == [
        (one.folder, one.files_before, one.files_after, one.rows) for one in done.merged
    ]


def test_fewer_files_than_min_files_are_left_alone(data: Path) -> None:
    folders = day_folders(data)
    most = max(map(len, folders.values()))
    report = compacted(data, min_files=most)
    assert {one.folder for one in report.merged} == {name for name, files in folders.items() if len(files) == most}


def test_target_files_divides_a_day_into_so_many_consecutive_files(data: Path) -> None:
    rows = lake.rows_by_seq(data)
    compacted(data, target_files=2)
    for files in day_folders(data).values():
        assert len(files) <= 2
        seqs = [pq.read_table(path, partitioning=None)["seq"].to_pylist() for path in files]
        spans = sorted((own[0], own[-1]) for own in seqs)
        assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert lake.rows_by_seq(data) == rows
    assert_sound(verify(data, strict=True))


def test_files_with_a_young_row_wait_and_older_ones_do_not_jump_over_them(data: Path) -> None:
    folder = max(day_folders(data).items(), key=lambda item: len(item[1]))[0]
    files = sorted((data / folder).glob("*.parquet"))
    limit = max(pq.read_table(files[-2], partitioning=None)["ts_recv"].to_pylist())
    compacted(data, before_ns=limit)
    left = sorted((data / folder).glob("*.parquet"))
    assert [path.name for path in left[-2:]] == [path.name for path in files[-2:]]
    assert len(left) == (3 if len(files) > 3 else len(files))
    assert_sound(verify(data, strict=True))


def test_the_selection_chooses_folders(data: Path) -> None:
    chosen = select(types=("trades",), symbols=("BTCUSDT",), markets=("spot",), start="2026-09-21", end="2026-09-22")
    report = compacted(data, chosen)
    assert [one.folder for one in report.merged] == [
        "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-21"
    ]


def test_what_is_sealed_later_is_merged_with_what_was_merged_before(ram: Path) -> None:
    records = lake.trades(6000)
    ring, data = lake.producer(ram / "run"), ram / "data"
    journal = RingJournal(data, lake.reader(ring), lake.Policy(records=1000), resume=False)
    for until in (2000, 4000, 6000):
        lake.publish(ring, records[until - 2000 : until])
        journal.drain()
        seal_all(journal.take_finished(), data, sync=False)
        compacted(data)
        assert_sound(verify(data, strict=True))
    seal_all(journal.close(), data, sync=False)
    assert compacted(data).merged[0].files_before == 2
    ring.close()
    assert lake.rows_by_seq(data) == lake.expected_by_seq(records)
    assert len(lake.parquet_files(data)) == 1
    assert len(list(data.rglob("*.compacted"))) == 1
    assert_sound(verify(data, strict=True))
    assert (totals(data).files_before, totals(data).files_after) == (8, 3)


def test_a_file_whose_journal_is_still_there_is_left_alone(ram: Path) -> None:
    """Its sealer was killed between certificate and deletion: it will write the file again, and must find its own."""
    ring, data = lake.producer(ram / "run"), ram / "data"
    lake.publish(ring, lake.trades(3000))
    journal = RingJournal(data, lake.reader(ring), lake.Policy(records=1000), resume=False)
    journal.drain()
    kept = [(path, path.read_bytes()) for path in journal.close()]
    seal_all([path for path, _ in kept], data, sync=False)
    kept[1][0].write_bytes(kept[1][1])
    compacted(data)
    assert len(lake.parquet_files(data)) == 3
    seal_all([kept[1][0]], data, sync=False)
    compacted(data)
    assert len(lake.parquet_files(data)) == 1
    ring.close()
    assert_sound(verify(data, strict=True))


def test_a_segment_sealed_while_its_folder_is_merged_is_carried_over(
    ram: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = lake.trades(4000)
    ring, data = lake.producer(ram / "run"), ram / "data"
    lake.publish(ring, records)
    journal = RingJournal(data, lake.reader(ring), lake.Policy(records=1000), resume=False)
    journal.drain()
    *first, last = journal.close()
    seal_all(first, data, sync=False)
    write = swap._write_records

    def seal_meanwhile(*args: object, **more: object) -> None:
        write(*args, **more)  # type: ignore[arg-type]
        seal_all([last], data, sync=False)

    monkeypatch.setattr(swap, "_write_records", seal_meanwhile)
    assert compacted(data).merged[0].files_before == 3
    assert len(lake.parquet_files(data)) == 2
    assert lake.rows_by_seq(data) == lake.expected_by_seq(records)
    assert_sound(verify(data, strict=True))
    ring.close()


def test_a_file_that_comes_in_the_last_moment_is_not_lost(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulled from an archive, say, by a process that knows no lock, after the folder was looked at."""
    swapped = exchange.exchange

    def late(new: Path, day: Path) -> None:
        (day / "late.parquet").write_bytes(b"rows")
        swapped(new, day)

    monkeypatch.setattr(exchange, "exchange", late)
    report = compacted(data, select(types=("trades",)))
    assert report.merged and not report.problems
    for one in report.merged:
        assert (data / one.folder / "late.parquet").read_bytes() == b"rows"
        assert len(list((data / one.folder).iterdir())) == 2


def test_two_compactions_at_once_do_not_meet_in_a_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[CompactionReport] = []
    write, first = swap._write_records, ["now"]

    def other(*args: object, **more: object) -> None:
        if first and first.pop():
            seen.append(compacted(data))
        write(*args, **more)  # type: ignore[arg-type]

    rows = lake.rows_by_seq(data)
    monkeypatch.setattr(swap, "_write_records", other)
    report = compacted(data)
    busy = [one.folder for one in seen[0].folders if one.busy]
    assert len(busy) == 1 and not seen[0].problems and not report.problems
    assert lake.rows_by_seq(data) == rows
    assert all(len(files) == 1 for files in day_folders(data).values())
    assert_sound(verify(data, strict=True))


@pytest.mark.parametrize("code", sorted(exchange.UNSUPPORTED))
def test_where_folders_cannot_be_exchanged_a_manifest_takes_their_place(
    code: int, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(one: Path, other: Path) -> None:
        raise OSError(code, "as the file system says it")

    monkeypatch.setattr(exchange, "exchange", refuse)
    rows = lake.rows_by_seq(data)
    report = compacted(data, select(types=("trades",)))
    assert {one.how for one in report.merged} == {"manifest"} and not report.problems
    assert lake.rows_by_seq(data) == rows
    assert_sound(verify(data, strict=True))


def test_a_damaged_segment_stays_where_it_is_and_the_others_are_merged(data: Path) -> None:
    folder = "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-21"
    bad = sorted((data / folder).glob("*.parquet"))[1]
    table = pq.read_table(bad, partitioning=None)
    prices = table["price"].to_pylist()
    prices[0] += 1.0
    pq.write_table(table.set_column(table.schema.get_field_index("price"), table.schema.field("price"), [prices]), bad)
    before = lake.hashes(data / folder)
    report = compacted(data)
    assert [one.folder for one in report.problems] == [folder] and bad.name in report.problems[0].problem
    assert report.exit_code == 1
    assert lake.hashes(data / folder) == before
    assert len(report.merged) > 5
    assert {problem.place for problem in verify(data).problems} >= {f"{folder}/{bad.name}"}


def test_files_nobody_certified_are_carried_over(data: Path) -> None:
    folder = data / "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-21"
    (folder / "notes.txt").write_text("mine")
    pq.write_table(pa.table({"mine": [1]}), folder / "more.parquet")
    compacted(data)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"notes.txt", "more.parquet"} and len(names) == 3


class TestVerifyOfMergedFiles:
    @pytest.fixture
    def merged(self, data: Path) -> Path:
        self.folder = data / "raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-21"
        self.source = next(self.folder.glob("*.parquet"))
        self.kept = self.source.read_bytes()
        compacted(data)
        (self.file,) = self.folder.glob("*.parquet")
        return data

    def _said(self, data: Path, what: str) -> bool:
        place = self.file.relative_to(data).as_posix()
        return any(problem.place == place and what in problem.what for problem in verify(data).problems)

    def test_any_flipped_bit_is_named(self, merged: Path) -> None:
        content = self.file.read_bytes()
        for at in range(0, len(content), len(content) // 8):
            changed = bytearray(content)
            changed[at] ^= 1 << at % 8
            self.file.write_bytes(bytes(changed))
            assert self._said(merged, "another sha256"), f"byte {at}"

    def test_a_changed_row_is_named_with_its_block(self, merged: Path) -> None:
        table = pq.read_table(self.file, partitioning=None)
        sizes = table["size"].to_pylist()
        sizes[-1] += 1.0
        pq.write_table(
            table.set_column(table.schema.get_field_index("size"), table.schema.field("size"), [sizes]), self.file
        )
        assert self._said(merged, "differs from what was certified first in records 0 on")

    def test_a_missing_merged_file_is_named_by_what_was_in_it(self, merged: Path) -> None:
        self.file.unlink()
        missing = {problem.place for problem in verify(merged).problems if "is missing" in problem.what}
        assert self.source.relative_to(merged).as_posix() in missing

    def test_a_source_beside_the_file_it_was_merged_into_is_named(self, merged: Path) -> None:
        self.source.write_bytes(self.kept)
        assert self._said(merged, "its rows are there twice")

    def test_a_changed_record_is_named(self, merged: Path) -> None:
        place = self.file.name.encode()
        (record,) = [path for path in merged.rglob("*.compacted") if place in path.read_bytes()]
        record.write_bytes(record.read_bytes().replace(b'"rows": ', b'"rows": 1'))
        problems = {problem.place: problem.what for problem in verify(merged).problems}
        assert "was changed after it was written" in problems[record.relative_to(merged).as_posix()]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, list(arguments), obj=Invocation(), standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.output


def test_the_command_says_what_it_did_and_json_says_it_in_numbers(data: Path) -> None:
    count = len(lake.parquet_files(data))
    code, text = run("--data", str(data), "--type", "raw/trades", "--dry-run")
    assert code == 0 and "trades/exchange=binance/market=spot/symbol=BTCUSDT/date=2026-09-21: " in text
    assert "would become" in text
    code, text = run("--data", str(data), "--json")
    said = json.loads(text)
    assert code == 0 and said["files_before"] > said["files_after"] == said["merged"]
    assert len(lake.parquet_files(data)) == count - said["files_before"] + said["files_after"]
    code, text = run("--data", str(data))
    assert code == 0 and text.startswith("0 files became 0")


def test_rows_of_the_last_hour_are_young(ram: Path) -> None:
    """The default of --older-than."""
    data = lake.make_lake(
        ram, lake.trades(3000, start_ns=time.time_ns() - 60_000_000_000), policy=lake.Policy(records=1000)
    )
    assert run("--data", str(data))[1].startswith("0 files became 0")
    assert run("--data", str(data), "--older-than", "1ms")[1].startswith("3 files became")


def test_readers_and_verify_find_each_row_once_while_segments_come_and_are_merged(ram: Path) -> None:
    """A scan and a verification are always under way while the collector seals and compaction merges."""
    records = lake.trades(8000)
    ring, data = lake.producer(ram / "run", capacity=1 << 14), ram / "data"
    lake.publish(ring, records[:1000])
    journal = RingJournal(data, lake.reader(ring), lake.Policy(records=500), resume=False)
    stop, wrong, looks = threading.Event(), [], {"scan": 0, "verify": 0}

    def look(name: str, find: Callable[[], object]) -> None:
        while not stop.is_set():
            said = find()
            looks[name] += 1
            if said:
                wrong.append((name, said))

    def scanned() -> object:
        seqs = scan(data, "trades").to_table()["seq"].to_pylist()
        return [] if seqs == list(range(len(seqs))) and len(seqs) % 500 == 0 else seqs

    journal.drain()
    seal_all(journal.take_finished(), data, sync=False)
    threads = [
        threading.Thread(target=look, args=("scan", scanned)),
        threading.Thread(target=look, args=("verify", lambda: verify(data).problems)),
    ]
    for thread in threads:
        thread.start()
    try:
        for start in range(1000, 8000, 1000):
            lake.publish(ring, records[start : start + 1000])
            journal.drain()
            seal_all(journal.take_finished(), data, sync=False)
            report = compacted(data, exchanges=start % 2000 == 0)
            assert report.problems == []
        while min(looks.values()) < 3:
            stop.wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    seal_all(journal.close(), data, sync=False)
    ring.close()
    assert wrong == []
    assert lake.rows_by_seq(data) == lake.expected_by_seq(records)


def test_memory_is_that_of_some_row_groups_however_long_the_day_is(tmp_path: Path) -> None:
    """Arrow's high-water mark while four times as many rows are merged."""
    peaks = []
    for number, segments in enumerate((15, 60)):
        records, policy = lake.trades(1000 * segments), lake.Policy(records=1000, time_ns=DAY_NS)
        data = lake.make_lake(tmp_path / str(number), records, policy=policy)
        peaks.append(compacting.peak_of_compaction(data))
        assert len(lake.parquet_files(data)) == 1
    assert peaks[1] < 1.3 * peaks[0]
