"""What the feed needs of an exchange: the typed surface every folder of ``exchanges/`` fills in.

Its types are read from here and stand on two more pages: what is asked (:mod:`ringcollect.exchanges.asked`), and what
becomes of the answers (:mod:`ringcollect.exchanges.results`).

``ringcollect.exchanges.load(name)`` gives an :class:`Exchange`. Nothing here does I/O; every function is pure except
:class:`Decoder`, which owns the buffers and tables of one feed process.

Two ways lead from a frame to records. The hot one is a numba kernel, ``exchange.on_hot_frames(frames, ctx, ts_recv)``:
it decodes each frame into ``decoder.batch`` and, where the stream's hot row says so
(:mod:`ringcollect.exchanges.hot`), tests the venue's continuity rule, publishes to the ring and counts, all in one
call. What it leaves goes on, within the same call, to the kernel that all exchanges share
(:mod:`ringcollect.exchanges.tabular`). What neither takes is answered with a code of :class:`Code`; then the feed goes
the other way, through :meth:`Decoder.all_taken` or :meth:`Decoder.cold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np

from ringcollect.exchanges.asked import (
    Keepalive,
    Leg,
    Limits,
    Listing,
    Missing,
    Purpose,
    Request,
    RestCall,
    RestMeaning,
    UrlMeaning,
    Want,
)
from ringcollect.exchanges.results import Answer, Batch, Code, Decoded, Notice, Outcome, Rule, Verdict
from ringcollect.records import Channel

__all__ = [
    "Answer", "Batch", "Code", "Decoded", "Decoder", "Exchange", "Keepalive", "Leg", "Limits", "Listing", "Missing",
    "Notice", "Outcome", "Purpose", "Request", "RestCall", "RestMeaning", "Rule", "UrlMeaning", "Verdict", "Want",
]  # fmt: skip


class Decoder(Protocol):
    """Frames to records for all markets of one exchange; owned by one feed process."""

    batch: np.ndarray
    """RECORD[]: the private batch of the kernels."""
    hot: Any
    """:class:`ringcollect.exchanges.hot.HotRows`: one row of int64 words per (instrument, channel)."""

    def add_symbol(self, market: str, symbol: str, instrument: int, funding_interval_ns: int = 0) -> None:
        """Make a native symbol known to both ways. Known already: its number and interval are replaced.

        ``funding_interval_ns`` (0: unknown) becomes ``id`` of funding records whose frames do not say it.
        """
        ...

    def collect_whole(self, market: str, symbol: str, wanted: bool) -> None:
        """The book of ``symbol`` is collected by a stream that is complete each time (:meth:`Exchange.book_base` says
        "stream" of it where books usually have another base); not ``wanted``: not any more.
        """
        ...

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The int64 context array of one connection; valid as long as this decoder lives.

        ``streams`` are the venue's names from the connection's URL where frames do not name their stream.
        """
        ...

    def attach_ring(self, ring_words: np.ndarray, piece: int, counters: dict[str, np.ndarray]) -> None:
        """Tell every context, made or to be made, where to publish and to count.

        ``ring_words``: int64 over the whole ring file; ``piece``: the longest batch published in one go;
        ``counters``: one-element int64 views by name (see :data:`ringcollect.exchanges.hot.COUNTED`); missing names
        are not counted.
        """
        ...

    def all_taken(self, ctx: np.ndarray) -> tuple[Batch, ...]:
        """After NOT_OPEN, STALE, GAP or TOO_LONG: what the kernel decoded, as copies."""
        ...

    def taken(self, ctx: np.ndarray) -> Batch:
        """:meth:`all_taken` where it is one batch, of a channel that an exchange's own kernel decodes."""
        ...

    def unknown_symbol(self, frame: bytes, ctx: np.ndarray) -> str:
        """After UNKNOWN_SYMBOL: the frame's symbol. Register it and call again, or count the frame as ignored."""
        ...

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        ...

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """A SNAPSHOT or OPEN_INTEREST body as records flagged REST. Raises RejectedFrame, nothing else.

        TRADES: one batch of single fills, in any order, flagged REST and BACKFILLED. LAST_TRADE: a batch without
        records, of whose ``last_id`` alone something is made.
        """
        ...


