"""The log file: several processes, midnight, retention, and a disk without room."""

from __future__ import annotations

import errno
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringcollect.errors import EnvironmentRefused
from ringcollect.observe.logfile import DailyFile

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400


class Clock:
    """A wall clock that the test moves; it also stamps the file, as the kernel would."""

    def __init__(self) -> None:
        self.now_s = NOON

    def __call__(self) -> float:
        return self.now_s


def writer(path: Path, clock: Clock, retention_days: int = 1) -> DailyFile:
    return DailyFile(path, retention_days, clock)


def say(handler: DailyFile, text: str, path: Path, clock: Clock) -> None:
    handler.emit(logging.LogRecord("x", logging.INFO, "f", 1, text, None, None))
    if path.exists():
        os.utime(path, (clock.now_s, clock.now_s))


def test_a_new_day_sets_the_old_file_aside_under_its_date(tmp_path: Path) -> None:
    path, clock = tmp_path / "rc.log", Clock()
    handler = writer(path, clock)
    say(handler, "today", path, clock)
    clock.now_s += DAY_S
    say(handler, "tomorrow", path, clock)
    assert (tmp_path / "rc.log.2026-11-21").read_text() == "today\n"
    assert path.read_text() == "tomorrow\n"


def test_no_line_of_two_processes_is_lost_over_midnight(tmp_path: Path) -> None:
    path, clock = tmp_path / "rc.log", Clock()
    handlers = [writer(path, clock), writer(path, clock)]
    for turn in range(6):  # from noon of the 21st, twice a day, to the first moment of the 24th
        for number, handler in enumerate(handlers):
            say(handler, f"{turn}.{number}", path, clock)
        clock.now_s += DAY_S / 2
    assert path.read_text().split() == ["5.0", "5.1"]
    assert (tmp_path / "rc.log.2026-11-23").read_text().split() == ["3.0", "3.1", "4.0", "4.1"]
    assert not (tmp_path / "rc.log.2026-11-22").exists()  # past the retention of one day


def test_files_older_than_the_retention_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    path, clock = tmp_path / "rc.log", Clock()
    for name in ("rc.log.2026-11-18", "rc.log.2026-11-19", "rc.log.2026-11-20", "rc.log.notes", "other.log.2020-01-01"):
        (tmp_path / name).write_text("x")
    handler = writer(path, clock, retention_days=2)
    say(handler, "a", path, clock)
    clock.now_s += DAY_S
    say(handler, "b", path, clock)
    assert {file.name for file in tmp_path.iterdir()} == {
        "rc.log", "rc.log.lock", "rc.log.2026-11-20", "rc.log.2026-11-21", "rc.log.notes", "other.log.2020-01-01",
    }  # fmt: skip


def test_a_file_moved_away_by_somebody_else_is_opened_anew(tmp_path: Path) -> None:
    path, clock = tmp_path / "rc.log", Clock()
    handler = writer(path, clock)
    say(handler, "one", path, clock)
    path.rename(tmp_path / "moved")
    say(handler, "two", path, clock)
    assert path.read_text() == "two\n"


def test_a_full_disk_loses_lines_and_says_how_many_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, clock = tmp_path / "rc.log", Clock()
    handler = writer(path, clock)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        say(handler, "lost", path, clock)
        say(handler, "lost too", path, clock)
    assert handler.lost_lines == 2
    say(handler, "back", path, clock)
    assert path.read_text() == ("(2 log lines were lost before this one: the file could not be written)\nback\n")
    assert handler.lost_lines == 0


def test_a_file_that_cannot_be_opened_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentRefused, match="cannot write the log file"):
        DailyFile(tmp_path / "file" / "rc.log", 1)


def test_a_line_with_a_lone_surrogate_is_written(tmp_path: Path) -> None:
    path, clock = tmp_path / "rc.log", Clock()
    handler = writer(path, clock)
    say(handler, "bad \udcff", path, clock)
    assert path.read_text() == "bad \\udcff\n"
    handler.close()
