"""``ringcollect rings``: the rings in the runtime folder, whoever made them."""

from __future__ import annotations

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.errors import NotFoundError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON array.")
@click.pass_obj
def command(invocation: Invocation, as_json: bool) -> None:
    """The rings of this host, their fill and their registered readers."""
    import msgspec

    from ringcollect.observe import text
    from ringcollect.observe.rings import RingSet

    runtime = invocation.load().config.runtime_path()
    rings = RingSet(runtime)
    reports = rings.reports(0)
    if not reports and not rings.unreadable:
        raise NotFoundError(f"no rings in {runtime}")
    if as_json:
        click.echo(msgspec.json.encode(reports).decode())
    else:
        click.echo(text.rings_text(reports))
    for reason in rings.unreadable.values():
        click.echo(f"unreadable: {reason}", err=True)
