"""``ringcollect sim``: the exchanges on loopback, a capture over a socket, or a capture written to a folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringcollect.durations import parse_duration
from ringcollect.errors import ConfigError

if TYPE_CHECKING:
    from ringcollect.sim.faults import FaultPlan
    from ringcollect.sim.stage import Stage


@click.command()
@click.option("--exchange", "exchanges", multiple=True, default=("binance",), show_default=True, metavar="NAME")
@click.option(
    "--symbols", default="", help="Native symbols (of several exchanges: okx:BTC-USDT,…); else the usual ones."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 (default): the system chooses.")
@click.option("--rate", type=float, default=1000.0, show_default=True, help="Frames per second over all streams.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same market.")
@click.option("--for", "for_", metavar="DUR", help="Stop after this long (written captures: 60s).")
@click.option("--faults", default="", metavar="NAME[=VALUE],…", help="drop, dup, gap, garbage, cut=60s, …")
@click.option("--truth", type=click.Path(path_type=Path), metavar="FILE", help="Write down everything that is sent.")
@click.option("--capture", type=click.Path(path_type=Path), metavar="FILE", help="Serve a capture, not a market.")
@click.option("--speed", type=float, default=1.0, show_default=True, help="Pace of --capture; 0 = full speed.")
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
    from ringcollect.sim.run import run

    for_ns = _duration(for_)
    plan = parse_faults(faults)
    names = tuple(name.strip().upper() for name in symbols.split(",") if name.strip())
    if folder is None and capture is None:
        from ringcollect.sim.together import stage_of

        stage = stage_of(exchanges, time.time_ns(), symbols=names, rate=rate, seed=seed, faults=plan, truth=truth)
        run(stage, port=port, for_ns=for_ns)
        return
    if folder is not None:
        if capture is not None:
            raise click.UsageError("--write makes a capture from a simulated market: it does not go with --capture")
        if exchanges != ("binance",):
            raise click.UsageError("--write is for Binance only")
        _write(names, rate, seed, plan, truth, folder, for_ns)
    else:
        assert capture is not None
        run(_played(capture, exchanges, speed, seed, plan, truth), port=port, for_ns=for_ns)


def _played(
    capture: Path, exchanges: tuple[str, ...], speed: float, seed: int, plan: FaultPlan, truth: Path | None
) -> Stage:
    if speed < 0:
        raise click.UsageError("--speed must not be below 0")
    if len(exchanges) != 1:
        raise click.UsageError("--capture is of one --exchange")
    from ringcollect.sim.capture import CaptureStage

    return CaptureStage(
        capture, time.time_ns(), exchange=exchanges[0], speed=speed, faults=plan, seed=seed, truth=truth
    )


def _write(
    names: tuple[str, ...], rate: float, seed: int, plan: FaultPlan, truth: Path | None, folder: Path, for_ns: int
) -> None:
    import msgspec

    from ringcollect.sim.world import DEFAULT_SYMBOLS, Options
    from ringcollect.sim.write import DEFAULT_LENGTH_NS, write_capture

    names = names or DEFAULT_SYMBOLS
    options = Options(spot=names, linear=names, rate=rate, seed=seed, faults=plan, truth=truth)
    written = write_capture(options, folder, for_ns or DEFAULT_LENGTH_NS, time.time_ns())
    click.echo(msgspec.json.encode(written).decode())


def _duration(text: str | None) -> int:
    if text is None:
        return 0
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"--for: {error}") from error
