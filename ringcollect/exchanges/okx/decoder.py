"""The decoder of one feed process: contexts, what connections remember, and the typed path beside the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.decode.symbols import SymbolTable
from ringcollect.exchanges import hot
from ringcollect.exchanges.kernel_decoder import MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.okx import tables
from ringcollect.exchanges.okx.cold import Arrival, decode_frame
from ringcollect.exchanges.okx.decode import KERNEL
from ringcollect.exchanges.okx.fields import F_HISTORY, HAS_NO_IDS, HAS_WHOLE, MARKET_CODES, MIXED, R_BOOK
from ringcollect.exchanges.okx.history import History
from ringcollect.exchanges.okx.members import ANY_MARKET, Members
from ringcollect.exchanges.okx.rest import decode_body
from ringcollect.exchanges.okx.symbols import FUTURES, SWAP, index_of, kind_of
from ringcollect.exchanges.protocol import Batch, Decoded, RestMeaning
from ringcollect.records import Channel, Flag, Kind


class WholeBooks:
    """Instruments whose whole book has been seen; in the hot rows, where the kernel sees them too."""

    def __init__(self, rows: hot.HotRows) -> None:
        self._rows = rows

    def __contains__(self, instrument: object) -> bool:
        return (
            isinstance(instrument, int)
            and instrument >= 0
            and bool(self._rows.row(instrument, Channel.BOOK)[R_BOOK] & HAS_WHOLE)
        )

    def see(self, batch: Batch) -> None:
        """A frame of a book: short ones, which are whole but no snapshot, say nothing, nor do checksums."""
        first = batch.records[0]
        is_snapshot = int(first["flags"]) & Flag.SNAPSHOT != 0
        if not is_snapshot and first["kind"] != Kind.BOOK_DELTA:
            return
        row = self._rows.row(batch.instrument, Channel.BOOK)
        row[R_BOOK] |= HAS_WHOLE
        if is_snapshot:
            row[R_BOOK] = HAS_WHOLE if batch.last_id >= 0 else HAS_WHOLE | HAS_NO_IDS


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`.

    All markets come by the same URL and no symbol is in two of them: there is one symbol table. A connection without
    streams of ours is somebody else's, and carries whatever it carries.
    """

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(KERNEL, MARKET_CODES, capacity, max_past_ns, max_future_skew_ns)
        self._symbols = dict.fromkeys(MARKET_CODES, SymbolTable())
        self._market_of: dict[int, str] = {}
        self._followers: dict[str, dict[int, None]] = {}
        self._full = WholeBooks(self.hot)
        self._members = {market: Members() for market in (*MARKET_CODES, ANY_MARKET)}
        self._history: dict[tuple[str, int], History] = {}

    def add_symbol(self, market: str, symbol: str, instrument: int, funding_interval_ns: int = 0) -> None:
        """Make a native symbol known to both ways. Known already: its number and interval are replaced."""
        super().add_symbol(market, symbol, instrument, funding_interval_ns)
        self._market_of[instrument] = market
        if kind_of(symbol) in (SWAP, FUTURES):
            followers = self._followers.setdefault(index_of(symbol), {})
            followers[instrument] = None
            self._members[market].follow(index_of(symbol), (n for n in followers if self._market_of[n] == market))
            self._members[ANY_MARKET].follow(index_of(symbol), followers)
        for scope in (market, ANY_MARKET):
            self._members[scope].add(symbol, instrument)
        for (of, _, variant), ctx in self._contexts.items():
            self._members[ANY_MARKET if variant == MIXED else of].point(ctx)

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        variant = 0 if streams else MIXED
        ctx = self.context_of(market, conn, variant)
        self.read_by(ctx, tables.frames())
        self._members[ANY_MARKET if variant == MIXED else market].point(ctx)
        return ctx

    def taken(self, ctx: np.ndarray) -> Batch:
        """What the kernel decoded; of a whole book the instrument is remembered, so that its short one is left out."""
        batch = super().taken(ctx)
        if batch.channel is Channel.BOOK and len(batch.records):
            self._full.see(batch)
        return batch

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        arrival = self.arrival(self.market_of(ctx), int(ctx[hot.C_CONN]), ts_recv, int(ctx[hot.C_VARIANT]))
        try:
            decoded = decode_frame(payload, arrival, MAX_FRAME_BYTES)
        finally:
            ctx[F_HISTORY] = arrival.history.awaited
        for batch in decoded.batches:
            if batch.channel is Channel.BOOK and len(batch.records):
                self._full.see(batch)
        return decoded

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """A SNAPSHOT or OPEN_INTEREST body as records flagged REST. Raises RejectedFrame, nothing else."""
        return decode_body(meaning, body, self.arrival(meaning.market, conn, ts_recv, MIXED))

    def arrival(self, market: str, conn: int, ts_recv: int, variant: int = 0) -> Arrival:
        """What the typed path is told beside a message."""
        history = self._history.get((market, conn))
        if history is None:
            history = self._history[market, conn] = History()
        return Arrival(
            numbers=self._symbols[market].numbers,
            market=market,
            conn=conn,
            ts_recv=ts_recv,
            max_past_ns=self._max_past_ns,
            max_future_skew_ns=self._max_future_skew_ns,
            variant=variant,
            markets=self._market_of,
            followers=self._followers,
            history=history,
            full=self._full,
        )
