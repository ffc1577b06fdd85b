"""One subscribed stream: an (instrument, channel) with its place in the ledger and what it needs to be followed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ringcollect.exchanges.hot import CONTENT, LAST_ID, LAST_TS, LEDGER, OPEN, RECENT
from ringcollect.exchanges.protocol import Want
from ringcollect.exchanges.silence import (
    L_LAST_RECORD,
    L_SILENCE,
    L_SILENCE_GAPS,
    L_SILENCE_LIMIT,
    L_SILENCES,
    bucket_of,
)
from ringcollect.feed.ahead import Ahead
from ringcollect.feed.bridge import Bridge, Phase
from ringcollect.feed.copies import Copies
from ringcollect.feed.dense_ids import DenseIds
from ringcollect.feed.ledger import (
    L_BACKFILLED,
    L_BEHIND,
    L_DROPPED,
    L_DUPLICATES,
    L_FRAMES,
    L_GAP_SIZES,
    L_GAPS,
    L_LAST_DATA,
    L_MISSING,
    L_OUT_OF_ORDER,
    L_RECORDS,
    L_TRACKED,
    Reason,
    State,
)
from ringcollect.feed.recent_ids import RecentIds
from ringcollect.records import Channel, Flag
from ringcollect.ring.layout import GAP_SIZE_BOUNDS

ANY_CONN = -1
_BASES_MISSED = 2
"""Subscriptions without a snapshot after which the venue is taken not to send any: one frame may get lost."""
StreamKey = tuple[int, int]
"""(instrument, channel)."""


@dataclass(eq=False, slots=True)
class Stream:
    """Mutable state of one stream. ``row`` is its ledger row (dtype LEDGER_ROW, one element) in shared memory."""

    market: str
    symbol: str
    instrument: int
    channel: Channel
    row: np.ndarray
    depth: int = 0  # levels per side of a snapshot to ask for; 0 = the exchange's usual number
    kind: str = ""  # the venue's stream that is to carry the channel; "" = the usual one
    hot: np.ndarray | None = None  # its row of kernel words, where the kernel may take it
    bridge: Bridge | None = None  # book only
    based_by_stream: bool = False  # the book's snapshots come by its subscription
    rest_too: bool = False  # and where they do not come, REST has them
    bases_missed: int = 0  # subscriptions in a row that began without one
    ids: DenseIds | None = None  # dense ids only
    ids_by_conn: dict[int, DenseIds] | None = None  # the same, by connection
    recent: RecentIds | None = None  # prints whose ids are not dense
    aggregated: bool | None = None  # whether its prints are the venue's aggregated ones; None before the first
    ahead: Ahead | None = None  # book only
    base_id: int = 0  # id of the newest snapshot that became the base
    holes: tuple[tuple[int, int, int], ...] = ()  # ids start to end may still come, until when
    copies: Copies | None = None  # what came lately, while several connections bring it
    accepted_by: int = ANY_CONN  # whom its newest first arrival came by, and when
    accepted_ns: int = 0
    twin: Stream | None = None  # the other one, where both come (captures of others)
    conn: int = ANY_CONN  # the connection its newest accepted frame came by
    newest_key: int = 0  # update id of the newest best price, 0 where the venue sends none
    newest_ts: int = 0  # event time of the newest frame, where no id orders them
    newest_content: int = 0  # of the last book, where every frame is a whole one
    reconnected: bool = False  # and no trade came since: what is missing before the next one, the reconnect cost
    align_request: int = 0  # number of the request for the venue's newest trade, 0 = none
    gap: bool = False  # the next record carries GAP
    first_data_ns: int = 0
    asked: int = 0  # subscribe attempts since data last flowed
    snapshot_attempts: int = 0
    snapshot_request: int = 0  # number of the request in flight, 0 = none
    resyncing: bool = False  # RESYNC_BEGIN was written, DONE not yet
    based_ns: int = 0  # when the book last got its base
    key: StreamKey = field(init=False)  # its name within the session; also orders timers, never data

    def __post_init__(self) -> None:
        self.key = self.instrument, int(self.channel)

    @property
    def words(self) -> np.ndarray:
        """The ledger row as int64 words, made when asked for: there are thousands of streams."""
        return self.row.view(np.int64)

    @property
    def want(self) -> Want:
        """What to ask the exchange for."""
        return Want(self.symbol, self.channel, self.depth if self.channel is Channel.BOOK else 0, self.kind)

    @property
    def awaits_base(self) -> bool:
        """Its book has no base, and one is to come by the stream."""
        return self.renewed_by_stream and self.bridge is not None and self.bridge.phase is Phase.VOID

    @property
    def renewed_by_stream(self) -> bool:
        """Its book gets a new base by a new subscription; else REST is asked, and deltas are held until it answers."""
        return self.based_by_stream and not (self.rest_too and self.bases_missed >= _BASES_MISSED)

    @property
    def state(self) -> State:
        return State(int(self.row["state"][0]))

    @property
    def reason(self) -> Reason:
        return Reason(int(self.row["reason"][0]))

    @property
    def last_data_ns(self) -> int:
        return int(self.words[L_LAST_DATA])

    @property
    def frames(self) -> int:
        return int(self.words[L_FRAMES])

    @property
    def records(self) -> int:
        return int(self.words[L_RECORDS])

    @property
    def gaps(self) -> int:
        return int(self.words[L_GAPS])

    @property
    def duplicates(self) -> int:
        return int(self.words[L_DUPLICATES])

    @property
    def dropped(self) -> int:
        return int(self.words[L_DROPPED])

    def touched(self, now_ns: int, records: int) -> None:
        """One more frame of this stream, with ``records`` records. (The kernels do the same: ``exchanges.hot``.)"""
        if not self.first_data_ns:
            self.first_data_ns = now_ns
        words = self.words
        words[L_LAST_DATA] = now_ns
        words[L_FRAMES] += 1
        if not records:
            return
        words[L_RECORDS] += records
        before = int(words[L_LAST_RECORD])
        words[L_LAST_RECORD] = now_ns
        if before and 0 < int(words[L_SILENCE_LIMIT]) < now_ns - before:
            words[L_SILENCE_GAPS] += 1
            words[L_SILENCE] += now_ns - before
            words[L_SILENCES + bucket_of(now_ns - before)] += 1

    def mean_interval_ns(self) -> int:
        """Mean time between its frames so far; 0 before the second."""
        frames = self.frames
        return (self.last_data_ns - self.first_data_ns) // (frames - 1) if frames > 1 else 0

    def count_records(self, records: int) -> None:
        """Records that came otherwise than by a frame of the stream (a snapshot over REST and what follows it)."""
        self.words[L_RECORDS] += records

    def mark_gap(self, batch: np.ndarray) -> None:
        """Flag the batch's first record if something before it is missing (of a best price both: they are one row)."""
        if self.gap:
            batch["flags"][: 2 if self.channel is Channel.BBO else 1] |= int(Flag.GAP)
            self.gap = False

    def shift(self, step_ns: int) -> None:
        """The wall clock was set: silence is measured on the new clock."""
        if self.first_data_ns:
            self.first_data_ns += step_ns
            self.words[L_LAST_DATA] += step_ns
        if self.words[L_LAST_RECORD]:
            self.words[L_LAST_RECORD] += step_ns
        if self.based_ns:
            self.based_ns += step_ns
        self.holes = tuple((start, end, deadline + step_ns) for start, end, deadline in self.holes)
        self.row["since_ns"] += step_ns

    def track(self) -> None:
        """What is missing of this stream can be told: by its own ids, or by the numbers of its connection's frames."""
        self.words[L_TRACKED] = 1

    def count_gap(self, missing: int) -> None:
        """One gap of ``missing`` ids, or frames, or updates: whatever the venue counts; at least one."""
        size = max(1, missing)
        self.words[L_GAPS] += 1
        self.words[L_MISSING] += size
        self.words[L_GAP_SIZES + sum(size > bound for bound in GAP_SIZE_BOUNDS)] += 1

    def count_duplicate(self, by: int = 1) -> None:
        """Sent twice by the venue on one connection."""
        self.words[L_DUPLICATES] += by

    def count_dropped(self, by: int = 1) -> None:
        """Second copies by another connection of ours."""
        self.words[L_DROPPED] += by

    def count_out_of_order(self, by: int = 1) -> None:
        """Older than what was accepted, not seen before."""
        self.words[L_OUT_OF_ORDER] += by

    def set_behind(self, ids: int) -> None:
        """How many trades the venue is ahead of the newest we have, as far as REST said since the reconnect."""
        self.words[L_BEHIND] = ids

    def count_backfilled(self, ids: int) -> None:
        """Missing ids that were fetched later."""
        self.words[L_BACKFILLED] += ids

    def forget_conn(self, conn: int) -> None:
        """What the connection delivered is not its any more: its number will be given again."""
        if self.ids_by_conn is not None:
            self.ids_by_conn.pop(conn, None)
        if self.recent is not None:
            self.recent.forget_conn(conn)

    def forget_conns(self) -> None:
        """What any connection delivered is nobody's any more."""
        self.ids_by_conn = None
        if self.recent is not None:
            self.recent.forget_conns()

    def take_back(self) -> None:
        """Stop the kernel, and learn how far it came."""
        hot = self.hot
        if hot is None or not hot[OPEN]:
            return
        hot[OPEN] = 0
        newest = int(hot[LAST_ID])
        if self.bridge is not None:
            self.bridge.last_id = newest
            if hot[LAST_TS] > self.newest_ts:
                self.newest_ts, self.newest_content = int(hot[LAST_TS]), int(hot[CONTENT])
        elif self.ids is not None:
            by_conn = None if self.ids_by_conn is None else self.ids_by_conn.get(self.conn)
            if newest > self.ids.newest and by_conn is not None:
                by_conn.arrive(self.ids.newest + 1, newest)
            self.ids.newest = newest
            self.newest_ts = max(self.newest_ts, int(hot[LAST_TS]))
        else:
            self.newest_key = newest
            self.newest_ts = max(self.newest_ts, int(hot[LAST_TS]))

    def hand_over(self) -> None:
        """Let the kernel go on by itself from here, if nothing about the stream needs a second look."""
        hot = self.hot
        if (
            hot is None
            or self.twin is not None
            or self.gap
            or self.holes
            or self.conn < 0
            or self.state is not State.FLOWING
        ):
            return
        hot[RECENT] = 0 if self.recent is None else self.recent.address
        if self.bridge is not None:
            if self.bridge.phase is Phase.VOID or (self.bridge.numbered and self.bridge.phase is Phase.BASED):
                return  # a first delta is tested by another rule than those that follow
            hot[LAST_ID] = self.bridge.last_id
            hot[LAST_TS], hot[CONTENT] = self.newest_ts, self.newest_content
        else:
            hot[LAST_ID] = self.newest_key if self.ids is None else self.ids.newest
            hot[LAST_TS] = self.newest_ts
        hot[LEDGER] = self.row.ctypes.data
        hot[OPEN] = self.conn + 1  # frames of another connection are looked at here
