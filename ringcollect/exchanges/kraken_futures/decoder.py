"""The decoder of one feed process: a context per connection, and the typed path beside the kernel."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ringcollect.decode.symbols import SymbolTable
from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.kernel_decoder import MAX_FRAME_BYTES, KernelDecoder
from ringcollect.exchanges.kraken_futures import tables
from ringcollect.exchanges.kraken_futures.cold import decode_frame
from ringcollect.exchanges.kraken_futures.decode import KERNEL
from ringcollect.exchanges.kraken_futures.tickers import FUNDING_INTERVAL
from ringcollect.exchanges.protocol import Batch, Decoded, RestMeaning
from ringcollect.records import Channel


class Decoder(KernelDecoder):
    """See :class:`ringcollect.exchanges.protocol.Decoder`. A connection carries both markets: one symbol table."""

    def __init__(self, *, capacity: int = 65536, max_past_ns: int, max_future_skew_ns: int) -> None:
        super().__init__(KERNEL, {"linear": 0, "inverse": 1}, capacity, max_past_ns, max_future_skew_ns)
        self._symbols = dict.fromkeys(self._symbols, SymbolTable())

    def add_symbol(self, market: str, symbol: str, instrument: int, funding_interval_ns: int = 0) -> None:
        """Make a native symbol known to both ways; an interval nobody says is that of every perpetual."""
        super().add_symbol(market, symbol, instrument, funding_interval_ns or FUNDING_INTERVAL)

    def context(self, market: str, conn: int, streams: Sequence[str] = ()) -> np.ndarray:
        """The context array of one connection; the same one for the same arguments."""
        ctx = self.context_of(market, conn)
        self.read_by(ctx, tables.frames())
        return ctx

    def all_taken(self, ctx: np.ndarray) -> tuple[Batch, ...]:
        """After NOT_OPEN, STALE, GAP or TOO_LONG: what the kernel decoded, as copies; each trade of several alone."""
        return tuple(self._numbered(batch) for batch in super().all_taken(ctx))

    @staticmethod
    def _numbered(batch: Batch) -> Batch:
        """A trade of several with the number that the kernel left in its ``seq``."""
        number = int(batch.records["seq"][0]) if batch.channel is Channel.TRADE and batch.last_id < 0 else -1
        if number < 0:
            return batch
        batch.records["seq"] = 0
        return dataclasses.replace(batch, first_id=number, last_id=number)

    def cold(self, payload: bytes, ctx: np.ndarray, ts_recv: int) -> Decoded:
        """The typed way for every frame, hot ones included. Raises RejectedFrame, nothing else."""
        return decode_frame(payload, self.arrival_of(ctx, ts_recv), MAX_FRAME_BYTES)

    def rest(self, meaning: RestMeaning, body: bytes, ts_recv: int, conn: int = 255) -> Decoded:
        """Nothing is polled and books come by their stream: always RejectedFrame."""
        raise RejectedFrame(f"no records in an answer about {meaning.purpose}")
