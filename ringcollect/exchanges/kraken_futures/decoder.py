"""The decoder of one feed process: a context per connection, and the typed path beside the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.decode.symbols import SymbolTable
from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kernel_decoder import MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.kraken_futures.cold import decode_frame
from ringcollect.exchanges.kraken_futures.decode import KERNEL
from ringcollect.exchanges.protocol import Decoded, RestMeaning


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`. A connection carries both markets: one symbol table."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(KERNEL, {"linear": 0, "inverse": 1}, capacity, max_past_ns, max_future_skew_ns)
        self._symbols = dict.fromkeys(self._symbols, SymbolTable())

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        return self.context_of(market, conn)

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        return decode_frame(payload, self.arrival_of(ctx, ts_recv), MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """Nothing is polled and books come by their stream: always RejectedFrame."""
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