class Exchange(Protocol):
    """One exchange; a module-like object without state."""

    name: str
    markets: tuple[str, ...]
    acknowledges: bool
    """Subscriptions are answered. False: one counts as acknowledged when sent; the first-data deadline watches it."""

    def on_hot_frames(self, frames: list[bytes], ctx: np.ndarray, ts_recv: int, /) -> int:
        """Kernel: decode, test, publish, count, frame by frame; how many it finished.

        It stops at the first frame it does not take. ``ctx[hot.C_CODE]`` is its answer to the last one it looked at:
        records published, 0, or the Code it stopped with.
        """
        ...

    def decode_hot(self, frame: bytes, ctx: np.ndarray, ts_recv: int, /) -> int:
        """Kernel: decode into ``decoder.batch`` only; publish nothing, look at no hot row."""
        ...

    def decoder(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> Decoder: ...

    def channels(self, market: str) -> tuple[Channel, ...]:
        """What this exchange has for the market."""
        ...

    def dense_trade_ids(self, market: str) -> bool:
        """Trade ids count without holes, so that a hole is a loss."""
        ...

    def book_base(self, market: str, kind: str = "") -> Literal["rest", "stream", "either"]:
        """Where a book's base comes from: a REST snapshot that is bridged, or the subscription itself.

        ``kind`` is the venue's stream that was chosen for it, "" = the usual one.
        "stream": a book is resynced by unsubscribing and subscribing its one want. ``snapshot_call`` is never used.
        "either": as that, and where subscriptions bring no snapshot, by REST as with "rest".
        """
        ...

    def numbered_books(self, market: str) -> bool:
        """Book frames carry update ids. False: the feed numbers the frames of each book, and nothing can be missing
        but what a checksum or the connection's own sequence shows; ``accept`` and ``join`` are never asked.
        """
        ...

    def book_depth(self, market: str, depth: int) -> int:
        """Levels per side that a consumer keeps of a book subscribed with ``depth`` (0: the usual); 0 = no limit.

        Only where the venue sends no removals for what falls out of depth. In replay of a capture, which does not say
        what was subscribed, ``depth`` is the most levels a side of the book's first snapshot has.
        """
        ...

    def accept(self, market: str) -> Rule:
        """Does a delta follow a delta?"""
        ...

    def join(self, market: str) -> Rule:
        """Does a delta follow a snapshot?"""
        ...

    def limits(self, market: str) -> Limits: ...

    def keepalive(self, market: str) -> Keepalive: ...

    def legs(self, market: str, wants: Sequence[Want], url: str = "") -> list[Leg]:
        """Split what is wanted over connections; ``url`` replaces the exchange's own base (scheme, host, port)."""
        ...

    def polled(self, market: str) -> tuple[Channel, ...]:
        """Channels that have no stream and are polled over REST."""
        ...

    def subscribe(self, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]:
        """Requests that subscribe ``wants`` (all or some of the leg's), few and large, numbered from the given id."""
        ...

    def unsubscribe(self, leg: Leg, wants: Sequence[Want], first_request_id: int) -> list[Request]: ...

    def read_url(self, url: str) -> UrlMeaning | None:
        """What a WebSocket URL says, None if it is not one of this exchange."""
        ...

    def read_stream(self, market: str, stream: str) -> tuple[Want, ...]:
        """What a stream of this name carries: the symbol in native spelling; () for what is not recorded."""
        ...

    def read_rest(self, url: str) -> RestMeaning | None: ...

    def instruments_calls(self, market: str, rest_url: str = "") -> list[RestCall]:
        """What to ask for all instruments and their metadata, one after the other; ``listings`` reads each answer."""
        ...

    def next_instruments_call(self, call: RestCall, body: bytes) -> RestCall | None:
        """The page behind the one that ``body`` answers, None if that was the last. Raises RejectedFrame."""
        ...

    def snapshot_call(self, market: str, symbol: str, depth: int = 0, rest_url: str = "") -> RestCall: ...

    def open_interest_call(self, market: str, symbol: str, rest_url: str = "") -> RestCall: ...

    def last_trade_call(self, market: str, symbol: str, rest_url: str = "") -> RestCall | None:
        """Ask for the newest trade's dense id, as cheaply as it can be had; None where there is no such thing."""
        ...

    def trades_call(self, market: str, symbol: str, missing: Missing, rest_url: str = "") -> RestCall | None:
        """Ask for one page of ``missing`` trades, the oldest first; None where REST does not find them by id."""
        ...

    def listings(self, market: str, body: bytes) -> list[Listing]:
        """The instruments of one answer to ``instruments_calls``, only what is needed. Raises RejectedFrame."""
        ...

    def volumes_calls(self, market: str, rest_url: str = "") -> list[RestCall]:
        """What to ask for the 24 h volumes of all instruments, one after the other; [] where the venue has none."""
        ...

    def volumes(self, market: str, body: bytes) -> dict[str, float]:
        """Native symbol -> quote volume of 24 h, of one answer to ``volumes_calls``. Raises RejectedFrame."""
        ...

    def guessed(self, market: str, symbol: str) -> Listing:
        """What can be said about an instrument without metadata: unified name, base and quote by known endings."""
        ...

    def market_of(self, market: str, symbol: str, listed: Sequence[str]) -> str:
        """The market of a symbol seen on a connection of ``market``; another one where one URL carries several.

        ``listed``: the markets whose instrument lists have the symbol. "" is a market that is not collected.
        """
        ...

    def resolve(self, market: str, spelling: str, known: Sequence[Listing]) -> str:
        """Native symbol of any accepted spelling; raises ConfigError with the nearest known names."""
        ...
