"""The decoder of one feed process: a context per connection, and the typed path beside the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import hot
from ringcollect.exchanges.coinbase.cold import decode_frame, harmless_sequence
from ringcollect.exchanges.coinbase.decode import KERNEL
from ringcollect.exchanges.coinbase.endpoints import MAX_FRAME_BYTES
from ringcollect.exchanges.coinbase.rest import decode_body
from ringcollect.exchanges.kernel_decoder import KernelDecoder
from ringcollect.exchanges.protocol import Decoded, RestMeaning


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`. Messages say themselves of which feed they are."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(KERNEL, {"spot": 0}, capacity, max_past_ns, max_future_skew_ns)

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        return self.context_of(market, conn, max_frame=MAX_FRAME_BYTES)

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        try:
            return decode_frame(payload, self.arrival_of(ctx, ts_recv), MAX_FRAME_BYTES)
        except RejectedFrame:
            sequence = harmless_sequence(payload, MAX_FRAME_BYTES)
            if 0 <= sequence == int(ctx[hot.C_EXPECTED]):
                ctx[hot.C_EXPECTED] = sequence + 1
            raise

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """Trades that were missed: books come by their stream, and nothing is polled. Raises RejectedFrame only."""
        return decode_body(meaning, body, self.arrival(meaning.market, conn, ts_recv))
