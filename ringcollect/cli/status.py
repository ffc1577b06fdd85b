"""``ringcollect status``: state, processes, rings, losses, memory of the running collector."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation

if TYPE_CHECKING:
    from ringcollect.observe.health import State


@click.command()
@click.option("--subscriptions", is_flag=True, help="The ledger: every subscription, its state and why.")
@click.option("--check", is_flag=True, help="One line; exit 0 READY, 1 DEGRADED, 2 OFFLINE, 3 ERROR or not running.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def command(invocation: Invocation, subscriptions: bool, check: bool, as_json: bool) -> int:
    """What a running collector does, read from shared memory: no process is asked."""
    from ringcollect.observe import status

    runtime = invocation.load().config.runtime_path()
    if check:
        return _check(*status.check(runtime), as_json)
    import msgspec

    from ringcollect.observe import text
    from ringcollect.observe.lake import waiting
    from ringcollect.observe.snapshot import encode
    from ringcollect.store.compaction.totals import totals

    now, observer = status.current(runtime)
    if subscriptions:
        rows = observer.subscriptions()
        if as_json:
            click.echo(msgspec.json.encode(rows).decode())
            return 0
        now_ns = time.time_ns()
        legs = [leg for ring in now.rings for leg in ring.legs]
        click.echo("\n\n".join(filter(None, (text.subscriptions_text(rows, now_ns), text.legs_text(legs, now_ns)))))
        return 0
    waits, merged = waiting(Path(now.data)), totals(Path(now.data))
    if now.archive is not None:
        waits = msgspec.structs.replace(waits, archive=now.archive.waiting_files)
    if as_json:
        said = msgspec.json.decode(encode(now)) | {"waiting": msgspec.to_builtins(waits)}
        said["compacted"] = msgspec.to_builtins(merged)
        click.echo(msgspec.json.encode(said).decode())
    else:
        click.echo(text.render(now))
        archive = "no archive configured" if waits.archive is None else f"{waits.archive:,} files for the archive"
        click.echo(
            f"waiting: {waits.compaction:,} files for compaction ({waits.folders:,} folders, "
            f"{waits.bytes / 1e6:.1f} MB); {archive}"
        )
        if merged.folders:
            click.echo(
                f"compacted: {merged.files_before:,} files to {merged.files_after:,}, "
                f"{merged.bytes_before / 1e6:.1f} to {merged.bytes_after / 1e6:.1f} MB"
            )
    return 0


def _check(state: State, line: str, as_json: bool) -> int:
    import msgspec

    click.echo(msgspec.json.encode({"state": state, "line": line}).decode() if as_json else line)
    return state.exit_code
