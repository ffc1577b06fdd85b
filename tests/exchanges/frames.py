"""Captured frames for the tests, and a decoder that gets to know symbols as they come."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from ringcollect.exchanges import binance
from ringcollect.exchanges.binance.decoder import Decoder
from ringcollect.exchanges.hot import C_CODE
from ringcollect.exchanges.protocol import Batch, Code
from ringcollect.records import Kind

DAY_NS = 86_400 * 10**9
SKEW_NS = 30 * 10**9


def new_decoder(symbols: tuple[str, ...] = (), capacity: int = 65536) -> Decoder:
    """A decoder that knows ``symbols`` in both markets, numbered from 0."""
    decoder = Decoder(capacity=capacity, max_past_ns=DAY_NS, max_future_skew_ns=SKEW_NS)
    for number, symbol in enumerate(symbols):
        for market in binance.markets:
            decoder.add_symbol(market, symbol, number)
    return decoder


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a gzipped JSONL file."""
    with gzip.open(path) as file:
        for line in file:
            yield orjson.loads(line)


def hot(decoder: Decoder, frame: bytes, ctx: np.ndarray, ts_recv: int) -> int:
    """The kernel's answer, with unknown symbols registered on sight."""
    answer = binance.decode_hot(frame, ctx, ts_recv)
    if answer == Code.UNKNOWN_SYMBOL:
        symbol = decoder.unknown_symbol(frame, ctx)
        numbers = decoder._symbols["spot"].numbers
        for market in binance.markets:
            decoder.add_symbol(market, symbol, len(numbers) if market == "spot" else numbers[symbol])
        answer = binance.decode_hot(frame, ctx, ts_recv)
    return answer


def merged(batches: Sequence[Batch]) -> list[Batch]:
    """A book and the checksum behind it as one, as a kernel writes them; everything else as it is."""
    done: list[Batch] = []
    for batch in batches:
        if done and len(batch.records) and batch.records["kind"][0] == Kind.BOOK_CHECK:
            levels = done.pop()
            assert (levels.instrument, levels.last_id) == (batch.instrument, batch.last_id)
            batch = dataclasses.replace(levels, records=np.concatenate([levels.records, batch.records]))
        done.append(batch)
    return done


def same(one: Batch, two: Batch) -> bool:
    """Equal ids and equal bytes of all records."""
    ids = [(b.instrument, b.channel, b.first_id, b.last_id, b.prev_id) for b in (one, two)]
    return ids[0] == ids[1] and one.records.tobytes() == two.records.tobytes()


def on_hot_frame(module: Any, frame: bytes, ctx: np.ndarray, ts_recv: int) -> int:
    """The kernel's answer to one frame: records published, 0, or a Code."""
    taken = module.on_hot_frames([frame], ctx, ts_recv)
    answer = int(ctx[C_CODE])
    assert taken == (answer >= 0)
    return answer
