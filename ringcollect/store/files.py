"""The Parquet files of a lake as their folders name them: tier, table, whose, which day; opened only when asked.

Listing descends only into folders the selection may want, so that a day of one symbol of a year costs a few listings,
not one per file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import unquote

import pyarrow.parquet as pq

from ringcollect.config.symbols import symbol_key
from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store import parquet
from ringcollect.store.compaction import manifest
from ringcollect.store.location import Lake
from ringcollect.store.naming import TOKENS, folder_value
from ringcollect.store.selection import TIERS, Selection

NEVER_DATA = (".", "_")
"""How names begin that are no data to any reader: temporary files, folders being swapped."""
Values = tuple[tuple[str, str], ...]


class LakeFile(NamedTuple):
    """One file, known from its path. ``values`` are its folders' (decoded), in their order; ``bytes`` its size."""

    path: str
    tier: str
    table: str
    values: Values
    bytes: int

    def value(self, key: str) -> str:
        """Value of the folder ``key=``; empty if there is none."""
        return next((value for name, value in self.values if name == key), "")

    @property
    def exchange(self) -> str:
        """As in the folder."""
        return self.value("exchange")

    @property
    def market(self) -> str:
        """As in the folder; empty for frames."""
        return self.value("market")

    @property
    def symbol(self) -> str:
        """As in the folder: the venue's own text, but for a very long one."""
        return self.value("symbol")

    @property
    def date(self) -> str:
        """UTC day, ``2026-11-21``."""
        return self.value("date")

    @property
    def type(self) -> str:
        """``raw/trades``."""
        return self.table if self.tier == self.table else f"{self.tier}/{self.table}"


def open_file(lake: Lake, file: LakeFile | str) -> pq.ParquetFile:
    """The file, page checksums verified. LakeError naming it if it is none, NotFoundError if it has gone."""
    path = file if isinstance(file, str) else file.path
    try:
        return parquet.open_file(lake.open_file(path))
    except LakeError as error:
        raise LakeError(f"{path}: {error}") from error


def metadata_of(lake: Lake, file: LakeFile | str) -> dict[str, Any]:
    """What the file says about itself (identity, schema, schema_version, native_symbol, unified, claims, …)."""
    path = file if isinstance(file, str) else file.path
    opened = open_file(lake, path)
    try:
        return parquet.metadata_of(opened)
    except LakeError as error:
        raise LakeError(f"{path}: {error}") from error
    finally:
        opened.close()


def files(lake: Lake, selection: Selection | None = None, tiers: tuple[str, ...] = TIERS) -> Iterator[LakeFile]:
    """Every Parquet file of ``tiers`` that may hold rows of ``selection``, by path within each table.

    By folders alone, but for a symbol that none of a market's folders is named after: it may be a unified name, and one
    file of each folder is asked.
    """
    chosen = Selection() if selection is None else selection
    listing = _Listing(lake, chosen)
    for tier in tiers:
        tables = (tier,) if tier in TOKENS else tuple(TOKENS)
        present = {tier} if tier in TOKENS else set(lake.folders(tier))
        for table in tables:
            if table in present and chosen.wants_table(tier, table):
                folder = table if tier == table else f"{tier}/{table}"
                yield from listing.below(folder, tier, table, ())


class Owner(NamedTuple):
    """One instrument of a lake (or ``_exchange``, all of one), as its folders name it; ``folder`` is below a table."""

    exchange: str
    market: str
    symbol: str
    folder: str


def owners(lake: Lake, selection: Selection, tier: str, table: str) -> list[Owner]:
    """The instruments that a table without grids has and the selection wants; times do not matter."""
    listing = _Listing(lake, selection)
    return list(listing.owners(f"{tier}/{table}", ()))


def files_of_owner(lake: Lake, owner: Owner, tier: str, table: str, selection: Selection) -> list[LakeFile]:
    """The files of one instrument in a table without grids, of the selection's days, in the order of their rows."""
    values = _values_of(f"{owner.folder}/") or ()
    found = _Listing(lake, selection).below(f"{tier}/{table}/{owner.folder}", tier, table, values)
    return sorted(found, key=place)


def files_of_folder(lake: Lake, folder: str) -> list[LakeFile]:
    """The files of one day folder (``raw/trades/exchange=…/date=…``), in the order of their rows."""
    tier, _, rest = folder.partition("/")
    table, below = (tier, rest) if tier in TOKENS else (rest.partition("/")[0], rest.partition("/")[2])
    values = _values_of(f"{below}/") or ()
    return sorted((LakeFile(key, tier, table, values, size) for key, size in _files_in(lake, folder)), key=place)


def place(file: LakeFile) -> tuple[Any, ...]:
    """Sorts files by tier and folder, then by their first row: the stamp, of equal stamps the plain name, then seq."""
    stem = PurePosixPath(file.path).name.removesuffix(".parquet")
    time, _, suffix = stem.rpartition("_")[2].partition("-")
    day = stem.rpartition("_")[0].rpartition("_")[2]
    numbers = tuple(int(part) if part.isdigit() else 0 for part in suffix.split("-")) if suffix else ()
    return (file.tier, tuple(value for _, value in file.values), day, time, numbers, file.path)


def folder_of(file: LakeFile) -> str:
    """Its day folder."""
    return file.path.rpartition("/")[0]


