"""SQL over a lake: DuckDB with each type as a view, reading only the columns, files and row groups a query needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from ringcollect.errors import ConfigError, EnvironmentRefused
from ringcollect.store import files
from ringcollect.store.location import Lake
from ringcollect.store.naming import TOKENS
from ringcollect.store.scan import SYNC_ONLY, TIERS, Scan
from ringcollect.store.selection import Selection

_TRIES = 3
_BLOCK = 10_000
_OF_ALL = re.compile(r"\b(show|describe|information_schema|duckdb_views|duckdb_tables)\b", re.IGNORECASE)


class Answer(NamedTuple):
    """Column names and rows, read as they are asked for."""

    columns: list[str]
    rows: Iterator[tuple[Any, ...]]


def view_names() -> dict[str, tuple[str, str]]:
    """View -> (tier, table): ``trades`` is raw, ``rest_trades``, ``sync_trades``; what is in sync alone, as it is."""
    views = {"frames": ("frames", "frames"), "rejects": ("rejects", "rejects")}
    for table in TOKENS:
        if table in views:
            continue
        if table in SYNC_ONLY:
            views[table] = ("sync", table)
            continue
        views |= {table if tier == "raw" else f"{tier}_{table}": (tier, table) for tier in TIERS}
    return views


def query(sql: str, lake: Lake, selection: Selection) -> Answer:
    """The answer of ``sql``; views hold what ``selection`` chooses. Views that the text does not name are not made.

    Raises EnvironmentRefused without DuckDB, ConfigError for what is wrong with the query.
    """
    try:
        import duckdb
    except ImportError as error:
        raise EnvironmentRefused("query needs DuckDB: pip install 'ringcollect[duckdb]'") from error
    for attempt in range(_TRIES):
        connection = duckdb.connect()
        connection.execute("set timezone = 'UTC'")
        for view, (tier, table) in view_names().items():
            if _is_named(view, sql) and selection.wants_table(tier, table):
                _register(connection, view, lake, selection, tier, table)
        try:
            connection.execute(sql)
            block = connection.fetchmany(_BLOCK)
        except duckdb.Error as error:
            if _is_about_a_missing_file(error) and attempt < _TRIES - 1:
                continue  # compacted since it was listed
            raise ConfigError(f"query: {error}") from error
        return Answer([column[0] for column in connection.description or ()], _rows(connection, block))
    raise ConfigError("query: the lake changed while it was read")


def _rows(connection: Any, block: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    while block:
        yield from block
        block = connection.fetchmany(_BLOCK)


def _register(connection: Any, view: str, lake: Lake, selection: Selection, tier: str, table: str) -> None:
    chosen = msgspec.structs.replace(selection, types=(table,))
    found = sorted(files.files(lake, chosen, (tier,)), key=files.place)
    if found:
        connection.register(view, Scan(lake, chosen, (tier,), {}, found, None).to_dataset())


def _is_named(view: str, sql: str) -> bool:
    return bool(_OF_ALL.search(sql) or re.search(rf"\b{view}\b", sql, re.IGNORECASE))


def _is_about_a_missing_file(error: Exception) -> bool:
    return "No such file" in str(error) or "NO_SUCH_KEY" in str(error) or "does not exist" in str(error)
