"""``ringcollect features list | describe NAME | build``."""

from __future__ import annotations

import click

from ringcollect.cli.feature_build import build
from ringcollect.cli.feature_catalogue import describe, listing


@click.group()
def command() -> None:
    """The columns a row can have, and rows built again from a lake's records."""


command.add_command(listing, "list")
command.add_command(describe, "describe")
command.add_command(build, "build")
