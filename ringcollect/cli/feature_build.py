"""``ringcollect features build``: rows again, from the records of a lake."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.lake_options import LakeOptions, lake_options, words
from ringcollect.cli.progress import Progress
from ringcollect.durations import format_duration, parse_duration
from ringcollect.errors import ConfigError, EnvironmentRefused

if TYPE_CHECKING:
    from ringcollect.config import Config
    from ringcollect.sources.offline.report import Report
    from ringcollect.sources.offline.settings import Settings

_CLOCKS = ("orderbook", "trade", "liquidation", "external")


@click.command()
@lake_options
@click.option("--out", metavar="URI", required=True, help="Where the rows go: a folder or s3://bucket/prefix.")
@click.option("--grid", metavar="DUR", help="One grid instead of the configured ones, as 100ms.")
@click.option("--clock", type=click.Choice(_CLOCKS), help="Its clock; default that of the first configured grid.")
@click.option("--features", "features", multiple=True, metavar="LIST", help="Its features: sets, names, wildcards.")
@click.option("--watch", is_flag=True, help="Go on: build each segment once it is sealed, until stopped.")
@click.option("--poll-interval", default="30s", show_default=True, metavar="DUR", help="How often --watch looks.")
@click.option("--delete-source", is_flag=True, help="Remove segments of the lake once their rows are verified.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on standard output.")
@click.pass_obj
def build(
    invocation: Invocation,
    lake: LakeOptions,
    out: str,
    grid: str | None,
    clock: str | None,
    features: tuple[str, ...],
    watch: bool,
    poll_interval: str,
    delete_source: bool,
    as_json: bool,
) -> int:
    """Rows of the synchronizer from the lake's raw and rest records, by the kernels that run live: the same rows.

    What is built is not built again: the next run goes on where this one ended, however it ended. Two runs share the
    work and never build the same. Rows for s3:// are kept in the configured data folder, too (state/outputs/), which is
    where the next run goes on.

    Exit codes: 0 nothing was lost, 1 records are missing or a file is bad, 2 usage or rows of other settings in --out,
    3 nothing to build from, 4 the host refuses.
    """
    pause_s = _duration(poll_interval, "--poll-interval") / 1e9
    config = invocation.load().config
    from ringcollect.sources.offline.build import build as build_once
    from ringcollect.sources.offline.remote_input import Input
    from ringcollect.sources.offline.remote_output import Output
    from ringcollect.sources.offline.report import lines
    from ringcollect.sources.offline.settings import Settings
    from ringcollect.supervise.kernels import warm_kernels

    if lake.types:
        raise ConfigError("--type: rows are built from all types of records, there is none to choose")
    selection = lake.selection()
    if delete_source and selection.is_part:
        raise ConfigError("--delete-source removes whole segments: it does not go with --market or --symbol")
    source = Input.of(lake.uri(invocation), config.data_path())
    if source.remote is not None and (watch or delete_source):
        raise ConfigError(f"{source.remote}: --watch and --delete-source go with records in a folder")
    target = Output.of(out, config.data_path())
    config = _one_grid(config, grid, clock, words(features))
    warm_kernels(("ringcollect.sync.engine",))
    progress = Progress("records")
    stopped = threading.Event()
    settings = Settings(
        data=source.folder,
        out=target.folder,
        config=config,
        selection=selection,
        by_segment=watch or delete_source,
        delete_source=delete_source,
        progress=lambda what, done, total: progress.show(what, done / max(total, 1), done),
        stop=stopped.is_set,
    )

    def say(report: Report) -> None:
        target.send()
        progress.clear()
        if as_json:
            click.echo(json.dumps(report.to_dict(), indent=None if watch else 1))
        else:
            click.echo("\n".join(lines(report)))

    try:
        if watch:
            return _watch(settings, stopped, pause_s, say)
        source.fetch(selection, progress.show)
        report = build_once(settings)
    except OSError as error:
        raise EnvironmentRefused(f"{error}; what was built by then is kept, running again goes on there") from error
    finally:
        progress.clear()
    if report.exit_code == 3 and not as_json:
        click.echo(f"nothing to build from in {settings.data}", err=True)
    else:
        say(report)
    source.forget()
    return report.exit_code


def _watch(settings: Settings, stopped: threading.Event, pause_s: float, say: Callable[[Report], None]) -> int:
    from ringcollect.sources.offline.watch import watch as watch_lake

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())

    def sleep() -> None:
        stopped.wait(pause_s)

    whole = watch_lake(settings, sleep, say)
    return 1 if whole.problems() else 0


def _one_grid(config: Config, grid: str | None, clock: str | None, features: tuple[str, ...]) -> Config:
    """``config`` with one grid for everything, where any of the three is given."""
    if grid is None and clock is None and not features:
        return config
    import msgspec

    base = config.sync.base
    sync = msgspec.structs.replace(
        config.sync,
        grid=format_duration(_duration(grid, "--grid")) if grid else base.grid,
        mode=clock or base.mode,
        hold_back=base.hold_back,
        features=msgspec.structs.replace(config.sync.choice, select=features or base.features, hf_emit_interval=""),
    )
    markets = tuple(
        msgspec.structs.replace(
            market, override=tuple(msgspec.structs.replace(one, grid="", features=()) for one in market.override)
        )
        for market in config.markets
    )
    return msgspec.structs.replace(config, sync=sync, markets=markets)


def _duration(text: str, key: str) -> int:
    try:
        ns = parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from error
    if ns <= 0:
        raise ConfigError(f"{key}: {text!r} is no time at all")
    return ns
