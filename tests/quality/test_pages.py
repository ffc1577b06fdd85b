"""The report as a user gets it: pages, text, data, exit codes."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ringcollect import cli
from ringcollect.records import Channel, Status
from ringcollect.store.quality import markdown, page
from tests.quality.days import DATE, Script, facts, make_lake

TRADES = (0, Channel.TRADE)
EVIL = '</td><script>alert("1")</script>|`x`'


def _whole_day(s: Script) -> None:
    s.begin(-10, TRADES)
    for at in range(0, 80_000, 1000):
        s.trade(at, number=at)


def run(args: list[str]) -> int:
    """The exit code, as the shell sees it."""
    try:
        return cli.run(args)
    except SystemExit as stopped:
        assert isinstance(stopped.code, int)
        return stopped.code


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_report_is_written_in_every_format_with_an_index(tmp_path: Path) -> None:
    script = Script()
    _whole_day(script)
    script.status(80_001, Status.DISCONNECTED, stream=TRADES, last=80_000)
    make_lake(tmp_path, script)
    out = tmp_path / "report"
    args = ["report", "--data", str(tmp_path / "data"), "--out", str(out), "--start", DATE, "--format", "html,md,json"]
    assert run(args) == 1, "something is missing on this day"
    assert sorted(p.name for p in (out / "binance").iterdir()) == [f"{DATE}.{name}" for name in ("html", "json", "md")]
    assert {p.name for p in out.iterdir()} == {"binance", "index.html", "index.md", page.SCRIPT}
    assert "disconnected" in (out / "binance" / f"{DATE}.md").read_text()
    day = json.loads((out / "binance" / f"{DATE}.json").read_text())
    assert [s["rows"] for s in day["streams"]] == [80]
    text = (out / "binance" / f"{DATE}.html").read_text()
    assert text.count("Plotly.newPlot") == 3
    assert "http" not in text.replace("http-equiv", ""), "a page fetches nothing from elsewhere"


def test_a_day_without_anything_missing_exits_0_and_nothing_found_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script()
    _whole_day(script)
    script.trade(86_400 + 5)  # so the day is over
    make_lake(tmp_path, script)
    common = ["report", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--json"]
    assert run([*common, "--start", DATE, "--end", f"{DATE}T20:00"]) == 0
    (day,) = json.loads(capsys.readouterr().out)
    assert day["streams"][0]["coverage"] == 1.0
    assert run([*common, "--exchange", "nowhere"]) == 3


def test_a_format_there_is_not_is_an_error_that_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "--data", str(tmp_path), "--format", "pdf"]) == 2
    assert "html, md, json" in capsys.readouterr().err


def test_a_hostile_symbol_stays_text_on_the_page_and_in_the_table(tmp_path: Path) -> None:
    day = facts(tmp_path, _whole_day)
    day.streams[0].symbol = EVIL
    tags = _Tags()
    tags.feed(page.page(day, "../plotly.min.js"))
    assert not tags.open
    assert "alert" not in "".join(tags.seen)
    assert '<script>alert("1")' not in page.page(day, "../plotly.min.js")
    line = next(line for line in markdown.markdown(day).splitlines() if "alert" in line)
    assert line.replace("\\|", "").count("|") == 15, "as many cells as there are columns"
