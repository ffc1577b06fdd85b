"""``ringcollect query``: SQL over a lake."""

from __future__ import annotations

import csv
import itertools
import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import click

from ringcollect.cli.invocation import Invocation
from ringcollect.cli.lake_options import LakeOptions, lake_options
from ringcollect.cli.text_table import aligned
from ringcollect.errors import ConfigError

_BLOCK = 1000


@click.command("query")
@click.argument("sql")
@lake_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object per row and line.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a head line.")
@click.pass_obj
def command(invocation: Invocation, sql: str, lake: LakeOptions, as_json: bool, as_csv: bool) -> None:
    """Ask the lake in SQL (DuckDB's). Each type is a view of what the other options choose: trades, orderbooks, …
    (raw), rest_orderbooks, sync_trades, features, bars, books, frames. Needs the extra duckdb.

    Exit codes: 0 done, 2 the query is wrong, 4 DuckDB is not installed.
    """
    if as_json and as_csv:
        raise ConfigError("--json and --csv: one of them")
    from ringcollect.store.location import Lake
    from ringcollect.store.query import query

    answer = query(sql, Lake.open(lake.uri(invocation)), lake.selection())
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
    elif as_json:
        for row in answer.rows:
            click.echo(json.dumps(dict(zip(answer.columns, map(_plain, row), strict=True)), default=str))
    else:
        for line in _lines(answer.columns, answer.rows):
            click.echo(line)


def _plain(value: Any) -> Any:
    """JSON has no NaN: null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lines(columns: list[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    """A table; widths are those of each thousand rows."""
    head: list[tuple[str, ...]] = [tuple(columns)]
    while block := list(itertools.islice(rows, _BLOCK)):
        numbers = frozenset(place for place, value in enumerate(block[0]) if isinstance(value, int | float))
        yield from aligned([*head, *(tuple(_text(value) for value in row) for row in block)], right=numbers)
        head = []
    if head:
        yield "  ".join(columns)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
