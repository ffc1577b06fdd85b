"""Spans of time with a cause, and what is left of them within a day."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Window(msgspec.Struct, omit_defaults=True):
    """``[from_ns, to_ns)`` since the epoch, UTC. ``to_ns`` None: it lasts."""

    from_ns: int
    to_ns: int | None
    cause: str

    def within(self, start_ns: int, end_ns: int) -> Window | None:
        """The part inside ``[start_ns, end_ns)``; None if there is none. A window of no length keeps its place."""
        first = max(self.from_ns, start_ns)
        last = end_ns if self.to_ns is None else min(self.to_ns, end_ns)
        if last < first or first >= end_ns:
            return None
        if last == first and self.to_ns != self.from_ns:
            return None
        return Window(first, last, self.cause)


def clip(windows: Iterable[Window], start_ns: int, end_ns: int, *, moments: bool = False) -> list[Window]:
    """Every window's part inside ``[start_ns, end_ns)``, in order of time; those of no length only with ``moments``."""
    inside = (window.within(start_ns, end_ns) for window in windows)
    kept = (w for w in inside if w is not None and (moments or w.to_ns != w.from_ns))
    return sorted(kept, key=lambda w: (w.from_ns, w.to_ns or end_ns))


def total_ns(windows: Iterable[Window]) -> int:
    """Time that at least one of the (clipped) windows covers: overlaps count once."""
    total, reached = 0, 0
    for window in sorted(windows, key=lambda w: w.from_ns):
        end = window.from_ns if window.to_ns is None else window.to_ns
        total += max(0, end - max(window.from_ns, reached))
        reached = max(reached, end)
    return total
