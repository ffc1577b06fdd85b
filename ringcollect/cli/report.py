"""``ringcollect report``: what of each day and stream is in the lake, what is missing and why."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.lake_options import LakeOptions, lake_options, words
from ringcollect.cli.progress import Progress
from ringcollect.errors import ConfigError

if TYPE_CHECKING:
    from ringcollect.store.quality.facts import DayFacts


@click.command("report")
@lake_options
@click.option("--out", type=click.Path(path_type=Path), default=Path("report"), show_default=True, help="Folder.")
@click.option("--format", "formats", multiple=True, metavar="html,md,json", help="Default: html (with plots) and md.")
@click.option("--json", "as_json", is_flag=True, help="The days' facts as one JSON document on standard output.")
@click.pass_obj
def command(invocation: Invocation, lake: LakeOptions, out: Path, formats: tuple[str, ...], as_json: bool) -> None:
    """Write a quality report per exchange and UTC day.

    Coverage in time, gaps and offline windows with their causes, duplicates, crossed seconds, latency percentiles,
    clock. Exit codes: 0 nothing is known to be missing, 1 something is, 3 no sealed data of this selection.
    """
    from ringcollect.store.location import Lake
    from ringcollect.store.quality.day import days_of
    from ringcollect.store.quality.output import FORMATS, write_reports

    chosen = words(formats) or (("json",) if as_json else ("html", "md"))
    for name in chosen:
        if name not in FORMATS:
            raise ConfigError(f"--format: there is no {name!r}; formats are {', '.join(FORMATS)}")
    uri = lake.uri(invocation)
    bar = Progress("days")

    def told() -> Iterator[DayFacts]:
        found = days_of(
            Lake.open(uri), lake.selection(), time.time_ns(),
            lambda done, total: bar.show(uri, done / max(total, 1), done),
        )  # fmt: skip
        yield from found

    days = write_reports(told(), out, chosen)
    bar.clear()
    if as_json:
        click.echo(json.dumps([_plain(day) for day in days], indent=1))
    elif not days:
        click.echo(f"nothing to report on in {uri}: no sealed files of this selection")
    else:
        for day in days:
            click.echo(_line(day))
        click.echo(f"written to {out}/")
    sys.exit(3 if not days else 0 if all(day.is_whole for day in days) else 1)


def _plain(day: DayFacts) -> object:
    import msgspec

    return msgspec.to_builtins(day)


def _line(day: DayFacts) -> str:
    from ringcollect.store.quality.wording import headline

    return f"{day.name} {day.date}: {headline(day)}"
