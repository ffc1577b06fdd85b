"""The decoder of one feed process: contexts, what connections remember, and the typed path beside the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.decode.memory import address
from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import hot
from ringcollect.exchanges.bybit import tables, tickers
from ringcollect.exchanges.bybit.cold import Arrival, decode_frame
from ringcollect.exchanges.bybit.decode import KERNEL
from ringcollect.exchanges.bybit.fields import MARKET_CODES
from ringcollect.exchanges.kernel_decoder import MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.protocol import Decoded, RestMeaning


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(KERNEL, MARKET_CODES, capacity, max_past_ns, max_future_skew_ns)
        self._topics: dict[tuple[str, int], frozenset[str]] = {}
        self._tickers: dict[tuple[str, int], np.ndarray] = {}

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection, which begins anew: tickers start with a snapshot."""
        self._topics[market, conn] = frozenset(streams)
        states = self._tickers[market, conn] = tickers.new_states()
        ctx = self.context_of(market, conn)
        self.read_by(ctx, tables.frames(market))
        ctx[hot.C_STATE] = address(states.reshape(-1))
        return ctx

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        return decode_frame(payload, self.arrival(self.market_of(ctx), int(ctx[hot.C_CONN]), ts_recv), MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """Nothing is polled and books come by their stream: always RejectedFrame."""
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")

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
            variant=variant,
            rows=self.hot,
            topics=self._topics.get((market, conn), frozenset()),
            tickers=self._tickers[market, conn],
        )
