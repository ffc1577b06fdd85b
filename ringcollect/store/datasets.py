"""``ringcollect.datasets``: what there is to be scanned in a lake, told by its folders alone."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from ringcollect.store import files
from ringcollect.store.files import LakeFile
from ringcollect.store.location import Lake
from ringcollect.store.scan import Names, Scan, as_names, scan
from ringcollect.store.selection import TIERS, Time, select


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """One type of one instrument. ``mode``, ``grid`` and ``duration`` are as for ``scan``; ``days`` are UTC dates that
    have files, in order."""

    lake: Lake
    type: str
    mode: str
    exchange: str
    market: str
    symbol: str
    grid: str
    duration: str
    days: tuple[str, ...]
    files: int
    bytes: int

    def scan(self, **more: Any) -> Scan:
        """Its rows; ``more`` are ``start``, ``end`` and ``columns`` of ``ringcollect.scan``."""
        is_alone = self.mode == self.type
        return scan(
            self.lake, self.type, mode=None if is_alone else self.mode, exchange=self.exchange,
            market=self.market or None, symbol=self.symbol or None, grid=self.grid or None,
            duration=self.duration or None, **more,
        )  # fmt: skip


def datasets(
    data: str | os.PathLike[str] | Lake,
    type: Names = None,
    *,
    exchange: Names = None,
    market: Names = None,
    symbol: Names = None,
    start: Time | None = None,
    end: Time | None = None,
) -> list[Dataset]:
    """Everything in the lake ``data`` (a folder or ``s3://bucket/prefix``) that is asked for, by mode, type and owner.

    No file is opened, so rows are not counted: ``ringcollect stats`` does that. ``type`` may be of one mode only, as
    ``"sync/trades"``; of the span whole days are chosen.
    """
    lake = data if isinstance(data, Lake) else Lake.open(os.fspath(data))
    selection = select(
        types=as_names(type), exchanges=as_names(exchange), markets=as_names(market), symbols=as_names(symbol),
        start=start, end=end,
    )  # fmt: skip
    found: dict[tuple[str, ...], list[LakeFile]] = {}
    for file in files.files(lake, selection):
        owner = (file.exchange, file.market, file.symbol)
        found.setdefault((file.tier, file.table, *owner, file.value("grid"), file.value("duration")), []).append(file)
    return [_dataset(lake, key, members) for key, members in sorted(found.items(), key=_order)]


def _order(item: tuple[tuple[str, ...], list[LakeFile]]) -> tuple[int, tuple[str, ...]]:
    key = item[0]
    return TIERS.index(key[0]), key


def _dataset(lake: Lake, key: tuple[str, ...], members: list[LakeFile]) -> Dataset:
    mode, table, exchange, market, symbol, grid, duration = key
    return Dataset(
        lake=lake, type=table, mode=mode, exchange=exchange, market=market, symbol=symbol, grid=grid,
        duration=duration, days=tuple(sorted({file.date for file in members})), files=len(members),
        bytes=sum(file.bytes for file in members),
    )  # fmt: skip
