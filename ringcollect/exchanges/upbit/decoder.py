"""The decoder of one feed process: a context per connection, and the typed path beside the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.exchanges.kernel_decoder import MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.protocol import Decoded, RestMeaning
from ringcollect.exchanges.upbit import tables
from ringcollect.exchanges.upbit.cold import decode_frame
from ringcollect.exchanges.upbit.decode import KERNEL
from ringcollect.exchanges.upbit.rest import decode_body


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(KERNEL, {"spot": 0}, capacity, max_past_ns, max_future_skew_ns)

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        ctx = self.context_of(market, conn)
        self.read_by(ctx, tables.frames())
        return ctx

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        return decode_frame(payload, self.arrival_of(ctx, ts_recv), MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """A SNAPSHOT body as records flagged REST. Raises RejectedFrame, nothing else."""
        return decode_body(meaning, body, self.arrival(meaning.market, conn, ts_recv))
