"""The decoder of one feed process: the typed path only; what a frame costs here is little beside what ccxt costs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.ccxt.cold import decode_frame
from ringcollect.exchanges.ccxt.endpoints import MARKETS
from ringcollect.exchanges.kernel_decoder import MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.protocol import Decoded, RestMeaning


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`. ``name`` is the exchange's, whose trades' traps it knows."""

    def __init__(self, name: str, *, capacity: int = 16, max_past_ns: int, max_future_skew_ns: int) -> None:
        markets = {market: number for number, market in enumerate(MARKETS)}
        super().__init__(None, markets, capacity, max_past_ns, max_future_skew_ns)
        self._name = name

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        return self.context_of(market, conn)

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """Every frame. Raises RejectedFrame, nothing else."""
        return decode_frame(self._name, payload, self.arrival_of(ctx, ts_recv), MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """There are no such bodies: what ccxt asks over REST comes as frames. Raises RejectedFrame."""
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
