"""``ringcollect tail``: the newest records of a ring, and what comes after them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation

if TYPE_CHECKING:
    from ringcollect.observe.lines import Lines
    from ringcollect.ring.attach import Reader

POLL_S = 0.02


@click.command()
@click.argument("ring")
@click.option("-n", "count", type=click.IntRange(0), default=20, show_default=True, help="Newest records first shown.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until interrupted or the ring closes.")
@click.option("--channel", "channels", help="Only these (comma-separated): book, trade, bbo, …")
@click.option("--symbol", "symbols", help="Only these (comma-separated).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.pass_obj
def command(
    invocation: Invocation,
    ring: str,
    count: int,
    follow: bool,
    channels: str | None,
    symbols: str | None,
    as_json: bool,
) -> None:
    """Print records of RING (binance, binance.rec, binance.100ms.row, binance.frm or a .ring file).

    Reads only: slows nobody down, is registered nowhere. Records it lost by being slow are counted on stderr.
    """
    from ringcollect.errors import ConfigError
    from ringcollect.observe.lines import open_lines
    from ringcollect.records import CHANNELS_BY_NAME
    from ringcollect.ring.attach import attach

    wanted = _listed(channels)
    unknown = [name for name in wanted or () if name not in CHANNELS_BY_NAME]
    if unknown:
        raise ConfigError(f"--channel: no channel {unknown[0]!r}; there are {', '.join(CHANNELS_BY_NAME)}")
    runtime = invocation.load().config.runtime_path()
    reader = attach(ring, directory=runtime, channels=wanted, symbols=_listed(symbols))
    lines = open_lines(reader, as_json=as_json)
    for line in lines.newest(count):
        click.echo(line)
    if follow:
        _follow(reader, lines)


def _follow(reader: Reader, lines: Lines) -> None:
    """Print what comes until the ring is replaced, or closed and read to its end."""
    from ringcollect.errors import RingReset

    while True:
        try:
            more = lines.more()
        except RingReset as reset:
            click.echo(str(reset), err=True)
            return
        lost = more.lost[1] - more.lost[0]
        if lost:
            click.echo(f"lost {lost} records: {more.lost[0]} to {more.lost[1]}", err=True)
        for line in more.lines:
            click.echo(line)
        if reader.cursor >= reader.head:
            if reader.state == "closed" and not reader.producer_alive():
                return
            time.sleep(POLL_S)


def _listed(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return [part.strip() for part in text.split(",") if part.strip()]
