"""One instrument's book between snapshot and deltas. Pure: what to publish is decided here, nothing is published.

Without a base, deltas are held (they are also published, UNSYNCED). A snapshot bridges when no update between it and
the first held delta that is newer is missing; the deltas up to it are dropped, those after it follow it. A snapshot
newer than everything held is a base too: the first delta to come is then tested against it by the same rule.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ringcollect.exchanges.protocol import Verdict

HELD_RECORDS = 10_000

Rule = Callable[[int, int, int, int], Verdict]
"""``rule(known_id, first_id, last_id, prev_id)``: does an event follow what is known?"""


class Phase(enum.IntEnum):
    """Where the book stands."""

    VOID = 0  # no base; deltas are held
    BASED = 1  # a snapshot is the base, no delta has followed it yet
    LIVE = 2  # deltas follow one another


@dataclass(frozen=True, slots=True)
class Held:
    """One delta frame waiting for a snapshot; ``batch`` is ours (a copy)."""

    first_id: int
    last_id: int
    prev_id: int
    batch: np.ndarray


@dataclass(slots=True)
class Bridge:
    """State of one book. ``accept`` tests a delta against a delta, ``join`` a delta against a snapshot."""

    accept: Rule
    join: Rule
    bound: int = HELD_RECORDS
    numbered: bool = True  # by the venue; else by the feed: ``last_id`` counts the frames of the book
    phase: Phase = Phase.VOID
    last_id: int = 0  # of the last accepted batch, snapshot or delta
    held: list[Held] = field(default_factory=list)
    held_records: int = 0
    forgotten_id: int = -1  # newest delta dropped from the held ones: an older snapshot cannot bridge
    void_ids: dict[int, int] = field(default_factory=dict)  # ids that came since there is no base, and by whom first
    void_conn: int = -1  # without ids: whom those deltas came by

    def delta(self, first_id: int, last_id: int, prev_id: int) -> Verdict:
        """Test a delta against the base; on FITS it is accepted. Only with a base (phase not VOID)."""
        rule = self.join if self.phase is Phase.BASED else self.accept
        verdict = rule(self.last_id, first_id, last_id, prev_id) if self.numbered else Verdict.FITS
        if verdict is Verdict.FITS:
            self.phase = Phase.LIVE
            self.last_id = last_id
        return verdict

    def overlap(self, first_id: int, last_id: int, prev_id: int) -> Verdict:
        """Test a delta from another connection than the last one's, which may cut the updates differently.

        Sizes are absolute, so an event that begins at or before what is known and ends after it leaves nothing out.
        """
        if prev_id == self.last_id and last_id != prev_id:
            self.last_id = last_id  # also where the venue begins to count anew (OKX after maintenance)
            return Verdict.FITS
        if last_id <= self.last_id:
            return Verdict.STALE
        claimed = prev_id if prev_id >= 0 else first_id - 1
        if claimed > self.last_id:
            return Verdict.GAP
        self.last_id = last_id
        return Verdict.FITS

    def seen_elsewhere(self, last_id: int, conn: int) -> bool:
        """Without a base: whether the delta ``last_id`` of ``conn`` is another connection's again. Now it is seen."""
        if not self.numbered:
            if self.void_conn < 0:
                self.void_conn = conn
            return self.void_conn != conn
        if len(self.void_ids) >= self.bound:
            self.void_ids.clear()
        return self.void_ids.setdefault(last_id, conn) != conn

    def forget_conn(self, conn: int) -> None:
        """``conn`` is over: without ids another one is followed."""
        if self.void_conn == conn:
            self.void_conn = -1

    def void(self) -> None:
        """The base is worth nothing any more; what was held goes too."""
        self.phase = Phase.VOID
        self.void_ids, self.void_conn = {}, -1
        self._forget()
        self.forgotten_id = -1

    def hold(self, delta: Held) -> bool:
        """Keep ``delta`` for the next snapshot; False if the bound was passed and everything held was dropped."""
        self.held.append(delta)
        self.held_records += len(delta.batch)
        if self.held_records <= self.bound:
            return True
        self.forgotten_id = max(self.forgotten_id, max(h.last_id for h in self.held))
        self._forget()
        return False

    def snapshot(self, snapshot_id: int) -> list[Held] | None:
        """Take the snapshot as base; returns the held deltas that follow it, or None if it is too old to bridge.

        Held deltas are taken in the order of their ids (a venue that swaps two frames must not cost a snapshot), but
        a hole among them ends what follows: the rest is not applicable, so the snapshot does not bridge.
        """
        if snapshot_id < self.forgotten_id:
            return None
        follow: list[Held] = []
        known, rule = snapshot_id, self.join
        for delta in sorted(self.held, key=lambda h: (h.last_id, h.first_id)):
            verdict = rule(known, delta.first_id, delta.last_id, delta.prev_id)
            if verdict is Verdict.GAP:
                return None
            if verdict is Verdict.FITS:
                follow.append(delta)
                known, rule = delta.last_id, self.accept
        self.phase = Phase.LIVE if follow else Phase.BASED
        self.last_id = known
        self.void_ids, self.void_conn = {}, -1
        self._forget()
        self.forgotten_id = -1
        return follow

    def _forget(self) -> None:
        self.held = []
        self.held_records = 0
