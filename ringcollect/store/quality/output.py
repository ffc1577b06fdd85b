"""Reports as files: ``<exchange>/<date>.<format>`` and an index of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from ringcollect.store.quality import markdown, page
from ringcollect.store.quality.facts import DayFacts

FORMATS = ("html", "md", "json")


def write_reports(days: Iterable[DayFacts], out: Path, formats: tuple[str, ...]) -> list[DayFacts]:
    """Write each day as it comes, then the index; returns the days (without their minutes). OSError if ``out`` refuses.

    ConfigError, before anything is read, if a format needs what is not installed.
    """
    if "html" in formats:
        page.load_plotly()
    makers: dict[str, Callable[[DayFacts], str]] = {
        "html": lambda day: page.page(day, "../" * (day.folder.count("/") + 1) + page.SCRIPT),
        "md": markdown.markdown,
        "json": lambda day: msgspec.json.format(msgspec.json.encode(day), indent=1).decode(),
    }
    written = []
    for day in days:
        folder = out / day.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in formats:
            _put(folder / f"{day.date}.{name}", makers[name](day))
        for stream in day.streams:
            stream.minutes = []
        written.append(day)
    if written and "html" in formats:
        _put(out / page.SCRIPT, page.script())
        _put(out / "index.html", page.index(written))
    if written and "md" in formats:
        _put(out / "index.md", markdown.index(written, ".md"))
    return written


def _put(path: Path, text: str) -> None:
    """Whole or not at all, for whoever opens it meanwhile."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
