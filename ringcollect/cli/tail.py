"""``ringcollect tail``: the newest records of a ring, and what comes after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation

if TYPE_CHECKING:
    from ringcollect.config import Wait
    from ringcollect.observe.lines import Lines
    from ringcollect.ring.attach import Reader

LOOK_S = 0.1
"""How often a silent ring is asked whether it was closed or replaced."""


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
    config = invocation.load().config
    reader = attach(ring, directory=config.runtime_path(), channels=wanted, symbols=_listed(symbols))
    lines = open_lines(reader, as_json=as_json)
    for line in lines.newest(count):
        click.echo(line)
    if follow:
        _follow(reader, lines, config.wait)


def _follow(reader: Reader, lines: Lines, wait: Wait) -> None:
    """Print what comes until the ring is replaced, or closed and read to its end.

    Sleeps also where the synchronizer spins: no terminal is worth a processor.
    """
    from ringcollect.errors import RingReset
    from ringcollect.ring.waiting import Adaptive, Watch

    waiting, watch = Adaptive(wait.min_ns / 1e9, wait.max_ns / 1e9), Watch()
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
            watch.set([(reader.words, reader.cursor)])
            waiting.wait(watch, LOOK_S, lambda: False)


def _listed(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return [part.strip() for part in text.split(",") if part.strip()]
