"""What an exchange allows per IP and window: REST weight per minute, connection attempts per five minutes.

``Window`` is pure. It counts in fixed windows of the venue's length, aligned to the epoch like the venue's own, and
keeps to ``share`` of the limit, because other programs on the same address spend from it too.
"""

from __future__ import annotations


class Window:
    """Spend at most ``limit`` units per ``length_ns``; ``block_until`` closes it (Retry-After, a ban)."""

    def __init__(self, limit: int, length_ns: int) -> None:
        self.limit = max(1, limit)
        self.length_ns = length_ns
        self.used = 0
        self.blocked_until = 0
        self._window = 0

    def wait_ns(self, now_ns: int, units: int) -> int:
        """0 and the units are spent, or how long to wait before asking again (nothing is spent)."""
        if now_ns < self.blocked_until:
            return self.blocked_until - now_ns
        self._turn(now_ns)
        if self.used and self.used + units > self.limit:
            return (self._window + 1) * self.length_ns - now_ns
        self.used += units
        return 0

    def block_until(self, until_ns: int) -> None:
        """Nothing before ``until_ns``; a later block wins."""
        self.blocked_until = max(self.blocked_until, until_ns)

    def observe(self, now_ns: int, used: int) -> None:
        """The venue says ``used`` units of this window are spent (by anyone on this address)."""
        self._turn(now_ns)
        self.used = max(self.used, used)

    def shift(self, step_ns: int) -> None:
        """The wall clock was set by ``step_ns``."""
        if self.blocked_until:
            self.blocked_until += step_ns

    def _turn(self, now_ns: int) -> None:
        window = now_ns // self.length_ns
        if window != self._window:
            self._window, self.used = window, 0


_BLOCKED = (418, 429)
_FORBIDDEN = 403


def pause_ns(status: int, headers: dict[str, str], fallback_ns: int, forbidden_ns: int) -> int:
    """How long an answer of this status asks everybody on this address to stay away; 0: it does not.

    ``forbidden_ns``: what 403 means where it means that too much was asked for (0: it does not).
    """
    if status in _BLOCKED:
        return retry_after_ns(status, headers, fallback_ns)
    return forbidden_ns if status == _FORBIDDEN else 0


def retry_after_ns(status: int, headers: dict[str, str], fallback_ns: int) -> int:
    """How long a 418/429/503 answer asks to stay away: ``Retry-After`` in whole seconds, else ``fallback_ns``.

    The HTTP-date form is not used by any exchange known to us and counts as missing; a ban (418) without the header
    is taken as two minutes, the shortest the venues document.
    """
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return int(text) * 1_000_000_000
    return max(fallback_ns, 120_000_000_000) if status == 418 else fallback_ns
