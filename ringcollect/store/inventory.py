"""What a lake holds, counted from the files' footers: rows, span, first and last price, gaps and bytes per stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.records import Flag
from ringcollect.store import files, parquet
from ringcollect.store.files import LakeFile
from ringcollect.store.location import Lake
from ringcollect.store.selection import Selection

PRICES = {
    "trades": "price", "liquidations": "price", "mark_prices": "price", "index_prices": "price", "quotes": "bid_price",
    "tickers": "last", "features": "ob_mid_price", "bars": "close",
}  # fmt: skip
"""The column that is a type's price; a quote's is its bid."""
TIMES = ("ts_ns", "ts_close_ns", "ts_recv")
"""What a span is compared with: the first of them that a table has."""
Progress = Callable[[int, int], None]
_Key = tuple[str, str, str, str, str]


class Stock(msgspec.Struct, kw_only=True):
    """One type of one instrument (``step``: its grid or duration). Times in ns, 0 without a row.

    ``gaps`` are rows that say that something before them is missing (flag GAP), None where rows have no flags.
    ``bytes`` are those of whole files.
    """

    type: str
    step: str
    exchange: str
    market: str
    symbol: str
    files: int = 0
    rows: int = 0
    first_ns: int = 0
    last_ns: int = 0
    first_price: float | None = None
    last_price: float | None = None
    gaps: int | None = None
    bytes: int = 0


def inventory(lake: Lake, selection: Selection, progress: Progress = lambda done, total: None) -> list[Stock]:
    """Every type of every instrument of ``selection``, in the order of the folders.

    LakeError naming a file that is damaged. A day that is compacted meanwhile is counted anew, once.
    """
    listed = sorted(files.files(lake, selection), key=files.place)
    streams: dict[_Key, list[LakeFile]] = {}
    for file in listed:
        step = file.value("grid") or file.value("duration")
        key = (file.type, step, file.exchange, file.market, file.symbol)
        streams.setdefault(key, []).append(file)
    found, done = [], 0
    for key, members in streams.items():
        found.append(_counted(key, _stable(lake, members, selection)))
        done += len(members)
        progress(done, len(listed))
    return [stock for stock in found if stock.rows]


class _Part(msgspec.Struct, kw_only=True):
    """One file's rows within the span."""

    rows: int
    first_ns: int
    last_ns: int
    gaps: int | None
    prices: tuple[float | None, float | None]
    bytes: int


def _counted(key: _Key, parts: Sequence[_Part]) -> Stock:
    stock = Stock(type=key[0], step=key[1], exchange=key[2], market=key[3], symbol=key[4])
    parts = [part for part in parts if part.rows]
    if not parts:
        return stock
    stock.files, stock.bytes = len(parts), sum(part.bytes for part in parts)
    stock.rows = sum(part.rows for part in parts)
    stock.first_ns = min(part.first_ns for part in parts)
    stock.last_ns = max(part.last_ns for part in parts)
    known = [part.gaps for part in parts if part.gaps is not None]
    stock.gaps = sum(known) if known else None
    stock.first_price = next((part.prices[0] for part in parts if part.prices[0] is not None), None)
    stock.last_price = next((part.prices[1] for part in reversed(parts) if part.prices[1] is not None), None)
    return stock


def _stable(lake: Lake, members: Sequence[LakeFile], selection: Selection) -> list[_Part]:
    """The parts of a stream, day by day: a day whose files went away is listed and counted again."""
    parts: list[_Part] = []
    for folder in dict.fromkeys(files.folder_of(file) for file in members):
        listed = [file for file in members if files.folder_of(file) == folder]
        for attempt in range(4):
            try:
                own = [_part(lake, file, selection) for file in listed]
                break
            except NotFoundError:
                if attempt == 3:
                    raise
                listed = files.files_of_folder(lake, folder)
        parts += own
    return parts


def _part(lake: Lake, file: LakeFile, selection: Selection) -> _Part:
    opened = files.open_file(lake, file)
    try:
        return _read(opened, file, selection)
    except parquet.UNREADABLE as error:
        raise LakeError(f"{file.path}: cannot be read: {error}") from error
    finally:
        opened.close()


def _read(opened: pq.ParquetFile, file: LakeFile, selection: Selection) -> _Part:
    names = opened.schema_arrow.names
    time = next(name for name in TIMES if name in names)
    spans = [parquet.group_range(opened, group, time) for group in range(opened.metadata.num_row_groups)]
    start, end = selection.start_ns, selection.end_ns
    rows, first, last, gaps = 0, 2**63 - 1, 0, 0
    inside = [group for group, (low, high) in enumerate(spans) if high >= start and low < end]
    for group in inside:
        low, high = spans[group]
        if low >= start and high < end:
            rows += opened.metadata.row_group(group).num_rows
        else:
            times = opened.read_row_group(group, columns=[time])[time].to_numpy()
            times = times[(times >= start) & (times < end)]
            if not len(times):
                continue
            rows, low, high = rows + len(times), int(times.min()), int(times.max())
        first, last = min(first, low), max(last, high)
        if "flags" in names and parquet.group_range(opened, group, "flags")[1] >= int(Flag.GAP):
            gaps += _gaps(opened, group, time, selection)
    price = PRICES.get(file.table)
    prices: tuple[float | None, float | None] = (None, None)
    if price in names and rows:
        prices = (
            _price(opened, inside, time, str(price), selection, 0),
            _price(opened, inside[::-1], time, str(price), selection, -1),
        )
    return _Part(
        rows=rows, first_ns=first, last_ns=last, gaps=gaps if "flags" in names else None, prices=prices,
        bytes=file.bytes,
    )  # fmt: skip


def _gaps(opened: pq.ParquetFile, group: int, time: str, selection: Selection) -> int:
    table = opened.read_row_group(group, columns=[time, "flags"])
    marked = (table["flags"].to_numpy() & Flag.GAP) != 0
    times = table[time].to_numpy()
    return int(np.count_nonzero(marked & (times >= selection.start_ns) & (times < selection.end_ns)))


def _price(
    opened: pq.ParquetFile, groups: Sequence[int], time: str, name: str, selection: Selection, place: int
) -> float | None:
    """The first (``place`` 0) or last (−1) price that is a number."""
    for values in _prices(opened, groups, time, name, selection):
        if len(values):
            return float(values[place].as_py())
    return None


def _prices(
    opened: pq.ParquetFile, groups: Sequence[int], time: str, name: str, selection: Selection
) -> Iterator[pa.ChunkedArray]:
    for group in groups:
        table = opened.read_row_group(group, columns=[time, name])
        times = table[time]
        inside = pc.and_(pc.greater_equal(times, selection.start_ns), pc.less(times, selection.end_ns))
        yield table.filter(pc.and_(inside, pc.is_finite(table[name])))[name]
