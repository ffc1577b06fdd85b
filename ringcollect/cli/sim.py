"""``ringcollect sim``: the exchanges on loopback, a capture over a socket, or a capture written to a folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringcollect.durations import parse_duration
from ringcollect.errors import ConfigError

if TYPE_CHECKING:
    from ringcollect.sim.stage import Stage
    from ringcollect.sim.world import Options


@click.command()
@click.option("--exchange", "exchanges", multiple=True, default=("binance",), show_default=True, metavar="NAME")
@click.option("--symbols", default="", help="Native symbols; the exchange's usual ones if not given.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 (default): the system chooses.")
@click.option("--rate", type=float, default=1000.0, show_default=True, help="Frames per second over all streams.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same market.")
@click.option("--for", "for_", metavar="DUR", help="Stop after this long (written captures: 60s).")
@click.option("--faults", default="", metavar="NAME[=VALUE],…", help="drop, dup, reorder, gap, garbage, cut=60s, …")
@click.option("--truth", type=click.Path(path_type=Path), metavar="FILE", help="Write down everything that is sent.")
@click.option("--capture", type=click.Path(path_type=Path), metavar="FILE", help="Serve a capture, not a market.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="Pace of --capture.")
@click.option("--write", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Write a capture instead.")
def command(
    exchanges: tuple[str, ...],
    symbols: str,
    port: int,
    rate: float,
    seed: int,
    for_: str | None,
    faults: str,
    truth: Path | None,
    capture: Path | None,
    speed: float,
    folder: Path | None,
) -> None:
    """Simulated exchanges that speak the real protocols, on 127.0.0.1.

    Prints one JSON line when ready: {"ready": true, "port": …, "ws": {market: base}, "rest": {market: base}}, and one
    with counters when it stops (SIGTERM, --for, or the end of --capture).
    """
    from ringcollect.sim.faults import parse_faults
    from ringcollect.sim.world import DEFAULT_SYMBOLS, Options

    for_ns = _duration(for_)
    names = tuple(name.strip().upper() for name in symbols.split(",") if name.strip())
    alone = _solo(exchanges, names, rate, seed, faults, truth)
    if alone is not None:
        if folder is not None or capture is not None:
            raise click.UsageError(f"{exchanges[0]} is served from a simulated market only: no --write, no --capture")
        from ringcollect.sim.run import run

        run(alone, port=port, for_ns=for_ns)
        return
    names = names or DEFAULT_SYMBOLS
    options = Options(
        exchanges=exchanges, spot=names, linear=names, rate=rate, seed=seed, faults=parse_faults(faults), truth=truth
    )
    options.check()
    if folder is not None:
        if capture is not None:
            raise click.UsageError("--write makes a capture from a simulated market: it does not go with --capture")
        _write(options, folder, for_ns)
    else:
        from ringcollect.sim.run import run

        run(_stage(options, capture, speed), port=port, for_ns=for_ns)


def _solo(
    exchanges: tuple[str, ...], names: tuple[str, ...], rate: float, seed: int, faults: str, truth: Path | None
) -> Stage | None:
    """The stage of an exchange that is simulated alone; None for the others."""
    from ringcollect.sim.faults import parse_faults
    from ringcollect.sim.solo import KINDS, SoloStage

    if not any(name in KINDS for name in exchanges):
        return None
    if len(exchanges) > 1:
        raise ConfigError(f"simulator: one of {', '.join(exchanges)} at a time")
    plan = parse_faults(faults)
    return SoloStage(exchanges[0], time.time_ns(), symbols=names, rate=rate, seed=seed, faults=plan, truth=truth)


def _stage(options: Options, capture: Path | None, speed: float) -> Stage:
    if capture is None:
        from ringcollect.sim.world import World

        return World(options, time.time_ns())
    if speed <= 0:
        raise click.UsageError("--speed must be above 0")
    from ringcollect.sim.capture import CaptureStage

    return CaptureStage(capture, speed=speed, faults=options.faults, seed=options.seed, truth=options.truth)


def _write(options: Options, folder: Path, for_ns: int) -> None:
    import msgspec

    from ringcollect.sim.write import DEFAULT_LENGTH_NS, write_capture

    written = write_capture(options, folder, for_ns or DEFAULT_LENGTH_NS, time.time_ns())
    click.echo(msgspec.json.encode(written).decode())


def _duration(text: str | None) -> int:
    if text is None:
        return 0
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--for: {error}") from error
