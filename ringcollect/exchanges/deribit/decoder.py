"""The decoder of one feed process: a context per connection, the shared kernel with our table, the typed path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ringcollect.decode.symbols import SymbolTable
from ringcollect.exchanges.deribit import tables
from ringcollect.exchanges.deribit.cold import decode_frame
from ringcollect.exchanges.deribit.rest import decode_body
from ringcollect.exchanges.kernel_decoder import MAX_BODY_BYTES, MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.protocol import Decoded, RestMeaning

_MARKETS = {"linear": 0, "inverse": 1}


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`. No symbol is in both markets: there is one symbol table."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(None, _MARKETS, capacity, max_past_ns, max_future_skew_ns)
        self._symbols = dict.fromkeys(_MARKETS, SymbolTable())

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        ctx = self.context_of(market, conn)
        self.read_by(ctx, tables.frames())
        return ctx

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame. Raises RejectedFrame, nothing else."""
        return decode_frame(payload, self.arrival_of(ctx, ts_recv), MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """A SNAPSHOT, TRADES or LAST_TRADE body as records flagged REST. Raises RejectedFrame, nothing else."""
        return decode_body(meaning, body, self.arrival(meaning.market, conn, ts_recv), MAX_BODY_BYTES)
