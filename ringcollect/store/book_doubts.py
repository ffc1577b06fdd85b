"""What keeps a rebuilt book from being proven whole up to a moment.

The update behind the moment proves it: it names the last one applied. Without such an update, every position of the
ring up to the moment must be there, and nothing in the stream may say that the book was interrupted.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ringcollect.records import Channel, Status
from ringcollect.store import files, parquet
from ringcollect.store.book_replay import Batches, Replay
from ringcollect.store.coverage import Coverage
from ringcollect.store.files import Owner
from ringcollect.store.location import Lake
from ringcollect.store.naming import folder_value, utc
from ringcollect.store.scan_rows import Wanted, rows_of_folder
from ringcollect.store.schema import TABLES_BY_NAME
from ringcollect.store.selection import Selection

_OF_BOOK = frozenset(
    {
        Status.DISCONNECTED, Status.STALE, Status.SEQ_GAP, Status.RESYNC_BEGIN, Status.RESYNC_FAILED, Status.CLOSED,
    }
)  # fmt: skip
_OF_ALL = frozenset({Status.START, Status.STOP})
_COLUMNS = TABLES_BY_NAME["status"].columns
_NEEDED = ("generation", "seq", "ts_recv", "code", "channel")
_SCHEMA = parquet.arrow_schema([column for column in _COLUMNS if column.name in _NEEDED])


class Walked(NamedTuple):
    """How far the updates led: ``following`` begins behind the moment; ``unsynced`` is the last position of an UNSYNCED
    record up to it, −1 none."""

    replay: Replay
    generation: int
    following: Batches | None
    unsynced: int
    covered: Coverage


def doubts(lake: Lake, owner: Owner, walked: Walked, ts_ns: int) -> list[str]:
    """One sentence each; none: the book is whole."""
    replay, following = walked.replay, walked.following
    if replay.broken:
        return [replay.broken]
    if following is not None and len(following.starts) and replay.follows(following):
        return []
    found = []
    behind = replay.at.seq + 1
    if walked.unsynced >= behind:
        found.append(f"updates up to seq {walked.unsynced} are UNSYNCED: they belong to no book")
    stop = walked.covered.end_of(ts_ns) if following is None else int(following.rows["seq"][0])
    if stop is None:
        found.append(f"the lake's records of generation {walked.generation} end before {utc(ts_ns).isoformat()}")
        stop = max((segment.seq_to for segment in walked.covered.segments), default=behind)
    found += [f"records {a} to {b - 1} are not in the lake" for a, b in walked.covered.missing(behind, stop)]
    return found + _said(lake, owner, walked, (behind, stop), ts_ns)


def _said(lake: Lake, owner: Owner, walked: Walked, span: tuple[int, int], ts_ns: int) -> list[str]:
    """What status records of ``span`` up to the moment say about the book of the instrument, or the whole exchange."""
    exchange = f"exchange={folder_value(owner.exchange)}"
    whole = Owner(owner.exchange, "_exchange", "_exchange", f"{exchange}/market=_exchange/symbol=_exchange")
    wanted = Wanted(_SCHEMA, _COLUMNS, "seq", *span, {})
    days = Selection(start_ns=max(walked.replay.at.ts_recv, 0), end_ns=ts_ns + 1)
    names = []
    for whose, codes in ((owner, _OF_BOOK), (whole, _OF_ALL)):
        listed = files.files_of_owner(lake, whose, "raw", "status", days)
        for folder, members in groupby(listed, key=files.folder_of):
            again = partial(files.files_of_folder, lake, folder)
            for batch in rows_of_folder(lake, list(members), wanted, again):
                mine = np.asarray(batch["generation"]) == walked.generation
                mine &= np.asarray(batch["ts_recv"]) <= ts_ns
                names += _names(batch.filter(pa.array(mine)), codes)
    return [f"the stream says {name} of it" for name in dict.fromkeys(names)]


def _names(batch: pa.RecordBatch, codes: frozenset[Status]) -> list[str]:
    channels, numbers = batch["channel"].to_pylist(), batch["code"].to_pylist()
    return [
        Status(code).name
        for code, channel in zip(numbers, channels, strict=True)
        if code in codes and channel in (Channel.NONE, Channel.BOOK)
    ]
