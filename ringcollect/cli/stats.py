"""``ringcollect stats``: what a lake holds, per type and instrument."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.lake_options import LakeOptions, lake_options
from ringcollect.cli.progress import Progress
from ringcollect.cli.text_table import aligned

if TYPE_CHECKING:
    from ringcollect.store.inventory import Stock

_HEAD = ("type", "exchange", "market", "symbol", "rows", "first", "last", "first price", "last price", "gaps", "bytes")


@click.command("stats")
@click.argument("path", required=False)
@lake_options
@click.option("--json", "as_json", is_flag=True, help="The same as JSON on standard output, times in ns.")
@click.pass_obj
def command(invocation: Invocation, path: str | None, lake: LakeOptions, as_json: bool) -> int:
    """Rows, time span, first and last price, gaps and bytes of everything in the lake PATH (a folder or s3://…).

    Gaps are rows that say that something before them is missing. Read are the files' footers and little more.

    Exit codes: 0 done, 1 a file is damaged, 3 nothing of this selection.
    """
    from ringcollect.store.inventory import inventory
    from ringcollect.store.location import Lake

    uri = path if path is not None else lake.uri(invocation)
    progress = Progress("files")
    try:
        stocks = inventory(
            Lake.open(uri), lake.selection(), lambda done, total: progress.show(uri, done / max(total, 1), done)
        )
    finally:
        progress.clear()
    if as_json:
        import msgspec

        click.echo(json.dumps([msgspec.to_builtins(stock) for stock in stocks], indent=1))
    elif stocks:
        rows = [_HEAD, *(_row(stock) for stock in stocks), _total(stocks)]
        click.echo("\n".join(aligned(rows, right=frozenset({4, 7, 8, 9, 10}))))
    else:
        click.echo(f"nothing of this selection in {uri}", err=True)
    return 0 if stocks else 3


def _row(stock: Stock) -> tuple[str, ...]:
    kind = f"{stock.type} {stock.step}".strip()
    prices = ("" if price is None else f"{price:.10g}" for price in (stock.first_price, stock.last_price))
    gaps = "" if stock.gaps is None else f"{stock.gaps:,}"
    times = (_time(stock.first_ns), _time(stock.last_ns))
    return (
        kind,
        stock.exchange,
        stock.market,
        stock.symbol,
        f"{stock.rows:,}",
        *times,
        *prices,
        gaps,
        f"{stock.bytes:,}",
    )


def _total(stocks: list[Stock]) -> tuple[str, ...]:
    rows, size = sum(stock.rows for stock in stocks), sum(stock.bytes for stock in stocks)
    gaps = sum(stock.gaps or 0 for stock in stocks)
    first, last = min(stock.first_ns for stock in stocks), max(stock.last_ns for stock in stocks)
    return ("total", "", "", "", f"{rows:,}", _time(first), _time(last), "", "", f"{gaps:,}", f"{size:,}")


def _time(ns: int) -> str:
    from ringcollect.store.naming import utc

    return utc(ns).strftime("%Y-%m-%dT%H:%M:%S") + f".{ns // 1_000_000 % 1000:03d}"
