"""What a session is to collect, and its numbers: plain data, so that a recording can carry it."""

from __future__ import annotations

import msgspec

SECOND = 1_000_000_000


class Options(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Deadlines and bounds of a session; times in ns."""

    tick_ns: int = SECOND // 10  # a TICK after this long without a record
    counters_ns: int = 60 * SECOND
    retry_first_ns: int = SECOND
    retry_max_ns: int = 60 * SECOND
    jitter: float = 0.25
    connect_ns: int = 15 * SECOND  # a connect without an answer
    ack_ns: int = 10 * SECOND  # a subscribe without an ack
    data_ns: int = 30 * SECOND  # an acknowledged stream without data
    stale_ns: int = 30 * SECOND  # a stream, or a whole connection, gone silent
    resubscribe_max_ns: int = 600 * SECOND  # the longest wait between two attempts at one silent stream
    metadata_ns: int = 10 * SECOND  # subscribe without instrument metadata after this long
    rollover_ns: int = 300 * SECOND  # replace a connection this long before the exchange cuts it
    overlap_ns: int = 60 * SECOND  # the replacement has this long to carry every stream
    open_interest_ns: int = 10 * SECOND
    held_records: int = 10_000
    resync_attempts: int = 5
    resync_cooldown_ns: int = 60 * SECOND
    max_past_ns: int = 86_400 * SECOND
    max_future_skew_ns: int = 30 * SECOND
    breaker_window: int = 100
    rest_share: float = 0.8  # of the exchange's weight budget: others on this address spend too
    rest_in_flight: int = 4
    reject_bytes: int = 4096
    seed: int = 0
    discover: bool = False  # replay: take the instruments from the frames, ask the exchange nothing
    record_frames: bool = False


class MarketPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One market: which symbols, and which channels of each."""

    market: str
    streams: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (native symbol, channel names)
    url: str = ""  # instead of the exchange's own
    rest_url: str = ""
    depth: int = 0

    def symbols(self) -> tuple[str, ...]:
        """The symbols in the order of the configuration."""
        return tuple(symbol for symbol, _ in self.streams)


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a session starts from, besides its registry."""

    exchange: str
    markets: tuple[MarketPlan, ...]
    options: Options = Options()
