"""A histogram of delays with a bounded error and size, for percentiles of any number of rows."""

from __future__ import annotations

import numpy as np

PER_OCTAVE = 64
_FIRST_NS = 1_000
_OCTAVES = 30  # up to 18 minutes
BUCKETS = _OCTAVES * PER_OCTAVE + 1
RELATIVE_ERROR = 2 ** (1 / PER_OCTAVE) - 1
"""A percentile is at most this much above the true one (1.1 %), for delays from 1 us to 18 min."""


class Delays:
    """Delays in ns; ``negative`` counts rows that were received before they happened: one of two clocks is wrong."""

    def __init__(self) -> None:
        self.counts = np.zeros(BUCKETS, np.int64)
        self.negative = 0
        self.low_ns: int | None = None
        self.high_ns: int | None = None

    def add(self, delays: np.ndarray) -> None:
        """Count ``delays`` (int64 ns)."""
        if not len(delays):
            return
        low, high = int(delays.min()), int(delays.max())
        self.low_ns = low if self.low_ns is None else min(low, self.low_ns)
        self.high_ns = high if self.high_ns is None else max(high, self.high_ns)
        self.negative += int(np.count_nonzero(delays < 0))
        places = np.ceil(np.log2(np.maximum(delays, _FIRST_NS) / _FIRST_NS) * PER_OCTAVE).astype(np.int64)
        self.counts += np.bincount(np.minimum(places, BUCKETS - 1), minlength=BUCKETS)

    def merge(self, other: Delays) -> None:
        """Add what ``other`` counted."""
        self.counts += other.counts
        self.negative += other.negative
        lows = [x for x in (self.low_ns, other.low_ns) if x is not None]
        highs = [x for x in (self.high_ns, other.high_ns) if x is not None]
        self.low_ns, self.high_ns = min(lows, default=None), max(highs, default=None)

    def percentile(self, share: float) -> int | None:
        """The smallest bucket's upper edge that ``share`` (0 to 1) of the rows do not exceed, ns; None without rows."""
        total = int(self.counts.sum())
        if not total or self.low_ns is None or self.high_ns is None:
            return None
        rank = max(1, int(np.ceil(share * total)))
        if rank <= self.negative:
            return self.low_ns
        place = int(np.searchsorted(np.cumsum(self.counts), rank))
        edge = round(_FIRST_NS * 2 ** (place / PER_OCTAVE))
        return max(self.low_ns, min(edge, self.high_ns))
