"""A day's report as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from ringcollect.store.quality.facts import DayFacts
from ringcollect.store.quality.wording import COLUMNS, cells, clock_lines, clock_time, headline, missing, window_cells


def markdown(day: DayFacts) -> str:
    """The whole report; symbols are untrusted text and cannot break out of a cell."""
    lines = [f"# {_cell(day.name)} on {day.date} (UTC)", "", headline(day)]
    lines += [f"Judged from {clock_time(day.from_ns)} to {clock_time(day.until_ns - 1)}.", ""]
    lines += ["## Streams", "", *_table(COLUMNS, map(cells, day.streams)), ""]
    if day.offline:
        lines += ["## Offline windows of the collector", ""]
        lines += [*_table(("from", "to", "seconds", "cause"), map(window_cells, day.offline)), ""]
    gaps = missing(day)
    if gaps:
        lines += ["## Gaps", ""]
        lines += [*_table(("market", "symbol", "channel", "from", "to", "seconds", "cause"), gaps), ""]
    if day.lost:
        lines += ["## Lost records", ""]
        lost = ((r.ring, str(r.generation), f"{r.seq_from} to {r.seq_to - 1}", r.cause) for r in day.lost)
        lines += [*_table(("ring", "generation", "seq", "cause"), lost), ""]
    lines += ["## Clock", "", *(f"* {line}" for line in clock_lines(day)), ""]
    return "\n".join(lines)


def index(days: Sequence[DayFacts], suffix: str) -> str:
    """All days of a report with a link each."""
    rows = ((f"[{_cell(d.name)} {d.date}]({quote(d.folder)}/{d.date}{suffix})", headline(d)) for d in days)
    return "\n".join(
        ["# Quality of the record", "", "| day | |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows), ""]
    )


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    head = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return head + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]


def _cell(text: str) -> str:
    kept = "".join(c if c.isprintable() else "?" for c in text)
    for char in "\\`|<>[]*_":
        kept = kept.replace(char, "\\" + char)
    return kept
