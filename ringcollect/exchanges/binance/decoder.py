"""The decoder of one feed process: private batch, symbol tables, hot rows, and a context array per connection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.decode.memory import address
from ringcollect.decode.symbols import SymbolTable
from ringcollect.exchanges import hot
from ringcollect.exchanges.binance.cold import Arrival, decode_frame
from ringcollect.exchanges.binance.events import MARKET_CODES
from ringcollect.exchanges.binance.rest import decode_body
from ringcollect.exchanges.binance.streams import is_diff_depth
from ringcollect.exchanges.protocol import Batch, Decoded, RestMeaning
from ringcollect.records import RECORD, Channel

MAX_FRAME_BYTES = 4 << 20
_MARKETS = {code: market for market, code in MARKET_CODES.items()}


class Decoder:
    """See :class:`ringcollect.exchanges.protocol.Decoder`."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        self.batch = np.zeros(capacity, RECORD)
        self.hot = hot.HotRows()
        self._max_past_ns = max_past_ns
        self._max_future_skew_ns = max_future_skew_ns
        self._symbols = {market: SymbolTable() for market in MARKET_CODES}
        self._contexts: dict[tuple[str, int, bool], np.ndarray] = {}
        self._uncounted = np.zeros(1, np.int64)
        self._ring_words = np.zeros(0, np.int64)
        self._piece = 0
        self._counters: dict[str, np.ndarray] = {}

    def add_symbol(self, market: str, symbol: str, instrument: int) -> None:
        """Make a native symbol known to both ways. Known already: its number is replaced."""
        table = self._symbols[market]
        table.add(symbol, instrument)
        for (of_market, _, _), ctx in self._contexts.items():
            if of_market == market:
                ctx[hot.C_SYMBOLS] = table.address()

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        raw_depth = not any("@depth" in name and not is_diff_depth(name) for name in streams)
        key = (market, conn, raw_depth)
        ctx = self._contexts.get(key)
        if ctx is None:
            ctx = np.zeros(hot.CONTEXT_WORDS, np.int64)
            ctx[hot.C_BATCH] = address(self.batch.view(np.int64))
            ctx[hot.C_CAPACITY] = len(self.batch)
            ctx[hot.C_HOT] = address(self.hot.words.reshape(-1))
            ctx[hot.C_SYMBOLS] = self._symbols[market].address()
            ctx[hot.C_MARKET] = MARKET_CODES[market]
            ctx[hot.C_CONN] = conn
            ctx[hot.C_MAX_PAST] = self._max_past_ns
            ctx[hot.C_MAX_SKEW] = self._max_future_skew_ns
            ctx[hot.C_MAX_FRAME] = MAX_FRAME_BYTES
            ctx[hot.C_RAW_DEPTH] = raw_depth
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

    def taken(self, ctx: np.ndarray) -> Batch:
        """After NOT_OPEN, STALE, GAP or TOO_LONG: what the kernel decoded, as a copy."""
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

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        market = _MARKETS[int(ctx[hot.C_MARKET])]
        arrival = self._arrival(market, int(ctx[hot.C_CONN]), ts_recv, bool(ctx[hot.C_RAW_DEPTH]))
        return decode_frame(payload, arrival, MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """A SNAPSHOT or OPEN_INTEREST body as records flagged REST. Raises RejectedFrame, nothing else."""
        return decode_body(meaning, body, self._arrival(meaning.market, conn, ts_recv, True))

    def _arrival(self, market: str, conn: int, ts_recv: int, raw_depth: bool) -> Arrival:
        numbers = self._symbols[market].numbers
        return Arrival(
            find=lambda symbol: numbers.get(symbol, -1),
            linear=market == "linear",
            raw_depth=raw_depth,
            conn=conn,
            ts_recv=ts_recv,
            max_past_ns=self._max_past_ns,
            max_future_skew_ns=self._max_future_skew_ns,
        )
