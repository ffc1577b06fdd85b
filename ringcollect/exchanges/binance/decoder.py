"""The decoder of one feed process: a context per connection, and the typed path beside the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.exchanges.binance import tables
from ringcollect.exchanges.binance.cold import decode_frame
from ringcollect.exchanges.binance.decode import KERNEL
from ringcollect.exchanges.binance.events import MARKET_CODES, RAW_DEPTH
from ringcollect.exchanges.binance.rest import decode_body
from ringcollect.exchanges.binance.streams import is_diff_depth
from ringcollect.exchanges.kernel_decoder import MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.protocol import Decoded, RestMeaning


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(KERNEL, MARKET_CODES, capacity, max_past_ns, max_future_skew_ns)

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        raw_depth = not any("@depth" in name and not is_diff_depth(name) for name in streams)
        ctx = self.context_of(market, conn, RAW_DEPTH if raw_depth else 0)
        self.read_by(ctx, tables.frames())
        return ctx

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        return decode_frame(payload, self.arrival_of(ctx, ts_recv), MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """A SNAPSHOT or OPEN_INTEREST body as records flagged REST. Raises RejectedFrame, nothing else."""
        quick = self.read_body(tables.body(meaning.purpose), meaning, body, ts_recv, conn)
        return quick or decode_body(meaning, body, self.arrival(meaning.market, conn, ts_recv))
