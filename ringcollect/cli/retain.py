"""``ringcollect retain``: what is too old or too much goes from the lake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.errors import EnvironmentRefused

if TYPE_CHECKING:
    from ringcollect.store.retention.run import RetentionReport


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on standard output.")
@click.pass_obj
def command(invocation: Invocation, dry_run: bool, as_json: bool) -> int:
    """Remove the day folders that [retention] of the configuration gives up: by age, by size, by free space.

    Never today's, nothing that no certificate names, and nothing that is to be archived and is not yet. Certificates
    stay and say what was removed. Exit codes: 0 done, 1 something had to stay, 3 no lake, 4 the host refuses.
    """
    config = invocation.load().config
    from ringcollect.store.archive.settings import target_of
    from ringcollect.store.retention.run import retain

    target = target_of(config)
    try:
        report = retain(
            config.data_path(), config.retention, sync=config.storage.fsync != "off", dry_run=dry_run,
            archive="" if target is None else target.mark,
        )  # fmt: skip
    except OSError as error:
        raise EnvironmentRefused(f"{error}; what went is marked, running again goes on there") from error
    click.echo(json.dumps(report.to_dict(), indent=1) if as_json else "\n".join(_lines(report)))
    return report.exit_code


def _lines(report: RetentionReport) -> list[str]:
    out = [f"kept: {one.folder}: {one.kept}" for one in report.folders if one.kept]
    verb = "would go" if report.dry_run else "removed"
    out += [f"{verb} ({one.why}): {one.folder}, {one.files} files, {one.bytes / 1e6:.1f} MB" for one in report.gone]
    total = report.to_dict()
    out.append(f"{len(report.gone):,} day folders {verb}: {total['files']:,} files, {total['bytes'] / 1e6:.1f} MB")
    return out
