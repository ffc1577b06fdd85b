"""Deltas that one connection brought although something before them is missing, which another one may still bring.

First arrival wins, so two connections of ours interleave: one runs ahead, one loses a frame that the other has. What
is ahead is kept until the hole is filled, then it follows at once; when nobody fills it in time, it was a gap.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ringcollect.exchanges.protocol import Batch


@dataclass(slots=True)
class Ahead:
    """The kept frames of one book, at most ``bound`` records."""

    bound: int
    frames: list[tuple[Batch, int]] = field(default_factory=list)  # with the connection each came by
    records: int = 0

    def may_wait(self, carriers: tuple[int, ...], conn: int) -> bool:
        """Whether a connection other than ``conn`` and those that are ahead too may still fill the hole."""
        ahead = {conn, *(by for _, by in self.frames)}
        return self.records < self.bound and any(carrier not in ahead for carrier in carriers)

    def keep(self, frame: Batch, conn: int) -> None:
        """Keep ``frame``; its records are ours from now on."""
        self.frames.append((frame, conn))
        self.records += len(frame.records)

    def take(self) -> list[tuple[Batch, int]]:
        """Everything kept, in the order of the ids; nothing is kept afterwards."""
        frames = sorted(self.frames, key=lambda kept: kept[0].last_id)
        self.frames, self.records = [], 0
        return frames

    def forget(self, conn: int) -> None:
        """What ``conn`` brought is of a numbering that is over."""
        self.frames = [kept for kept in self.frames if kept[1] != conn]
        self.records = sum(len(frame.records) for frame, _ in self.frames)
