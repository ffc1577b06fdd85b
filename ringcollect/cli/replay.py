"""``ringcollect replay``: a capture, or recorded frames, through the same code as live."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.progress import Progress
from ringcollect.errors import EnvironmentRefused


@click.command("replay")
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="The lake; default from the configuration.")
@click.option("--exchange", default="", metavar="NAME", help="Where the capture has no URLs: the exchange.")
@click.option("--market", default="", metavar="MARKET", help="Where the capture has no URLs: spot or linear.")
@click.option("--speed", default="max", metavar="max|N", help="N times as fast as it was; default as fast as it goes.")
@click.option("--raw-only", is_flag=True, help="No synchronizer: records only.")
@click.option("--json", "as_json", is_flag=True, help="The reports as one JSON document on standard output.")
@click.pass_obj
def command(
    invocation: Invocation,
    captures: tuple[Path, ...],
    data: Path | None,
    exchange: str,
    market: str,
    speed: str,
    raw_only: bool,
    as_json: bool,
) -> int:
    """Feed CAPTURE (a .jsonl or .jsonl.gz file, or a lake's frames/ folder) through feed, rings, synchronizer and
    writer with the capture's time as the clock, then seal, verify and sum up. Several are replayed one after another.

    Exit codes: 0 nothing was lost, 1 something was lost or rejected or a claim fails, 2 usage, 3 no such capture, 4
    the host refuses.
    """
    times = _times(speed)
    config = invocation.load().config
    from ringcollect.config.venues import EXCHANGES
    from ringcollect.sources.replay import replay
    from ringcollect.sources.report import encode, lines
    from ringcollect.sources.stage import Settings
    from ringcollect.store.verify import verify
    from ringcollect.supervise.kernels import preloaded, warm_kernels

    known = [exchange] if exchange in EXCHANGES else []
    warm_kernels(preloaded(known))  # compiling is not part of the stages' times
    lake = (data or config.data_path()).expanduser().absolute()
    progress = Progress("events")
    settings = Settings(
        data=lake, config=config, exchange=exchange, market=market, speed=times, raw_only=raw_only,
        progress=progress.show,
    )  # fmt: skip
    reports = []
    for capture in captures:
        try:
            if capture.is_dir():
                from ringcollect.sources.frames import replay_frames  # pyarrow, only where Parquet is read

                report = replay_frames(capture, settings)
            else:
                report = replay(capture, settings)
        except OSError as error:
            raise EnvironmentRefused(
                f"{capture}: {error}; what was sealed by then is good, replaying again completes it"
            ) from error
        finally:
            progress.clear()
        reports.append(report)
        if not as_json:
            click.echo("\n".join(lines(report)))
    checked = verify(lake)
    good = checked.exit_code == 0 and not any(report.problems() for report in reports)
    if as_json:
        click.echo(json.dumps({"ok": good, "replays": encode(reports), "verify": checked.to_dict()}, indent=1))
    else:
        click.echo("\n".join(f"verify        {line}" for line in checked.lines()))
        click.echo("nothing was lost" if good else "NOT everything is well: see above")
    return 0 if good else 1


def _times(speed: str) -> float:
    """0 for ``max``; click.BadParameter for what is no speed."""
    if speed == "max":
        return 0.0
    try:
        times = float(speed)
    except ValueError:
        times = 0.0
    if not 0.0 < times < float("inf"):
        raise click.BadParameter(f"{speed!r} is neither max nor a number above 0, like 1 or 10", param_hint="--speed")
    return times
