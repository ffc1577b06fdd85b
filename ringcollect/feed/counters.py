"""What a feed counts, in shared memory. Names are the metric names; the order is the ring's and is add-only.

Invariant, at every moment a frame is not being handled: ``frames_in = decoded + control + ignored + rejected``.
"""

from __future__ import annotations

FEED_COUNTERS = (
    "frames_in",  # WebSocket messages received
    "bytes_in",  # their payload bytes
    "decoded",  # turned into records (also those dropped as second copies)
    "control",  # acks, errors, notices
    "ignored",  # known, deliberately not recorded
    "rejected",  # not understood; kept in the frame ring
    "records",  # records published from the exchange, status records not counted
    "status_records",
    "duplicates",  # sent twice on one connection, kept once more with DUPLICATE
    "dropped_duplicates",  # second copies from another connection of ours, dropped before the ring
    "out_of_order",  # older than what was accepted, but not seen before
    "seq_gaps",  # breaks of a book's continuity
    "trade_gaps",  # holes in dense trade ids
    "trade_ids_missing",  # ids in those holes
    "bad_ts",  # batches whose event time is not believable
    "unsynced_records",  # deltas published while their book had no base
    "held_overflows",  # the held deltas of a book outgrew their bound
    "resyncs",  # books taken down for a new snapshot
    "resyncs_asked",  # of these, asked for by a consumer
    "resync_failures",  # attempts used up; tried again after the cool-down
    "snapshot_fetches",  # REST reads of how things stand: books, and after a reconnect the newest trade's id
    "snapshots_too_old",
    "rest_requests",
    "rest_errors",
    "rest_blocks",  # 418 and 429 answers
    "connects",
    "reconnects",
    "rollovers",  # planned replacements before the exchange's own cut
    "half_open",  # connections given up because nothing at all came
    "breaker_trips",  # connections given up because most frames were rejected
    "resubscribes",
    "silent_streams",
    "clock_steps",
    "frame_errors",  # frames or rejects the frame ring refused
    "instruments",
    "kept_ahead",  # deltas that one connection brought while another may bring what precedes them
    "refused_symbols",  # planned symbols no ring row can hold
    "connection_gaps",  # holes in the numbers a venue gives all frames of a connection
    "alignment_corrections",  # of these, such as showed that trades were missed
    "backfill_fetches",  # pages of missed trades asked for over REST
    "trade_ids_backfilled",  # missing ids that came by them
    "backfills_skipped",  # holes not filled, because an older one of the same stream was
    "resent_history",  # prints the venue sent again on subscribing, with SNAPSHOT, that were known already
    "possible_losses",  # times the source of a stream could not rule out that it lost something
    "circuits_opened",  # times so many connections failed in a row that only probes are made
)
