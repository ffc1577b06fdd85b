"""READY, DEGRADED, OFFLINE or ERROR, and why. The first rule that applies decides; every reason clears again.

1. ERROR: the writer is down or says so (disk full, read-only), or a ring cannot be read, or archiving has failed for
   15 minutes.
2. OFFLINE: no subscription of any feed has data.
3. DEGRADED: a process is down; a ring is 80 % full for one of our own readers; one of them lost records, or frames
   were rejected, in the last 15 minutes; 10 gaps came in the last minute; a subscription is stale or failed; a
   configured symbol is not one of the exchange's; the last attempt to archive failed.
4. READY.
"""

from __future__ import annotations

import enum

import msgspec

FILL_LIMIT = 0.8
GAPS_PER_MINUTE_LIMIT = 10
ARCHIVE_FAILING_LIMIT_S = 900.0


def is_own(consumer: str) -> bool:
    """Whether this reader's losses are losses of the collector; a stopped notebook harms only itself.

    ``sync`` has the rows of ``[sync]``, ``sync.<grid>`` those of another grid.
    """
    return consumer in ("sync", "journal") or consumer.startswith("sync.")


class State(enum.StrEnum):
    """How the collector is; the value is what people read."""

    READY = "READY"
    DEGRADED = "DEGRADED"
    OFFLINE = "OFFLINE"
    ERROR = "ERROR"

    @property
    def exit_code(self) -> int:
        """Of ``status --check``."""
        return {"READY": 0, "DEGRADED": 1, "OFFLINE": 2, "ERROR": 3}[self.value]


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """What the state is derived from."""

    writer_running: bool
    writer_error: str = ""
    unreadable_rings: tuple[str, ...] = ()
    flowing: int = 0
    subscriptions: int = 0
    broken: int = 0
    down: tuple[str, ...] = ()
    fullest: float = 0.0
    fullest_where: str = ""
    lost_15m: int = 0
    rejected_15m: int = 0
    gaps_1m: int = 0
    problems: tuple[str, ...] = ()
    archive_failing: tuple[str, float] | None = None
    """(reason, seconds since it began)"""


def derive(signs: Signs) -> tuple[State, str]:
    """(state, reason); the reason of READY is empty."""
    error = _error(signs)
    if error:
        return State.ERROR, error
    if signs.flowing == 0:
        if signs.subscriptions == 0:
            return State.OFFLINE, "no feed has subscribed to anything yet"
        return State.OFFLINE, f"none of {signs.subscriptions} subscriptions has data"
    reasons = _degradations(signs)
    return (State.DEGRADED, "; ".join(reasons)) if reasons else (State.READY, "")


def _error(signs: Signs) -> str:
    if not signs.writer_running:
        return "the journal process is down"
    if signs.writer_error:
        return f"the writer cannot write: {signs.writer_error}"
    if signs.unreadable_rings:
        return f"unreadable: {', '.join(signs.unreadable_rings)}"
    if signs.archive_failing is not None and signs.archive_failing[1] >= ARCHIVE_FAILING_LIMIT_S:
        reason, seconds = signs.archive_failing
        return f"archiving has failed for {seconds / 60:.0f} minutes: {reason}"
    return ""


def _degradations(signs: Signs) -> list[str]:
    reasons = []
    if signs.down:
        reasons.append(f"down: {', '.join(signs.down)}")
    if signs.fullest >= FILL_LIMIT:
        reasons.append(f"{signs.fullest_where} is {signs.fullest:.0%} full")
    if signs.lost_15m:
        reasons.append(f"{signs.lost_15m} records lost in the last 15 minutes")
    if signs.rejected_15m:
        reasons.append(f"{signs.rejected_15m} frames rejected in the last 15 minutes")
    if signs.gaps_1m >= GAPS_PER_MINUTE_LIMIT:
        reasons.append(f"{signs.gaps_1m} gaps in the last minute")
    if signs.broken:
        reasons.append(f"{signs.broken} of {signs.subscriptions} subscriptions stale or failed")
    if signs.archive_failing is not None:
        reasons.append(f"archive: {signs.archive_failing[0]}")
    if signs.problems:
        more = f" (and {len(signs.problems) - 1} more)" if len(signs.problems) > 1 else ""
        reasons.append(signs.problems[0] + more)
    return reasons
