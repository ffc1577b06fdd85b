"""The Parquet files of a lake as their folders name them: tier, table, whose, which day; opened only when asked.

Listing descends only into folders the selection may want, so that a day of one symbol of a year costs a few listings,
not one per file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import pyarrow.fs as pafs
import pyarrow.parquet as pq

from ringcollect.errors import LakeError
from ringcollect.store import parquet
from ringcollect.store.naming import TOKENS, folder_value
from ringcollect.store.selection import TIERS, Selection

NEVER_DATA = (".", "_")
"""How names begin that are no data to any reader: temporary files, folders being swapped."""


class LakeFile(NamedTuple):
    """One file, known from its path. ``values`` are its folders' (decoded), in their order; ``bytes`` its size."""

    path: str
    tier: str
    table: str
    values: tuple[tuple[str, str], ...]
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


def open_file(lake: Any, file: LakeFile | str) -> pq.ParquetFile:
    """The file, page checksums verified. LakeError naming it if it is none, FileNotFoundError if it has gone."""
    path = file if isinstance(file, str) else file.path
    place = f"{lake.root}/{path}"
    try:
        return parquet.open_file(lake.filesystem.open_input_file(place))
    except LakeError as error:
        raise LakeError(f"{path}: {error}") from error


def metadata_of(lake: Any, file: LakeFile | str) -> dict[str, Any]:
    """What the file says about itself (identity, schema, schema_version, native_symbol, unified, claims, …)."""
    path = file if isinstance(file, str) else file.path
    opened = open_file(lake, path)
    try:
        return parquet.metadata_of(opened)
    except LakeError as error:
        raise LakeError(f"{path}: {error}") from error
    finally:
        opened.close()


def files(lake: Any, selection: Selection | None = None, tiers: tuple[str, ...] = TIERS) -> Iterator[LakeFile]:
    """Every Parquet file of ``tiers`` that may hold rows of ``selection``, by path within each table.

    By folders alone, but for a symbol given by its unified name: then one file of each folder it might be is asked.
    """
    chosen = Selection() if selection is None else selection
    listing = _Listing(lake, chosen)
    for tier in tiers:
        tables = (tier,) if tier in TOKENS else tuple(TOKENS)
        present = {tier} if tier in TOKENS else listing.names(tier)
        for table in tables:
            if table in present and chosen.wants_table(tier, table):
                folder = table if tier == table else f"{tier}/{table}"
                yield from listing.below(folder, tier, table, ())


class _Listing:
    """One walk; what symbols are called is learnt once per instrument."""

    def __init__(self, lake: Any, selection: Selection) -> None:
        self._lake = lake
        self._selection = selection
        self._dates = selection.dates()
        self._is_wanted: dict[tuple[str, str, str], bool] = {}

    def names(self, folder: str) -> set[str]:
        """The folders in ``folder``."""
        return {info.base_name for info in self._infos(folder) if info.type == pafs.FileType.Directory}

    def below(self, folder: str, tier: str, table: str, values: tuple[tuple[str, str], ...]) -> Iterator[LakeFile]:
        infos = sorted(self._infos(folder), key=lambda info: str(info.base_name))
        for info in infos:
            name = str(info.base_name)
            if name.startswith(NEVER_DATA):
                continue
            if info.type == pafs.FileType.Directory:
                key, equals, value = name.partition("=")
                below = f"{folder}/{name}"
                deeper = (*values, (key, unquote(value)))
                if equals and self._may_have(key, deeper, below):
                    yield from self.below(below, tier, table, deeper)
            elif name.endswith(".parquet"):
                yield LakeFile(f"{folder}/{name}", tier, table, values, int(info.size or 0))

    def _infos(self, folder: str) -> list[Any]:
        selector = pafs.FileSelector(f"{self._lake.root}/{folder}", allow_not_found=True)
        return list(self._lake.filesystem.get_file_info(selector))

    def _may_have(self, key: str, values: tuple[tuple[str, str], ...], folder: str) -> bool:
        chosen, known = self._selection, dict(values)
        if key == "exchange":
            return not chosen.exchanges or known[key] in chosen.exchanges
        if key == "market":
            return not chosen.markets or known[key] in chosen.markets
        if key == "symbol":
            return self._may_be(known, folder)
        if key == "date":
            return self._dates[0] <= known[key] <= self._dates[1]
        return True

    def _may_be(self, known: dict[str, str], folder: str) -> bool:
        """Whether the folder's instrument is one that was asked for, by its own or its unified name."""
        chosen, symbol = self._selection, known["symbol"]
        if chosen.wants_symbol(symbol):
            return True
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
            except (LakeError, FileNotFoundError):
                continue  # the next one says it, too
            return self._selection.wants_symbol(
                str(metadata.get("unified", "")), str(metadata.get("native_symbol", ""))
            )
        return False

    def _some_file(self, folder: str) -> Iterator[str]:
        """Files in or below ``folder``, one after another as they are asked for."""
        for info in self._infos(folder):
            name = str(info.base_name)
            if name.startswith(NEVER_DATA):
                continue
            if info.type == pafs.FileType.Directory:
                yield from self._some_file(f"{folder}/{name}")
            elif name.endswith(".parquet"):
                yield f"{folder}/{name}"
