"""Long work as it goes: a bar where somebody looks, plain lines elsewhere, with rate and time left in both."""

from __future__ import annotations

import pytest

from ringcollect.cli import progress
from ringcollect.cli.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The one entry is the time."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def shown(clock: list[float], capsys: pytest.CaptureFixture[str]) -> str:
    """A thousand steps of half a second, a thousandth of the work and a hundred records each."""
    bar = Progress("records")
    for step in range(1, 101):
        clock[0] = step * 0.5
        bar.show("binance.100ms.row", step / 1000, step * 100)
    bar.clear()
    return capsys.readouterr().err


def test_a_terminal_gets_a_bar_with_rate_and_time_left(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    pieces = shown(clock, capsys).split("\r\x1b[K")
    assert pieces[0] == pieces[-1] == ""
    assert len(pieces) == 102  # each step in the same line, and the line is taken away
    assert pieces[-2] == "binance.100ms.row [##......................]  10.0%, 10,000 records, 200/s, 450 s left"


def test_a_file_gets_a_line_every_ten_seconds(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(clock, capsys).splitlines()
    assert len(lines) == 5
    assert lines[0] == "binance.100ms.row   2.0%, 2,000 records, 200/s, 490 s left"
