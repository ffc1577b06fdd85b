"""``ringcollect.snapshots``: market snapshots out of a lake or a ring, one per grid row and instrument."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator

from ringcollect.durations import format_duration, parse_duration
from ringcollect.errors import ConfigError, NotFoundError
from ringcollect.ring.attach import Reader, attach
from ringcollect.store.location import Lake
from ringcollect.store.market_snapshot import MarketSnapshot
from ringcollect.store.selection import FOREVER, Time, nanoseconds
from ringcollect.store.snapshot_assembly import Assembler
from ringcollect.store.snapshot_files import Choice, rings_in, snapshots_of_ring
from ringcollect.sync.snapshot_record import SNAPSHOT


def snapshots(
    data: str | os.PathLike[str] | Lake | Reader,
    *,
    exchange: str | None = None,
    market: str | None = None,
    symbol: str | None = None,
    grid: str | None = None,
    start: Time | None = None,
    end: Time | None = None,
    follow: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[MarketSnapshot]:
    """Market snapshots with ``start <= ts_ns < end``; ``.aggregate`` of each is its MarketAggregate.

    ``data`` is a lake (a folder or ``s3://bucket/prefix``), a ``.sync`` ring by name or path
    (``"binance.100ms.sync"``), or a Reader of one. Of a ring what is still in it is given, with ``follow`` also what
    comes, until ``stop()`` or its end; rows of which records were lost are left out, a Reader's ``lost_total`` says how
    many. In a lake ``grid`` names one of several.
    Snapshots of one instrument are in the order of time; of several, nearly.

    Raises NotFoundError where there is nothing, ConfigError for a choice that cannot be, LakeError for a damaged file.
    """
    choice = Choice(
        exchange=exchange,
        market=market,
        symbol=symbol,
        start_ns=nanoseconds(start, "start", 0),
        end_ns=nanoseconds(end, "end", FOREVER),
    )
    if isinstance(data, Reader) or (not isinstance(data, Lake) and str(data).endswith((".sync", ".ring"))):
        reader = data if isinstance(data, Reader) else attach(data)
        if reader.dtype != SNAPSHOT:
            raise ConfigError(f"{reader.name} is no ring of snapshots (as binance.100ms.sync)")
        return _from_ring(reader, choice, follow=follow, stop=stop)
    if follow:
        raise ConfigError("follow: a lake does not grow record by record; give a ring, as binance.100ms.sync")
    lake = data if isinstance(data, Lake) else Lake.open(os.fspath(data))
    return _from_lake(lake, choice, None if grid is None else format_duration(parse_duration(grid)))


def _from_lake(data: Lake, choice: Choice, grid: str | None) -> Iterator[MarketSnapshot]:
    rings = rings_in(data, choice)
    grids = sorted({ring.grid for ring in rings})
    if grid is not None:
        rings = [ring for ring in rings if ring.grid == grid]
    elif len(grids) > 1:
        raise ConfigError(f"grid: {data} has snapshots on the grids {', '.join(grids)}; name one")
    if not rings:
        on = f" on the grid {grid}" if grid else ""
        raise NotFoundError(f"{data} has no snapshots of what is asked for{on}; [sync.output] turns them on")
    return heapq.merge(*(snapshots_of_ring(ring, choice) for ring in rings), key=lambda one: one.ts_ns)


def _from_ring(reader: Reader, choice: Choice, *, follow: bool, stop: Callable[[], bool]) -> Iterator[MarketSnapshot]:
    assembler = Assembler(reader.instrument, whole=reader.cursor == 0)
    for read in reader.follow(stop=stop) if follow else iter(reader.read, None):
        if read.lost[0] != read.lost[1]:
            assembler.torn()
        yield from filter(choice.wants, assembler.take(read.records))
        if not follow and not len(read.records) and read.lost[0] == read.lost[1]:
            return
