"""Many frames of one socket read are settled in one kernel call, as one by one, up to the first that is the feed's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from ringcollect.exchanges import hot, load
from ringcollect.exchanges.protocol import Code
from ringcollect.records import RECORD, Channel
from ringcollect.ring import protocol
from ringcollect.ring.layout import Layout, write_header
from tests.exchanges import okx_frames, upbit_frames
from tests.exchanges.frames import on_hot_frame
from tests.exchanges.test_okx_events import book as okx_book
from tests.exchanges.test_okx_events import trade as okx_trade

FRAMES = {
    "okx": [
        orjson.dumps(okx_trade(tradeId=str(900 + i), count="1")) for i in range(3)
    ] + [orjson.dumps(okx_book(seqId=20 + i, prevSeqId=19 + i, checksum=7)) for i in range(3)],
    "upbit": [orjson.dumps(upbit_frames.trade(sequential_id=i)) for i in range(3)]
    + [orjson.dumps(upbit_frames.book(timestamp=upbit_frames.MS + i)) for i in range(3)],
}  # fmt: skip
NOW = {"okx": okx_frames.NOW, "upbit": upbit_frames.NOW}


def bench(exchange: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """(exchange, context, ring) with every row open and the OKX book at id 19."""
    module = load(exchange)
    decoder = (okx_frames if exchange == "okx" else upbit_frames).new_decoder()
    layout = Layout("test.rec", RECORD, 1 << 10, (), {})
    ring = np.zeros(layout.places().file_bytes // 8, np.int64)
    write_header(ring, layout, generation=1)
    decoder.attach_ring(ring, 1 << 7, {name: np.zeros(1, np.int64) for name in hot.COUNTED})
    for instrument in range(3):
        for channel in (Channel.BOOK, Channel.TRADE, Channel.BBO):
            row = decoder.hot.row(instrument, channel)
            row[hot.OPEN] = row[hot.WANTED] = hot.OPEN_TO_ALL
            row[hot.LAST_ID] = 19 if channel is Channel.BOOK else -1
    ctx = decoder.context(module.markets[0], 0, ("x",))
    return SimpleNamespace(**{name: getattr(module, name) for name in module.__all__}, keeps=decoder), ctx, ring


def published(ring: np.ndarray) -> bytes:
    out = np.zeros((1 << 10) * 8, np.int64)
    _, n, offset, _ = protocol.consume(ring, 0, out, 1 << 10)
    return out[offset * 8 : (offset + n) * 8].tobytes()


@pytest.mark.parametrize("exchange", FRAMES)
def test_the_ring_is_the_same_whether_frames_come_together_or_alone(exchange: str) -> None:
    frames, now = FRAMES[exchange], NOW[exchange]
    module, ctx, ring = bench(exchange)
    assert hot.quick(module.on_hot_frames)(frames, ctx, now) == len(frames)
    alone, ctx_alone, ring_alone = bench(exchange)
    assert all(on_hot_frame(alone, frame, ctx_alone, now) > 0 for frame in frames)
    assert published(ring) == published(ring_alone) != b""


@pytest.mark.parametrize("exchange", FRAMES)
def test_the_kernel_stops_at_the_frame_that_is_the_feeds(exchange: str) -> None:
    frames = FRAMES[exchange]
    module, ctx, _ = bench(exchange)
    assert hot.quick(module.on_hot_frames)([frames[0], b"pong", frames[1]], ctx, NOW[exchange]) == 1
    assert ctx[hot.C_CODE] == Code.SLOW
