"""Where a segment ends: a pure function of the records, never of reads, flushes or compressed bytes.

A segment ends before the first record that begins a new batch and finds the segment old (stream time), full (rows
or bytes) or of another UTC day. Stream time is the largest receive time (row rings: grid time) seen in the ring.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ringcollect.store.naming import DAY_NS


@dataclass(frozen=True)
class Policy:
    """When a segment ends. ``bytes`` bounds the sealer's memory for wide rows and recorded frames."""

    time_ns: int = 900_000_000_000
    records: int = 1_000_000
    bytes: int = 128 << 20


@dataclass
class Segment:
    """What the rule needs to know of the records so far."""

    stream_ns: int = 0  # running maximum over the whole ring, 0 before its first record
    open_batch: bool = False  # the last record was not the last of its batch
    rows: int = 0
    bytes: int = 0
    first_ns: int = 0  # stream time of the segment's first record

    def next(self) -> Segment:
        """The state at the start of the following segment."""
        return Segment(self.stream_ns, self.open_batch)

    def after_loss(self) -> None:
        """Records are missing here: whatever comes next begins a batch."""
        self.open_batch = False


def cut(segment: Segment, policy: Policy, times: np.ndarray, last: np.ndarray, sizes: np.ndarray) -> int:
    """Take records into ``segment`` up to its end; returns how many of them belong to it.

    times: int64 ns per record; last: bool, the record closes its batch; sizes: int64 bytes per record.
    """
    n = len(times)
    if n == 0:
        return 0
    stream = np.maximum(np.maximum.accumulate(times), segment.stream_ns)
    first = segment.first_ns if segment.rows else int(stream[0])
    rows_before = segment.rows + np.arange(n)
    bytes_before = segment.bytes + np.cumsum(sizes) - sizes
    due = (
        (stream - first >= policy.time_ns)
        | (rows_before >= policy.records)
        | (bytes_before >= policy.bytes)
        | (stream // DAY_NS != first // DAY_NS)
    )
    begins = np.empty(n, bool)
    begins[0] = not segment.open_batch
    begins[1:] = last[:-1]
    ends = np.flatnonzero(due & begins & (rows_before > 0))
    taken = int(ends[0]) if len(ends) else n
    add(segment, times[:taken], last[:taken], sizes[:taken])
    return taken


def add(segment: Segment, times: np.ndarray, last: np.ndarray, sizes: np.ndarray) -> None:
    """Count records that are in the segment, whatever the policy says (a journal taken up again)."""
    if not len(times):
        return
    if not segment.rows:
        segment.first_ns = max(segment.stream_ns, int(times[0]))
    segment.stream_ns = max(segment.stream_ns, int(times.max()))
    segment.open_batch = not bool(last[-1])
    segment.rows += len(times)
    segment.bytes += int(sizes.sum())
