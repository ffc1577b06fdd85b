"""The part of a decoder that no exchange differs in: private batch, symbol tables, hot rows, contexts."""

from __future__ import annotations

import numpy as np

from ringcollect.decode.memory import address
from ringcollect.decode.symbols import SymbolTable
from ringcollect.exchanges import hot
from ringcollect.exchanges.entries import SETTLE, SETTLE_ALL
from ringcollect.exchanges.protocol import Batch, Decoded, Outcome, RestMeaning
from ringcollect.exchanges.tabular import kernel
from ringcollect.exchanges.typed import Arrival
from ringcollect.instruments import MAX_INSTRUMENTS
from ringcollect.jit import Entry
from ringcollect.records import CHANNEL_OF_KIND, RECORD, Channel, Flag, Kind

MAX_FRAME_BYTES = 4 << 20
MAX_BODY_BYTES = 64 << 20
REST_VARIANT = -1


class KernelDecoder:
    """What :class:`ringcollect.exchanges.protocol.Decoder` asks for, but ``context``, ``cold`` and ``rest``.

    ``kernel``: the exchange's own (:mod:`ringcollect.exchanges.entries`), None if it has none. ``markets`` gives each
    market's number in the context word ``hot.C_MARKET``.
    """

    def __init__(
        self, kernel: Entry | None, markets: dict[str, int], capacity: int, max_past_ns: int, max_future_skew_ns: int
    ) -> None:
        self._kernel = kernel
        self.batch = np.zeros(capacity, RECORD)
        self.hot = hot.HotRows()
        self._codes = markets
        self._markets = {code: market for market, code in markets.items()}
        self._max_past_ns = max_past_ns
        self._max_future_skew_ns = max_future_skew_ns
        self._symbols = {market: SymbolTable() for market in markets}
        self._whole_books: dict[str, set[str]] = {market: set() for market in markets}
        self._funding_intervals: dict[int, int] = {}
        self._interval_words = np.zeros(MAX_INSTRUMENTS, np.int64)  # the same for the shared kernel
        self._contexts: dict[tuple[str, int, int], np.ndarray] = {}
        self._uncounted = np.zeros(1, np.int64)
        self._ring_words = np.zeros(0, np.int64)
        self._piece = 0
        self._counters: dict[str, np.ndarray] = {}

    def add_symbol(self, market: str, symbol: str, instrument: int, funding_interval_ns: int = 0) -> None:
        """Make a native symbol known to both ways. Known already: its number and interval are replaced."""
        self._funding_intervals[instrument] = self._interval_words[instrument] = funding_interval_ns
        table = self._symbols[market]
        table.add(symbol, instrument)
        for (of_market, _, _), ctx in self._contexts.items():
            if self._symbols[of_market] is table:
                ctx[hot.C_SYMBOLS] = ctx[hot.C_ROW_SYMBOLS] = table.address()

    def read_by(self, ctx: np.ndarray, table: np.ndarray) -> None:
        """Let the kernel that all exchanges share read the context's frames by ``table``, which lives on."""
        ctx[hot.C_SHARED] = kernel.ENTRY.address
        ctx[hot.C_TABLE] = address(table)
        ctx[hot.C_ROW_SYMBOLS] = ctx[hot.C_SYMBOLS]
        ctx[hot.C_INTERVALS] = address(self._interval_words)

    def read_body(
        self, table: np.ndarray | None, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int
    ) -> Decoded | None:
        """A REST body by ``table``; None: the typed path decides."""
        instrument = self._symbols[meaning.market].numbers.get(meaning.symbol, -1)
        if table is None or instrument < 0:
            return None
        ctx = self.context_of(meaning.market, conn, REST_VARIANT, MAX_BODY_BYTES)
        self.read_by(ctx, table)
        name = meaning.symbol.encode()
        ctx[hot.C_INSTRUMENT], ctx[hot.C_NAME], ctx[hot.C_NAME_BYTES] = instrument, address(name), len(name)
        if kernel.decode_body(body, ctx, ts_recv) <= 0:
            return None
        return Decoded(Outcome.DECODED, self.all_taken(ctx))

    def context_of(self, market: str, conn: int, variant: int = 0, max_frame: int = MAX_FRAME_BYTES) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        key = (market, conn, variant)
        ctx = self._contexts.get(key)
        if ctx is None:
            ctx = np.zeros(hot.CONTEXT_WORDS, np.int64)
            ctx[hot.C_BATCH] = address(self.batch.view(np.int64))
            ctx[hot.C_CAPACITY] = len(self.batch)
            ctx[hot.C_HOT] = address(self.hot.words.reshape(-1))
            ctx[hot.C_SYMBOLS] = self._symbols[market].address()
            ctx[hot.C_KERNEL] = self._kernel.address if self._kernel else 0
            ctx[hot.C_SETTLE], ctx[hot.C_SETTLE_ALL] = SETTLE.address, SETTLE_ALL.address
            ctx[hot.C_MARKET] = self._codes[market]
            ctx[hot.C_CONN] = conn
            ctx[hot.C_MAX_PAST] = self._max_past_ns
            ctx[hot.C_MAX_SKEW] = self._max_future_skew_ns
            ctx[hot.C_MAX_FRAME] = max_frame
            ctx[hot.C_VARIANT] = variant
            ctx[hot.C_SEQUENCE] = ctx[hot.C_EXPECTED] = -1
            self._contexts[key] = ctx
            self._point(ctx)
        return ctx

    def attach_ring(self, ring_words: np.ndarray, piece: int, counters: dict[str, np.ndarray]) -> None:
        """Where every context, made or to be made, publishes and counts; the arrays are kept alive here."""
        self._ring_words, self._piece, self._counters = ring_words, piece, dict(counters)
        for ctx in self._contexts.values():
            self._point(ctx)

    def _point(self, ctx: np.ndarray) -> None:
        ctx[hot.C_RING] = address(self._ring_words) if len(self._ring_words) else 0
        ctx[hot.C_RING_WORDS] = len(self._ring_words)
        ctx[hot.C_PIECE] = self._piece
        for k, name in enumerate(hot.COUNTED):
            ctx[hot.C_COUNTERS + k] = address(self._counters.get(name, self._uncounted))

    def all_taken(self, ctx: np.ndarray) -> tuple[Batch, ...]:
        """After NOT_OPEN, STALE, GAP or TOO_LONG: what the kernel decoded, as copies."""
        if ctx[hot.C_CHANNEL]:
            return (self.taken(ctx),)
        records = self.batch[: int(ctx[hot.C_N])].copy()
        ends = np.flatnonzero(records["flags"] & int(Flag.LAST)) + 1
        return tuple(
            Batch(int(part["instrument"][0]), CHANNEL_OF_KIND[Kind(int(part["kind"][0]))], part)
            for part in np.split(records, ends[:-1])
            if len(part)
        )

    def taken(self, ctx: np.ndarray) -> Batch:
        """:meth:`all_taken` where it is one batch, of a channel that an exchange's own kernel decodes."""
        return Batch(
            int(ctx[hot.C_INSTRUMENT]),
            Channel(int(ctx[hot.C_CHANNEL])),
            self.batch[: int(ctx[hot.C_N])].copy(),
            int(ctx[hot.C_FIRST_ID]),
            int(ctx[hot.C_LAST_ID]),
            int(ctx[hot.C_PREV_ID]),
        )

    def unknown_symbol(self, frame: bytes, ctx: np.ndarray) -> str:
        """After UNKNOWN_SYMBOL: the frame's symbol."""
        scratch = ctx[hot.C_SCRATCH : hot.C_SCRATCH + hot.SCRATCH_BYTES // 8].tobytes()
        return scratch[: int(ctx[hot.C_SYMBOL_BYTES])].decode()

    def market_of(self, ctx: np.ndarray) -> str:
        """The market a context was made for."""
        return self._markets[int(ctx[hot.C_MARKET])]

    def collect_whole(self, market: str, symbol: str, wanted: bool) -> None:
        """The symbol's book is a stream that is complete each time, or (not ``wanted``) is none any more."""
        (self._whole_books[market].add if wanted else self._whole_books[market].discard)(symbol)

    def arrival_of(self, ctx: np.ndarray, ts_recv: int) -> Arrival:
        """What the typed path is told beside a message of the context's connection."""
        return self.arrival(self.market_of(ctx), int(ctx[hot.C_CONN]), ts_recv, int(ctx[hot.C_VARIANT]))

    def arrival(self, market: str, conn: int, ts_recv: int, variant: int = 0) -> Arrival:
        """What the typed path is told beside a message."""
        return Arrival(
            numbers=self._symbols[market].numbers,
            market=market,
            conn=conn,
            ts_recv=ts_recv,
            max_past_ns=self._max_past_ns,
            max_future_skew_ns=self._max_future_skew_ns,
            funding_intervals=self._funding_intervals,
            whole_books=self._whole_books[market],
            variant=variant,
        )