class _Listing:
    """One walk; what symbols are called is learnt once per instrument."""

    def __init__(self, lake: Lake, selection: Selection) -> None:
        self._lake = lake
        self._selection = selection
        self._dates = selection.dates()
        self._is_wanted: dict[tuple[str, str, str], bool] = {}

    def below(self, folder: str, tier: str, table: str, values: Values) -> Iterator[LakeFile]:
        """The files of a table in and below ``folder``, whose folders so far were ``values``."""
        if self._is_listed_at_once(values):
            for key, size in _files_in(self._lake, folder):
                deeper = _values_of(key[len(folder) + 1 :])
                if deeper is not None and all(self._may_have(name, dict(deeper), "") for name, _ in deeper):
                    yield LakeFile(key, tier, table, (*values, *deeper), size)
            return
        for name, pair in self._wanted_folders(folder, values):
            yield from self.below(f"{folder}/{name}", tier, table, (*values, pair))

    def owners(self, folder: str, values: Values) -> Iterator[Owner]:
        """The instruments below ``folder``, whose folders so far were ``values``."""
        if len(values) == 3:
            known = dict(values)
            below = "/".join(folder.split("/")[-3:])
            yield Owner(known["exchange"], known["market"], known["symbol"], below)
            return
        for name, pair in self._wanted_folders(folder, values):
            yield from self.owners(f"{folder}/{name}", (*values, pair))

    def _wanted_folders(self, folder: str, values: Values) -> Iterator[tuple[str, tuple[str, str]]]:
        named = [(name, pair) for name in self._lake.folders(folder) if (pair := _pair(name)) is not None]
        unknown = self._unknown_names([value for _, (key, value) in named if key == "symbol"])
        for name, pair in named:
            if self._may_have(pair[0], dict((*values, pair)), f"{folder}/{name}" if unknown else ""):
                yield name, pair

    def _unknown_names(self, symbols: list[str]) -> set[str]:
        """Which of the names asked for none of ``symbols``, one market's, has as its own: a unified name then."""
        return {symbol_key(name) for name in self._selection.symbols} - {symbol_key(name) for name in symbols}

    def _is_listed_at_once(self, values: Values) -> bool:
        """A day of a folder is; of an object store, where one answer has a thousand keys, all the selection takes."""
        keys = {key for key, _ in values}
        if "date" in keys or self._lake.folder is not None:
            return "date" in keys
        chosen = self._selection
        return (
            ("exchange" in keys or not chosen.exchanges)
            and ("market" in keys or not chosen.markets)
            and ("symbol" in keys or not chosen.symbols)
        )

    def _may_have(self, key: str, known: dict[str, str], folder: str) -> bool:
        """Whether the selection may want what is in a folder ``key=…``; ``known`` are its and its parents' values.

        Without ``folder`` nothing is opened to learn more than the values say.
        """
        chosen = self._selection
        if key == "exchange":
            return not chosen.exchanges or known[key] in chosen.exchanges
        if key == "market":
            return not chosen.markets or known[key] in chosen.markets
        if key == "date":
            return self._dates[0] <= known[key] <= self._dates[1]
        return key != "symbol" or not chosen.symbols or self._may_be(known, folder)

    def _may_be(self, known: dict[str, str], folder: str) -> bool:
        """Whether the folder's instrument is one that was asked for, by its own or its unified name."""
        chosen, symbol = self._selection, known["symbol"]
        if chosen.wants_symbol(symbol):
            return True
        if not folder:
            return False
        if any(folder_value(name) == folder.rpartition("=")[2] for name in chosen.symbols):
            return True  # a name too long for a folder
        key = (known.get("exchange", ""), known.get("market", ""), symbol)
        if key not in self._is_wanted:
            self._is_wanted[key] = self._is_called(folder)
        return self._is_wanted[key]

    def _is_called(self, folder: str) -> bool:
        for path in self._some_file(folder):
            try:
                metadata = metadata_of(self._lake, path)
            except (LakeError, NotFoundError):
                continue  # the next one says it, too
            return self._selection.wants_symbol(
                str(metadata.get("unified", "")), str(metadata.get("native_symbol", ""))
            )
        return False

    def _some_file(self, folder: str) -> Iterator[str]:
        """Files below ``folder``, the newest day first, listed as they are asked for."""
        for name in reversed(self._lake.folders(folder)):
            yield from self._some_file(f"{folder}/{name}")
        for key, _ in _files_in(self._lake, folder) if "/date=" in folder else ():
            yield key


def _files_in(lake: Lake, folder: str) -> list[tuple[str, int]]:
    """(path, bytes) of the Parquet files in and below ``folder``.

    A day folder that is swapped for a compacted one while its names are read is read again: neither half of the old
    one, nor half of each. Where folders cannot be swapped, manifests hide what is not yet or not any more there.
    """
    while True:
        before, known = _which(lake, folder), manifest.state_of(lake, folder)
        found = [(entry.key, entry.bytes) for entry in lake.files(folder) if _is_data(entry.key[len(folder) + 1 :])]
        hidden = manifest.hidden_keys(lake, known)
        if before == _which(lake, folder) and known == manifest.state_of(lake, folder):
            return [(key, size) for key, size in found if key not in hidden]


def _which(lake: Lake, folder: str) -> tuple[int, int] | None:
    """Which folder of the disk it is; None in an object store, or if it is not there."""
    if lake.folder is None:
        return None
    try:
        known = (lake.folder / folder).stat()
    except FileNotFoundError:
        return None
    return known.st_ino, known.st_mtime_ns


def _is_data(path: str) -> bool:
    return path.endswith(".parquet") and not any(part.startswith(NEVER_DATA) for part in path.split("/"))


def _pair(name: str) -> tuple[str, str] | None:
    key, equals, value = name.partition("=")
    return (key, unquote(value)) if equals and not name.startswith(NEVER_DATA) else None


def _values_of(path: str) -> Values | None:
    """The folders of a path below a table; None if one of them is no ``key=value``."""
    pairs = [_pair(name) for name in path.split("/")[:-1]]
    found = tuple(pair for pair in pairs if pair is not None)
    return found if len(found) == len(pairs) else None
