"""``ringcollect config init | check | show``."""

from __future__ import annotations

from pathlib import Path

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.errors import EnvironmentRefused


@click.group()
def command() -> None:
    """Write, check or show the configuration."""


@command.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("config.toml"))
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: Path, force: bool) -> None:
    """Write the commented default to PATH (./config.toml)."""
    from ringcollect.config.default_file import default_text

    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(default_text())
    except FileExistsError as error:
        raise click.UsageError(f"{path} is there already; --force overwrites it") from error
    except OSError as error:
        raise EnvironmentRefused(f"cannot write {path}: {error.strerror}") from error
    click.echo(f"wrote {path}; see it checked with: ringcollect --config {path} config check")


@command.command()
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Name every problem in one go; exit 2 if there is one."""
    from ringcollect.sync.parameters import parameters_of

    loaded = invocation.load()
    config = loaded.require_markets()
    for exchange in config.exchanges():
        for plan in config.row_plans(exchange):
            parameters_of(config, plan)  # whether the catalogue has every feature that is asked for
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    for market in config.markets:
        streams = sum(len(market.channels_for(symbol)) for symbol in market.names)
        named = f"{len(market.names)} symbols, {streams} streams" if market.names else ""
        ruled = f"what {', '.join(market.rules)} names, at most {market.top or market.limit}" if market.rules else ""
        click.echo(f"{market.exchange} {market.market}: {', and '.join(part for part in (named, ruled) if part)}")
    click.echo(f"{loaded.file or 'the environment'}: fine")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def show(invocation: Invocation, as_json: bool) -> None:
    """The merged result and where each value came from; secrets are masked."""
    from ringcollect.config.show import as_json as json_text
    from ringcollect.config.show import as_toml

    loaded = invocation.load()
    if as_json:
        click.echo(json_text(loaded))
        return
    click.echo(f"# {loaded.file or 'no file: defaults and environment'}")
    click.echo(as_toml(loaded), nl=False)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
