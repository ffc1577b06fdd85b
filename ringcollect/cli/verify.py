"""``ringcollect verify``: recompute every claim of a lake and say what does not hold."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.lake_options import LakeOptions, lake_options
from ringcollect.cli.progress import Progress

if TYPE_CHECKING:
    from ringcollect.store.report import Report

_MOST_JOBS = 4


@click.command("verify")
@click.argument("uris", nargs=-1, metavar="[URI]...")
@lake_options
@click.option("--strict", is_flag=True, help="Also fail on unknown schemas, broken raw/ rules and strange files.")
@click.option("--latest", is_flag=True, help="Only the newest file of each type and instrument.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes; default one per processor, at most 4.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON on standard output.")
@click.pass_obj
def command(
    invocation: Invocation,
    uris: tuple[str, ...],
    lake: LakeOptions,
    strict: bool,
    latest: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Recompute every claim of a lake from its files and prove that they cover each ring exactly once.

    URI: folders or s3://bucket/prefix; a folder or file within a lake checks what is in it. With --type, --market,
    --symbol or --latest, single files are checked: that each is what was certified, not that all are there.

    Exit codes: 0 good, 1 a claim fails or something was lost, 3 nothing to check.
    """
    reports = [_verify(uri, lake, strict, latest, jobs) for uri in uris or (lake.uri(invocation),)]
    if as_json:
        plain = [report.to_dict() for report in reports]
        click.echo(json.dumps(plain[0] if len(plain) == 1 else plain, indent=1))
    else:
        for report in reports:
            lines = report.lines() if report.exit_code != 3 else [f"nothing to check in {report.data}"]
            click.echo("\n".join(lines))
    codes = {report.exit_code for report in reports}
    sys.exit(1 if 1 in codes else min(codes))


def _verify(uri: str, lake: LakeOptions, strict: bool, latest: bool, jobs: int | None) -> Report:
    from ringcollect.store.verify import verify

    root, under = _root_of(uri)
    bar = Progress("certificates")
    report = verify(
        root,
        strict,
        lambda done, total, place: bar.show(uri, done / total, done),
        selection=lake.selection(),
        latest=latest,
        under=under,
        jobs=jobs or min(_MOST_JOBS, os.cpu_count() or 1),
    )
    bar.clear()
    return report


def _root_of(uri: str) -> tuple[str, str]:
    """(lake, key of what is meant within it): a path inside a lake is that part of it."""
    from ringcollect.store.location import is_remote
    from ringcollect.store.verify_certificates import FOLDER

    if is_remote(uri):
        return uri, ""
    path = Path(uri).absolute()
    for folder in (path, *path.parents):
        if (folder / FOLDER).is_dir():
            inside = path.relative_to(folder).as_posix()
            return str(folder), "" if inside == "." else inside
    return uri, ""
