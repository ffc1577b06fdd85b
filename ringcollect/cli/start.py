"""``ringcollect start``: collect, until stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.errors import ConfigError

if TYPE_CHECKING:
    from ringcollect.config import Config
    from ringcollect.observe.display import Display
    from ringcollect.supervise.summary import Summary


@click.command()
@click.option("--demo", is_flag=True, help="Collect from simulated exchanges on loopback, into ./demo-data.")
@click.option("--for", "for_", metavar="DUR", help="Stop after this long (20s, 2h), like SIGTERM.")
@click.option(
    "--exchange", "exchanges", multiple=True, metavar="NAME", help="Only this configured exchange; repeatable."
)
@click.option("--symbols", metavar="A,B", help="Only these symbols.")
@click.option("--channels", metavar="A,B", help="These channels instead of the configured ones.")
@click.option("--raw-only", is_flag=True, help="No synchronizer: feeds and writer only.")
@click.option("--record-frames", is_flag=True, help="Also keep the exact bytes received, in frames/.")
@click.option("--profile", type=click.Choice(["default", "low-power"]), help="Instead of [collector] profile.")
@click.pass_obj
def command(
    invocation: Invocation,
    demo: bool,
    for_: str | None,
    exchanges: tuple[str, ...],
    symbols: str | None,
    channels: str | None,
    raw_only: bool,
    record_frames: bool,
    profile: str | None,
) -> int:
    """Collect until stopped (SIGTERM, Ctrl-C, or the end of --for); then drain, seal and sum up.

    Exit codes: 0 nothing was lost, 1 something was lost or rejected, 2 configuration, 4 the host refuses, 5 a
    process was killed past its stop budget.
    """
    loaded = invocation.load(profile=profile)

    def narrow(config: Config) -> Config:
        from ringcollect.config import narrowed

        return narrowed(
            config,
            exchanges=exchanges,
            symbols=_listed(symbols),
            channels=_listed(channels),
            raw_only=raw_only,
            record_frames=record_frames,
        )

    for_s = _seconds(for_)
    if demo:
        return _demo(loaded.config, narrow, for_s)
    config = narrow(loaded.require_markets())
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    return _collect(config, for_s, lambda: narrow(invocation.load(profile=profile).require_markets())).exit_code


def _demo(base: Config, narrow: Callable[[Config], Config], for_s: float | None) -> int:
    from ringcollect.supervise.demo import Demo, check_lake

    with Demo(base) as demo:
        click.echo(f"simulated exchanges on port {demo.ready['port']}, {demo.rate} frames/s in all")
        click.echo(f"look inside: RINGCOLLECT_RUNTIME={demo.runtime} ringcollect status")
        summary = _collect(narrow(demo.config), for_s)
        sent = demo.stop_simulator()
        click.echo(f"simulator     {sent.get('frames_sent', 0):,} frames sent, the last ones as we hung up")
        code, lines = check_lake(demo.data)
    for line in lines:
        click.echo(f"verify        {line}")
    click.echo("nothing was lost" if summary.exit_code == code == 0 else "NOT everything is well: see above")
    return summary.exit_code or code


def _collect(config: Config, for_s: float | None, reread: Callable[[], Config] | None = None) -> Summary:
    """Run, show, and print the sum; ``reread`` gives the configuration as it is now, for a reload."""
    from ringcollect.supervise import summary as summaries
    from ringcollect.supervise.collect import collect

    display, shown = _display(config)
    again = None if reread is None else lambda: _with_log_file(reread(), shown.log.file)
    config = shown
    click.echo(f"data in {config.data_path()}, rings in {config.runtime_path()}")
    with contextlib.closing(display):
        outcome = collect(config, show=display.show, tell=click.echo, for_s=for_s, reread=again)
    summary = summaries.summarize(outcome)
    click.echo("\n".join(summaries.lines(summary)))
    return summary


def _display(config: Config) -> tuple[Display, Config]:
    """A live table and a log file on a terminal, lines and the log on stderr elsewhere."""
    from ringcollect.observe.display import Lines, Table, on_terminal

    if not on_terminal():
        return Lines(), config
    if not config.log.file:
        file = str(config.data_path() / "ringcollect.log")
        config = _with_log_file(config, file)
        click.echo(f"log in {file}")
    return Table(), config


def _with_log_file(config: Config, file: str) -> Config:
    """``config``, logging to ``file`` if it names no file of its own."""
    import msgspec

    if config.log.file:
        return config
    return msgspec.structs.replace(config, log=msgspec.structs.replace(config.log, file=file))


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _seconds(text: str | None) -> float | None:
    from ringcollect.durations import parse_duration

    if text is None:
        return None
    try:
        return parse_duration(text) / 1e9
    except ValueError as error:
        raise ConfigError(f"--for: {error}") from error
