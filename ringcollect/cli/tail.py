"""``ringcollect tail``: the newest records of a ring, and what comes after them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ringcollect.cli.invocation import Invocation

if TYPE_CHECKING:
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
    from ringcollect.observe.lines import Printer
    from ringcollect.records import CHANNELS_BY_NAME
    from ringcollect.ring.attach import attach

    wanted = _listed(channels)
    unknown = [name for name in wanted or () if name not in CHANNELS_BY_NAME]
    if unknown:
        raise ConfigError(f"--channel: no channel {unknown[0]!r}; there are {', '.join(CHANNELS_BY_NAME)}")
    runtime = invocation.load().config.runtime_path()
    reader = attach(ring, directory=runtime, channels=wanted, symbols=_listed(symbols))
    show = Printer(reader, as_json=as_json)
    end = reader.head
    newest = _newest(reader, count, end)
    for line in show.lines(newest):
        click.echo(line)
    if follow:
        reader.cursor = end
        _follow(reader, show)


def _newest(reader: Reader, count: int, end: int) -> Any:
    """The newest ``count`` records that pass the filter, out of all that the ring still holds below ``end``."""
    if not count:
        return reader.last(0)
    span = count
    while True:
        found = reader.last(span)
        found = found[found["seq"] < end]
        if len(found) >= count or span >= reader.capacity:
            return found[-count:]
        span = min(span * 4, reader.capacity)


def _follow(reader: Reader, show: Any) -> None:
    for item in _stream(reader):
        if isinstance(item, tuple):
            click.echo(f"lost {item[1] - item[0]} records: {item[0]} to {item[1]}", err=True)
        else:
            for line in show.lines(item):
                click.echo(line)


def _stream(reader: Reader) -> Iterator[Any]:
    """Arrays of records, and tuples for what was lost before them, until the ring is over."""
    from ringcollect.errors import RingReset

    while True:
        try:
            read = reader.read()
        except RingReset as reset:
            click.echo(str(reset), err=True)
            return
        if read.lost[0] != read.lost[1]:
            yield read.lost
        if len(read.records):
            yield read.records
        elif reader.cursor >= reader.head:
            if reader.state == "closed" and not reader.producer_alive():
                return
            time.sleep(POLL_S)


def _listed(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return [part.strip() for part in text.split(",") if part.strip()]
