"""A part of a lake is checked as strictly as the whole and says no more than it knows; many processes say the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.verify import command
from ringcollect.store import verify_certificates
from ringcollect.store.rotation import Policy
from ringcollect.store.selection import select
from ringcollect.store.verify import verify
from tests.store import lake


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lake.make_lake(
        tmp_path_factory.mktemp("lake"), lake.over_midnight(3000), policy=Policy(time_ns=60_000_000_000, records=1000)
    )


@pytest.fixture
def data(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "data")
    return tmp_path / "data"


def _days(data: Path) -> list[str]:
    return sorted({path.parent.name.removeprefix("date=") for path in (data / "certificates").rglob("*.json")})


def _trades(data: Path, symbol: str = "BTCUSDT") -> list[Path]:
    """Of one spot instrument, oldest first."""
    folder = data / "raw" / "trades" / "exchange=binance" / "market=spot" / f"symbol={symbol}"
    return sorted(folder.rglob("*.parquet"), key=lambda path: path.name)


def _shorten(path: Path) -> None:
    table = pq.read_table(path, partitioning=None)
    pq.write_table(table.slice(0, len(table) - 1), path)


def _places(report: object) -> set[str]:
    return {problem.place for problem in report.problems}


def test_any_number_of_processes_reports_the_same(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_certificates, "_FEW", 1)
    _shorten(_trades(data)[0])
    _trades(data, "ETHUSDT")[-1].unlink()
    certificates = sorted((data / "certificates").rglob("*.json"))
    certificates[3].write_bytes(b"{")
    done: list[int] = []
    alone = verify(data, strict=True, jobs=1)
    several = verify(data, strict=True, jobs=3, progress=lambda n, total, place: done.append(n))
    assert alone.to_dict() == several.to_dict()
    assert len(alone.problems) >= 3
    assert done == list(range(len(certificates)))


def test_latest_checks_the_newest_file_of_each_stream_and_nothing_else(data: Path) -> None:
    streams = {path.parent.parent for path in lake.parquet_files(data, "raw") + lake.parquet_files(data, "rest")}
    whole = verify(data, latest=True)
    assert (whole.exit_code, whole.files) == (0, len(streams))
    oldest, newest = _trades(data)[0], _trades(data)[-1]
    _shorten(oldest)
    assert verify(data, latest=True).exit_code == 0
    _shorten(newest)
    assert newest.relative_to(data).as_posix() in _places(verify(data, latest=True))


def test_chosen_types_and_symbols_are_checked_and_others_are_not(data: Path) -> None:
    hurt = _trades(data)[0]
    _shorten(hurt)
    key = hurt.relative_to(data).as_posix()
    assert key in _places(verify(data, selection=select(types=("trades",))))
    assert key in _places(verify(data, selection=select(symbols=("BTCUSDT",), markets=("spot",))))
    assert verify(data, selection=select(types=("orderbooks",))).exit_code == 0
    assert verify(data, selection=select(symbols=("ETHUSDT",))).exit_code == 0
    assert verify(data, selection=select(symbols=("NOSUCH",))).exit_code == 3


def test_one_day_alone_is_whole_and_its_own_holes_are_still_found(data: Path) -> None:
    days = _days(data)
    assert len(days) == 2
    second = select(start=days[1])
    report = verify(data, selection=second)
    assert (report.problems, report.exit_code) == ([], 0), "what is before the day is not missed"
    inside = sorted((data / "certificates").rglob(f"date={days[1]}/*.json"))
    assert len(inside) >= 3
    inside[1].unlink()
    assert any("are in no certificate" in problem.what for problem in verify(data, selection=second).problems)


def test_another_exchange_is_not_looked_at(data: Path) -> None:
    _shorten(_trades(data)[0])
    assert verify(data, selection=select(exchanges=("bybit",))).exit_code == 3


def _run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, list(args), obj=Invocation(None, None, None))
    return result.exit_code, result.output


def test_a_file_or_folder_inside_a_lake_can_be_given(data: Path) -> None:
    first, last = _trades(data)[0], _trades(data)[-1]
    _shorten(last)
    assert _run(str(first))[0] == 0
    code, said = _run(str(last), "--json")
    assert code == 1
    assert last.relative_to(data).as_posix() in {problem["place"] for problem in json.loads(said)["problems"]}
    assert _run(str(last.parent))[0] == 1
    assert _run(str(data / "raw" / "quotes"))[0] == 0


def test_of_several_lakes_the_worst_tells_the_exit_code(data: Path, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert _run(str(sound), str(tmp_path / "empty"))[0] == 0
    assert _run(str(tmp_path / "empty"))[0] == 3
    _shorten(_trades(data)[0])
    assert _run(str(sound), str(data), "--jobs", "2")[0] == 1
