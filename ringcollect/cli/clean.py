"""``ringcollect clean``: remove what dead processes left in the runtime folder, and nothing a live one uses."""

from __future__ import annotations

import click

from ringcollect.cli.invocation import Invocation


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be removed.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def command(invocation: Invocation, dry_run: bool, as_json: bool) -> None:
    """Remove rings whose producer is dead, with their control files, checkpoints and tables of dead supervisors.

    Alive is who holds the file's lock; pids are not believed. Records that the writer had not drained go with the
    ring: start and stop the collector first if they matter.
    """
    import msgspec

    from ringcollect.supervise.cleaning import clean

    runtime = invocation.load().config.runtime_path()
    report = clean(runtime, dry_run=dry_run)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    for name in report.kept:
        click.echo(f"kept     {name} (its owner lives)")
    for name in report.removed:
        click.echo(f"{'would remove' if dry_run else 'removed '} {name}")
    click.echo(f"{report.bytes / 1e6:.1f} MB {'would be ' if dry_run else ''}freed in {runtime}")
