"""Books: continuity, gaps, snapshots and the chain. What it publishes is the promise of design page section 6.

Whoever applies records in ring order, skips UNSYNCED and honours CLEAR has the exchange's book. ``aux`` of an applied
batch is the id of the batch applied before it (-1 in a snapshot); ``aux`` of an UNSYNCED one is what the venue says
precedes it, kept for the record.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable

import numpy as np

from ringcollect.exchanges.protocol import Batch, Verdict
from ringcollect.exchanges.recent import content_key
from ringcollect.feed.bridge import Held, Phase
from ringcollect.feed.core import Core
from ringcollect.feed.ledger import State
from ringcollect.feed.requests import Requests
from ringcollect.feed.stream import ANY_CONN, Stream
from ringcollect.records import Flag, Status

SECOND = 1_000_000_000
_NOT_A_REPLAY = ~int(Flag.UNSYNCED | Flag.GAP | Flag.DUPLICATE) & 0xFFFF


_NO_BASE = ~int(Flag.CLEAR) & 0xFFFF


def _content(batch: np.ndarray) -> int:
    return int(content_key(batch.ctypes.data, len(batch)))


class Cause(enum.IntEnum):
    """Why a book needs a new base; ``price`` of RESYNC_BEGIN."""

    START = 0
    GAP = 1
    ASKED = 2  # by a consumer, through the resync word
    RECONNECT = 3
    OVERFLOW = 4  # too many deltas held


def claimed_predecessor(first_id: int, prev_id: int) -> int:
    """The id the venue says precedes an event: sent as such, or the one before its first."""
    return prev_id if prev_id >= 0 else first_id - 1


class Books:
    """Every book of a session. ``requests`` fetches snapshots; ``renew`` subscribes anew where the stream has them."""

    def __init__(self, core: Core, requests: Requests, renew: Callable[[Stream, int], None]) -> None:
        self._core = core
        self._requests = requests
        self._renew = renew

    def delta(self, stream: Stream, event: Batch, carriers: tuple[int, ...], now_ns: int) -> bool:
        """One depth frame of ``stream`` (its records are ours), by the first of the connections that bring it now.

        False if the frame is kept for later because what precedes it may still come by another one.
        """
        conn = carriers[0]
        bridge, ahead = stream.bridge, stream.ahead
        assert bridge is not None and ahead is not None
        if not bridge.numbered:
            if self._by_another(stream, conn):
                self.drop(stream)  # without ids, one connection is followed
                return True
            event.records["id"] = bridge.last_id + 1
            event = dataclasses.replace(event, first_id=bridge.last_id + 1, last_id=bridge.last_id + 1)
        if bridge.phase is Phase.VOID:
            if bridge.seen_elsewhere(event.last_id, conn):
                self.drop(stream)
                return True
            self._unsynced(stream, event, now_ns)
            self.want_snapshot(stream, now_ns)
            return True
        verdict = self._follow(stream, event, conn, now_ns)
        if verdict is Verdict.FITS:
            self._catch_up(stream, now_ns)
        elif verdict is Verdict.GAP and bridge.numbered and ahead.may_wait(carriers, conn):
            self._core.sink.count("kept_ahead")
            if not ahead.frames:
                self._core.timers.set(("ahead", stream.key), now_ns + self._core.options.leg_wait_ns)
            ahead.keep(event, conn)
            return False
        elif verdict is Verdict.GAP:
            ahead.keep(event, conn)
            self.not_filled(stream, now_ns)
        return True

    def _follow(self, stream: Stream, event: Batch, conn: int, now_ns: int) -> Verdict:
        """Publish ``event`` if it follows what is known; a copy is dropped or kept as what it is."""
        bridge, batch = stream.bridge, event.records
        assert bridge is not None
        known = bridge.last_id
        other = bridge.numbered and stream.conn not in (ANY_CONN, conn) and bridge.phase is Phase.LIVE
        rule = bridge.overlap if other else bridge.delta
        verdict = rule(event.first_id, event.last_id, event.prev_id)
        if verdict is Verdict.FITS:
            stream.conn = conn
            batch["aux"] = known
            self._publish(stream, batch, now_ns)
        elif verdict is Verdict.STALE:
            self._again(stream, batch, event.first_id, event.prev_id, other, bridge.phase is Phase.BASED, now_ns)
        return verdict

    def _catch_up(self, stream: Stream, now_ns: int) -> None:
        """A hole was filled: what is kept follows, as far as it goes."""
        assert stream.ahead is not None
        if not stream.ahead.frames:
            return
        for event, conn in stream.ahead.take():
            if stream.ahead.frames or self._follow(stream, event, conn, now_ns) is Verdict.GAP:
                stream.ahead.keep(event, conn)
        if not stream.ahead.frames:
            self._core.timers.cancel(("ahead", stream.key))

    def not_filled(self, stream: Stream, now_ns: int) -> None:
        """No connection brought what precedes the kept frames: it is missing, and they wait for a new base."""
        assert stream.bridge is not None and stream.ahead is not None
        stream.take_back()
        if stream.bridge.phase is Phase.VOID or not stream.ahead.frames:
            return
        first = min((event for event, _ in stream.ahead.frames), key=lambda event: event.last_id)
        known = stream.bridge.last_id
        missing = first.first_id - known - 1 if first.prev_id < 0 else 1  # where ids jump, only that there is a hole
        self._gap(stream, known, claimed_predecessor(first.first_id, first.prev_id), missing, now_ns)
        self.void(stream, Cause.GAP, now_ns)
        self.want_snapshot(stream, now_ns)

    def snapshot(self, stream: Stream, batch: np.ndarray, snapshot_id: int, now_ns: int) -> bool:
        """A snapshot of ``stream`` (records as the exchange's decoder makes them); True if it became the base."""
        bridge = stream.bridge
        assert bridge is not None
        if bridge.phase is not Phase.VOID:
            return False  # nobody waits for it: the book is whole
        follow = bridge.snapshot(snapshot_id)
        sink = self._core.sink
        if follow is None:
            sink.count("snapshots_too_old")
            return False
        stream.based_ns, stream.base_id = now_ns, snapshot_id
        sink.data(batch, now_ns)
        known = snapshot_id
        for held in follow:
            again = held.batch
            again["aux"] = known
            again["flags"] = again["flags"] & _NOT_A_REPLAY | int(Flag.REPLAYED)
            sink.data(again, now_ns)
            known = held.last_id
        if stream.resyncing:
            stream.resyncing = False
            sink.status(
                Status.RESYNC_DONE, now_ns, instrument=stream.instrument, channel=stream.channel,
                start=snapshot_id, end=known, number=float(stream.snapshot_attempts), second=float(len(follow)),
            )  # fmt: skip
        return True

    def streamed(self, stream: Stream, event: Batch, conn: int, now_ns: int, *, again: bool) -> None:
        """A snapshot that came by the stream: the book is what it says, whatever was known.

        Only the copy of a second connection that tells less than what is known is dropped. ``again``: this connection
        has brought the book before, so that a smaller id says that the venue counts anew (Bybit's ``u`` 1).
        """
        bridge = stream.bridge
        assert bridge is not None and stream.ahead is not None
        batch, snapshot_id = event.records, event.last_id
        stream.bases_missed = 0
        if bridge.numbered:
            if self._by_another(stream, conn) and snapshot_id <= bridge.last_id:
                is_copy = snapshot_id in (stream.base_id, bridge.last_id)
                if is_copy or not again:
                    stream.ahead.forget(conn)
                    self.drop(stream)
                    return
        else:
            if bridge.phase is Phase.BASED and not self._is_newer(stream, batch, conn, now_ns):
                return
            stream.newest_ts, stream.newest_content = int(batch["ts_event"].max()), _content(batch)
            batch["id"] = snapshot_id = bridge.last_id + 1
        bridge.void()
        stream.conn = conn
        self._core.timers.cancel(("base", stream.key))
        self._core.timers.cancel(("snapshot", stream.key))
        stream.mark_gap(batch)
        self.snapshot(stream, batch, snapshot_id, now_ns)
        self._catch_up(stream, now_ns)

    def _is_newer(self, stream: Stream, batch: np.ndarray, conn: int, now_ns: int) -> bool:
        """Whether a whole book behind a whole book is news, where only its time can tell (Upbit).

        One that is older, or the same again, is kept for the record and applied by nobody; a second connection's is
        dropped. Two different ones of one time are both taken as they come: so the venue sent them.
        """
        time = int(batch["ts_event"].max())  # of its newest level, where each has its own (Coinbase)
        if not time or time > stream.newest_ts:
            return True
        if self._by_another(stream, conn):
            # Of the same time and other content it is the base of a successor, behind changes of that time.
            is_copy = time < stream.newest_ts or _content(batch) == stream.newest_content
            if is_copy:
                self.drop(stream)
            return not is_copy
        sink = self._core.sink
        flags = Flag.UNSYNCED
        if time < stream.newest_ts:
            sink.count("out_of_order")
            stream.count_out_of_order()
        elif _content(batch) == stream.newest_content:
            flags |= Flag.DUPLICATE
            sink.count("duplicates")
            stream.count_duplicate()
            if not self._core.options.keep_duplicates:
                return False
        else:
            return True
        assert stream.bridge is not None
        batch["id"] = stream.bridge.last_id
        batch["flags"] = batch["flags"] & _NO_BASE | int(flags)
        sink.count("unsynced_records", len(batch))
        self._publish(stream, batch, now_ns)
        return False

    def check(self, stream: Stream, batch: np.ndarray, conn: int, now_ns: int) -> None:
        """A checksum, behind the levels it is of: UNSYNCED if they were."""
        bridge = stream.bridge
        assert bridge is not None
        if self._by_another(stream, conn):
            return
        if not bridge.numbered:
            batch["id"] = bridge.last_id
        if bridge.phase is Phase.VOID or int(batch["id"][0]) != bridge.last_id:
            batch["flags"] |= int(Flag.UNSYNCED)
        self._core.sink.data(batch, now_ns)

    @staticmethod
    def _by_another(stream: Stream, conn: int) -> bool:
        """Another connection than ``conn`` is the one that the whole book follows."""
        assert stream.bridge is not None
        return stream.bridge.phase is not Phase.VOID and stream.conn not in (ANY_CONN, conn)

    def void(self, stream: Stream, cause: Cause, now_ns: int) -> None:
        """The base is lost: from now on deltas are UNSYNCED until a snapshot bridges."""
        bridge = stream.bridge
        assert bridge is not None
        core = self._core
        settled = now_ns - stream.based_ns > core.options.resync_cooldown_ns
        if bridge.phase is not Phase.VOID and settled:
            stream.snapshot_attempts = 0  # it held long enough: this is a new accident, not the old one again
        bridge.void()
        stream.conn = ANY_CONN
        stream.snapshot_request = 0  # an answer on its way is older than the accident
        if not stream.resyncing:
            stream.resyncing = True
            core.sink.status(
                Status.RESYNC_BEGIN, now_ns, instrument=stream.instrument, channel=stream.channel, number=float(cause)
            )
        if cause is not Cause.START:
            core.sink.count("resyncs")
        self.give_up_waiting(stream, now_ns)

    def give_up_waiting(self, stream: Stream, now_ns: int) -> None:
        """Frames that were kept for what precedes them are published as what they are: UNSYNCED."""
        assert stream.ahead is not None and stream.bridge is not None
        self._core.timers.cancel(("ahead", stream.key))
        for event, conn in stream.ahead.take():
            if stream.bridge.seen_elsewhere(event.last_id, conn):
                self.drop(stream)
            else:
                self._unsynced(stream, event, now_ns)

    def expect(self, stream: Stream, now_ns: int) -> None:
        """The stream was acknowledged: its base is fetched, if it does not come by itself."""
        if not stream.renewed_by_stream:
            self.want_snapshot(stream, now_ns)

    def base_missing(self, stream: Stream, now_ns: int) -> None:
        """The snapshot did not come by the stream. (If nothing at all does, that is the watchdog's.)"""
        if stream.awaits_base and stream.state is State.FLOWING:
            stream.bases_missed += 1
            self.failed(stream, "no snapshot on the stream", now_ns)

    def want_snapshot(self, stream: Stream, now_ns: int) -> None:
        """Ask for a snapshot unless one is on its way, planned, or the cool-down runs."""
        assert stream.bridge is not None
        timers = self._core.timers
        if stream.bridge.phase is not Phase.VOID or stream.snapshot_request or self._core.passive:
            return
        if ("snapshot", stream.key) in timers or ("base", stream.key) in timers:
            return
        if stream.renewed_by_stream and stream.snapshot_attempts >= self._core.options.resync_attempts:
            self.failed(stream, "base after base does not hold", now_ns)
            return
        stream.snapshot_attempts += 1
        if stream.renewed_by_stream:
            timers.set(("base", stream.key), now_ns + self._core.options.ack_ns)
            self._renew(stream, now_ns)
            return
        stream.snapshot_request = self._requests.snapshot(stream, now_ns)
        self._core.sink.count("snapshot_fetches")

    def failed(self, stream: Stream, reason: str, now_ns: int) -> None:
        """The snapshot did not come or did not bridge: try again later, with longer and longer waits."""
        core = self._core
        stream.snapshot_request = 0
        if core.passive:
            return
        attempts = stream.snapshot_attempts
        if attempts >= core.options.resync_attempts:
            core.sink.count("resync_failures")
            core.sink.status(
                Status.RESYNC_FAILED,
                now_ns,
                instrument=stream.instrument,
                channel=stream.channel,
                number=float(attempts),
            )
            stream.snapshot_attempts = 0
            wait_ns = core.options.resync_cooldown_ns
        else:
            wait_ns = SECOND << min(max(0, attempts - 1), 5)
        spread = 1 + core.options.jitter * (2 * core.rng.random() - 1)
        core.timers.set(("snapshot", stream.key), now_ns + int(wait_ns * spread))

    def _unsynced(self, stream: Stream, event: Batch, now_ns: int) -> None:
        bridge, batch = stream.bridge, event.records
        first_id, last_id, prev_id = event.first_id, event.last_id, event.prev_id
        assert bridge is not None
        batch["aux"] = claimed_predecessor(first_id, prev_id)
        held = None if stream.renewed_by_stream else Held(first_id, last_id, prev_id, batch.copy())
        batch["flags"] |= int(Flag.UNSYNCED)
        self._publish(stream, batch, now_ns)
        self._core.sink.count("unsynced_records", len(batch))
        if held is None:  # the snapshot comes behind it on the same socket
            if not bridge.numbered:
                bridge.last_id = last_id
        elif not bridge.hold(held):
            self._core.sink.count("held_overflows")
            stream.snapshot_request = 0  # the one on its way is too old now

    def _again(
        self, stream: Stream, batch: np.ndarray, first_id: int, prev_id: int, other: bool, based: bool, now_ns: int
    ) -> None:
        """A delta that the base already contains: kept for the record, applied by nobody; a second leg's is dropped."""
        sink = self._core.sink
        if other:
            self.drop(stream)
            return
        flags = Flag.UNSYNCED if based else Flag.UNSYNCED | Flag.DUPLICATE
        if not based:
            sink.count("duplicates")
            stream.count_duplicate()
            if not self._core.options.keep_duplicates:
                return
        batch["aux"] = claimed_predecessor(first_id, prev_id)
        batch["flags"] |= int(flags)
        sink.count("unsynced_records", len(batch))
        self._publish(stream, batch, now_ns)

    def drop(self, stream: Stream) -> None:
        """A second copy by another connection of ours."""
        self._core.sink.count("dropped_duplicates")
        stream.count_dropped()

    def _gap(self, stream: Stream, expected: int, got: int, missing: int, now_ns: int) -> None:
        sink = self._core.sink
        sink.count("seq_gaps")
        stream.count_gap(missing)
        stream.gap = True
        sink.status(
            Status.SEQ_GAP, now_ns, instrument=stream.instrument, channel=stream.channel,
            start=expected, end=got, ts_event=stream.last_data_ns,
        )  # fmt: skip

    def _publish(self, stream: Stream, batch: np.ndarray, now_ns: int) -> None:
        stream.mark_gap(batch)
        self._core.sink.data(batch, now_ns)
