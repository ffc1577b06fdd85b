"""From the nearest whole book before a moment along the updates to that moment."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from ringcollect.errors import LakeError
from ringcollect.records import Flag
from ringcollect.store import book_bases, files
from ringcollect.store.book_bases import Base
from ringcollect.store.book_doubts import Walked, doubts
from ringcollect.store.book_replay import Batches, Replay, divide, is_applicable, no_rows
from ringcollect.store.book_rows import book_rows
from ringcollect.store.coverage import Coverage, coverage
from ringcollect.store.files import LakeFile, Owner
from ringcollect.store.location import Lake
from ringcollect.store.naming import DAY_NS
from ringcollect.store.selection import FOREVER, Selection

Found = tuple[Replay, tuple[str, ...]]


class _Files(NamedTuple):
    raw: list[LakeFile]
    rest: list[LakeFile]
    books: list[LakeFile]

    @property
    def updates(self) -> tuple[list[LakeFile], list[LakeFile]]:
        """Of the record ring."""
        return self.raw, self.rest


class Search:
    """The book ``sub`` of ``owner`` at ``ts_ns``. Every method raises NotFoundError if a file goes away meanwhile."""

    def __init__(self, lake: Lake, owner: Owner, ts_ns: int, sub: int) -> None:
        self._lake, self._owner, self._ts_ns, self._sub = lake, owner, ts_ns, sub

    def book(self, *, use_derived: bool) -> Found | None:
        """The book and what is doubtful about it; None if none begins before. From the nearest base.

        From the one before it, the venue's own, if the nearest is DERIVED and does not lead to a whole book.
        """
        for days in (1, 0):  # near the moment first: listing a year costs more than reading an hour
            found = self._files(self._ts_ns - days * DAY_NS if days else 0)
            clear = self._clear(found)
            derived = None
            if use_derived:
                after = -1 if clear is None else clear.ts_recv
                derived = book_bases.last_clear(self._lake, found.books, self._ts_ns, 0, after)
            if derived is not None:
                begun = self._from_derived(found, derived)
                if clear is None or not begun[1]:
                    return begun
            if clear is not None:
                return self._walk(found, clear, None)
        return None

    def _files(self, start_ns: int) -> _Files:
        end = min(self._ts_ns + 1, FOREVER)
        selection = Selection(start_ns=max(start_ns, 0), end_ns=end)  # its days include one more behind the moment
        return _Files(
            *(
                files.files_of_owner(self._lake, self._owner, tier, table, selection)
                for tier, table in (("raw", "orderbooks"), ("rest", "orderbooks"), ("sync", "books"))
            )
        )

    def _clear(self, found: _Files) -> Base | None:
        """The venue's last snapshot. REST first: where they come from there, none is live, however far one looks."""
        nearest = None
        for listed in (found.rest, found.raw):
            after = -1 if nearest is None else nearest.ts_recv
            nearest = book_bases.last_clear(self._lake, listed, self._ts_ns, self._sub, after) or nearest
        return nearest

    def _from_derived(self, found: _Files, base: Base) -> Found:
        """Its updates are those received from its stamp on, in a ring with other positions than its own."""
        firsts = [book_bases.first_at(self._lake, listed, base.ts_recv) for listed in found.updates]
        begins = [(first.generation, first.seq) for first in firsts if first is not None]
        generation, seq = min(begins, default=(self._last_generation(found), 0))
        whole = book_bases.whole_book(self._lake, found.books, base)
        return self._walk(found, Base(base.ts_recv, generation, seq, base.date), whole)

    def _walk(self, found: _Files, begin: Base, whole: np.ndarray | None) -> Found:
        listed = [[file for file in one if file.date >= begin.date] for one in found.updates]
        last_day = max((file.date for one in listed for file in one), default=begin.date)
        ring = f"{self._owner.exchange}.rec"
        covered = coverage(self._lake, self._owner.exchange, ring, begin.generation, (begin.date, last_day), begin.seq)
        lost_ends = covered.lost_ends()
        replay = Replay(partial(self._depth, found, covered))
        if whole is not None:
            replay.begin(whole, begin.seq)
        unsynced, following = -1, None
        for stretch in self._stretches(listed, begin):
            unsynced = max(unsynced, stretch.unsynced)
            batches = _behind(replay, stretch.batches, begin.ts_recv)
            late = np.flatnonzero(batches.first("ts_recv") > self._ts_ns)
            until = int(late[0]) if len(late) else len(batches.starts)
            replay.take(batches.part(0, until), lost_ends)
            if len(late):
                following = batches.part(until, len(batches.starts))
                break
        walked = Walked(replay, begin.generation, following, unsynced, covered)
        return replay, tuple(doubts(self._lake, self._owner, walked, self._ts_ns))

    def _stretches(self, listed: list[list[LakeFile]], begin: Base) -> Iterator[_Stretch]:
        pending = no_rows()
        for rows in book_rows(self._lake, listed, begin.generation, begin.seq):
            mine = rows[rows["sub"] == self._sub]
            nobodys = ((mine["flags"] & Flag.UNSYNCED) != 0) & (mine["ts_recv"] <= self._ts_ns)
            batches, pending = divide(np.concatenate([pending, mine[is_applicable(mine)]]), is_end=False)
            yield _Stretch(batches, int(mine["seq"][nobodys].max()) if nobodys.any() else -1)
        yield _Stretch(divide(pending, is_end=True)[0], -1)

    def _depth(self, found: _Files, covered: Coverage, ts_ns: int) -> int:
        """As certificates say of that time; without them, as the nearest file."""
        known = covered.book_depth(self._owner.market, self._owner.symbol, ts_ns)
        if known is not None:
            return known
        listed = [one for one in found if one]
        return int(files.metadata_of(self._lake, listed[0][-1]).get("book_depth", 0))

    def _last_generation(self, found: _Files) -> int:
        named = [one[-1] for one in found.updates if one]
        if not named:
            return -1
        identities = [files.metadata_of(self._lake, file).get("identity") or {} for file in named]
        try:
            return max(int(identity["generation"]) for identity in identities)
        except KeyError as error:
            raise LakeError(f"{named[0].path}: says not of which generation it is") from error


class _Stretch(NamedTuple):
    """Consecutive batches, and the position of the last UNSYNCED record up to the moment among or between them."""

    batches: Batches
    unsynced: int


def _behind(replay: Replay, batches: Batches, stamp_ns: int) -> Batches:
    """Without the batches that a DERIVED book has already: received in the nanosecond of its stamp, and not next."""
    if not replay.is_derived or replay.batches or not len(batches.starts):
        return batches
    goes_on = (batches.first("aux") == replay.last_id) | ((batches.first("flags") & Flag.CLEAR) != 0)
    goes_on |= batches.first("ts_recv") != stamp_ns
    first = int(np.argmax(goes_on)) if goes_on.any() else len(batches.starts)
    return batches.part(first, len(batches.starts))
