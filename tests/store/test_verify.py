"""Whatever is done to a lake, ``verify`` says what and where; what is whole, it calls whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.verify import command
from ringcollect.store.drain import RingJournal
from ringcollect.store.report import Report
from ringcollect.store.schema import SCHEMA_VERSION
from ringcollect.store.seal import sign
from ringcollect.store.verify import verify
from tests.store import lake


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake.make_lake(tmp_path_factory.mktemp("lake"), lake.over_midnight(1000))


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "data")
    return tmp_path / "data"


def _some(data: Path) -> Path:
    """A trades file with enough rows."""
    return max(lake.parquet_files(data, "raw", "trades"), key=lambda path: pq.read_metadata(path).num_rows)


def _said(report: Report, path: Path, data: Path, what: str) -> bool:
    return any(p.place == path.relative_to(data).as_posix() and what in p.what for p in report.problems)


def _rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.read_table(path, partitioning=None)
    pq.write_table(change(table), path)


def _certificate_of(path: Path, data: Path) -> Path:
    name = path.relative_to(data).as_posix()
    return next(c for c in sorted((data / "certificates").rglob("*.json")) if name in c.read_text())


def _forge(certificate: Path, change: Callable[[dict], None]) -> None:
    """Change a certificate and sign it again, as a careful forger would."""
    content = json.loads(certificate.read_bytes())
    content.pop("sha256")
    change(content)
    certificate.write_bytes(sign(content))


def test_a_sound_lake_passes(data: Path) -> None:
    report = verify(data, strict=True)
    assert (report.problems, report.lost, report.notes, report.exit_code) == ([], [], [], 0)
    assert report.records == report.coverage[0].seq_to


def test_a_deleted_row_is_named_with_its_position(data: Path) -> None:
    path = _some(data)
    gone = pq.read_table(path, partitioning=None)["seq"][5].as_py()
    _rewrite(path, lambda t: pa.concat_tables([t.slice(0, 5), t.slice(6)]))
    report = verify(data)
    assert _said(report, path, data, "records, certified are")
    assert any(f"records {gone} are in none of its files; {path.relative_to(data)}" in p.what for p in report.problems)


def test_a_doubled_row_is_named(data: Path) -> None:
    path = _some(data)
    twice = pq.read_table(path, partitioning=None)["seq"][5].as_py()
    _rewrite(path, lambda t: pa.concat_tables([t.slice(0, 6), t.slice(5)]))
    report = verify(data)
    assert any(f"records {twice} are there more than once" in p.what for p in report.problems)


def test_a_changed_price_is_named_with_the_block_it_is_in(data: Path) -> None:
    path = _some(data)

    def nudge(table: pa.Table) -> pa.Table:
        prices = table["price"].to_pylist()
        prices[3] = float(np.nextafter(prices[3], np.inf))
        return table.set_column(table.schema.get_field_index("price"), table.schema.field("price"), [prices])

    _rewrite(path, nudge)
    report = verify(data)
    assert _said(report, path, data, "another sha256")
    assert _said(report, path, data, "differs from what was certified first in records 0 on (seq ")


def test_any_flipped_bit_of_a_file_is_named(data: Path) -> None:
    path = _some(data)
    content = path.read_bytes()
    for at in range(0, len(content), max(1, len(content) // 20)):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        path.write_bytes(bytes(changed))
        assert _said(verify(data), path, data, "another sha256"), f"byte {at}"


def test_a_missing_file_is_named(data: Path) -> None:
    path = _some(data)
    path.unlink()
    report = verify(data)
    assert _said(report, path, data, "is missing")
    assert report.exit_code == 1


def test_a_forged_count_is_named_even_if_it_is_signed(data: Path) -> None:
    path = _some(data)
    certificate = _certificate_of(path, data)

    def more(content: dict) -> None:
        content["claims"]["rows"]["instruments"]["0"]["trades"]["single"]["ids_missing"] += 1

    _forge(certificate, more)
    report = verify(data)
    assert [p.place for p in report.problems] == [certificate.relative_to(data).as_posix()]
    assert "claims.rows.instruments.0.trades.single.ids_missing: certified" in report.problems[0].what


def test_every_forged_number_of_a_certificate_is_named(data: Path) -> None:
    """Each leaf of the claims in turn, signed again."""
    certificate = sorted((data / "certificates").rglob("*.json"))[1]
    original = certificate.read_bytes()
    leaves: list[list] = []

    def walk(value: object, path: list) -> None:
        if isinstance(value, dict):
            for key, child in value.items():
                walk(child, [*path, key])
        elif isinstance(value, int) and not isinstance(value, bool):
            leaves.append(path)

    walk(json.loads(original)["claims"], [])
    assert len(leaves) > 60
    for path in leaves[:: len(leaves) // 12]:

        def forge(content: dict, path: list = path) -> None:
            target = content["claims"]
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] += 1

        _forge(certificate, forge)
        assert any(".".join(["claims", *path]) in p.what for p in verify(data).problems), path
        certificate.write_bytes(original)


def test_a_certificate_changed_by_hand_is_named(data: Path) -> None:
    certificate = sorted((data / "certificates").rglob("*.json"))[0]
    certificate.write_text(certificate.read_text().replace('"damaged_bytes": 0', '"damaged_bytes": 1'))
    assert _said(verify(data), certificate, data, "its own sha256 does not fit")


def test_any_flipped_bit_of_a_certificate_is_named(data: Path) -> None:
    certificate = sorted((data / "certificates").rglob("*.json"))[0]
    content = certificate.read_bytes()
    for at in range(0, len(content), max(1, len(content) // 20)):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 7
        certificate.write_bytes(bytes(changed))
        report = verify(data)
        assert any(p.place == certificate.relative_to(data).as_posix() for p in report.problems), f"byte {at}"


def test_a_missing_segment_is_named_with_its_range(data: Path) -> None:
    certificate = sorted((data / "certificates").rglob("*.json"))[1]
    content = json.loads(certificate.read_bytes())
    for entry in content["files"]:
        (data / entry["path"]).unlink()
    certificate.unlink()
    report = verify(data)
    span = f"records {content['seq_from']} to {content['seq_to'] - 1} are in no certificate"
    assert [p.what[: len(span)] for p in report.problems] == [span]


def test_a_missing_first_segment_is_named(data: Path) -> None:
    certificate = sorted((data / "certificates").rglob("*.json"))[0]
    content = json.loads(certificate.read_bytes())
    for entry in content["files"]:
        (data / entry["path"]).unlink()
    certificate.unlink()
    assert any(f"records 0 to {content['seq_to'] - 1} are in no certificate" in p.what for p in verify(data).problems)


def test_a_certificate_that_is_there_twice_is_an_overlap(data: Path) -> None:
    certificate = sorted((data / "certificates").rglob("*.json"))[0]
    shutil.copy(certificate, certificate.with_name("copy.json"))
    assert any("are also in" in p.what for p in verify(data).problems)


def test_a_copied_file_is_named_because_it_doubles_rows(data: Path) -> None:
    path = _some(data)
    copy = path.with_name("copy.parquet")
    shutil.copy(path, copy)
    assert _said(verify(data), copy, data, "is in no certificate")


def test_a_certificate_cannot_point_out_of_the_lake(data: Path) -> None:
    certificate = sorted((data / "certificates").rglob("*.json"))[0]

    def escape(content: dict) -> None:
        content["files"][0]["path"] = "../../etc/passwd"

    _forge(certificate, escape)
    assert any("lies outside the lake" in p.what for p in verify(data).problems)


def test_strict_names_rest_records_and_strange_columns_in_raw(data: Path) -> None:
    path = _some(data)

    def spoil(table: pa.Table) -> pa.Table:
        flags = pa.array([f | 1 << 7 for f in table["flags"].to_pylist()], pa.uint16())
        table = table.set_column(table.schema.get_field_index("flags"), table.schema.field("flags"), flags)
        return table.append_column("recovered", pa.array([False] * len(table)))

    _rewrite(path, spoil)
    report = verify(data, strict=True)
    assert _said(report, path, data, "raw/ must not have a column recovered")
    assert _said(report, path, data, "raw/ must not hold records from REST")
    assert _said(report, path, data, f"its schema is not version {SCHEMA_VERSION}")


def test_what_is_not_sealed_yet_counts_and_a_living_lake_is_sound(tmp_path: Path) -> None:
    ring, data = lake.producer(tmp_path / "run"), tmp_path / "data"
    journal = RingJournal(data, lake.reader(ring), lake.SMALL)
    lake.publish(ring, lake.trades(5))
    journal.drain()
    report = verify(data, strict=True)
    assert (report.exit_code, report.unsealed_journals, report.unsealed_records) == (0, 1, 5)
    assert report.coverage[0].seq_to == 5


def test_nothing_to_check_is_exit_code_3(tmp_path: Path) -> None:
    assert verify(tmp_path).exit_code == 3
    result = CliRunner().invoke(command, [str(tmp_path)], obj=Invocation())
    assert result.exit_code == 3 and "nothing to check" in result.output


def test_the_command_reports_for_people_and_as_json(data: Path) -> None:
    result = CliRunner().invoke(command, [str(data), "--strict"], obj=Invocation())
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1].endswith("0 records lost; 0 problems")
    _some(data).unlink()
    result = CliRunner().invoke(command, [str(data), "--json"], obj=Invocation())
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert found["exit_code"] == 1 and any("is missing" in p["what"] for p in found["problems"])


def test_a_file_in_another_symbols_folder_is_named_even_if_that_is_signed(data: Path) -> None:
    path = _some(data)
    certificate = _certificate_of(path, data)
    moved = Path(str(path).replace("symbol=BTCUSDT", "symbol=DOGEUSDT"))
    moved.parent.mkdir(parents=True)
    path.rename(moved)

    def follow(content: dict) -> None:
        for entry in content["files"]:
            if entry["path"] == path.relative_to(data).as_posix():
                entry["path"] = moved.relative_to(data).as_posix()

    _forge(certificate, follow)
    assert _said(verify(data), moved, data, "lies in the wrong folder")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("first_seq", -1, "disagree where it begins"),
        ("seq_to", 10**6, "are in none of its files"),
        ("records", 1, "claims 1 records"),
        ("lost", [[3, 5, "lapped"]], "certified as lost"),
        ("stream_ns", [1, 2], "claims the stream time"),
        ("kind", "rows", "does not fit"),
        ("claims", None, "not a certificate"),
        ("claims", {}, "claims.rows: certified None"),
        ("dtype", [], "cannot be checked"),
        ("previous", [1, 50], "nothing is left of it"),
    ],
)
def test_every_other_part_of_a_certificate_is_checked_too(data: Path, key: str, value: object, said: str) -> None:
    certificate = sorted((data / "certificates").rglob("*.json"))[0]
    _forge(certificate, lambda content: content.update({key: value}))
    assert any(said in p.what for p in verify(data, strict=True).problems)
