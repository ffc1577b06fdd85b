"""``ringcollect verify``: recompute every claim of a lake and say what does not hold."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ringcollect.cli.invocation import Invocation


@click.command("verify")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The lake; default from the configuration.")
@click.option("--strict", is_flag=True, help="Also fail on unknown schemas, broken raw/ rules and strange files.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON on standard output.")
@click.pass_obj
def command(invocation: Invocation, path: Path | None, data: Path | None, strict: bool, as_json: bool) -> None:
    """Recompute every claim of the lake PATH from its files and prove that they cover each ring exactly once.

    Exit codes: 0 good, 1 a claim fails or something was lost, 3 nothing to check.
    """
    from ringcollect.store.verify import verify

    lake = path or data or invocation.load().config.data_path()
    report = verify(lake, strict=strict, progress=_terminal_progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=1))
    elif report.exit_code == 3:
        click.echo(f"nothing to check in {lake}")
    else:
        click.echo("\n".join(report.lines()))
    sys.exit(report.exit_code)


def _terminal_progress(done: int, total: int, place: str) -> None:
    click.echo(f"\r\x1b[K{done}/{total} {place[-100:]}", err=True, nl=False)
