"""Garbage, truncated and damaged frames: rejected, and the kernel never says more than the typed path."""

from __future__ import annotations

import orjson
import pytest

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import okx
from ringcollect.exchanges.protocol import Code, Outcome
from tests.exchanges.frames import merged, same
from tests.exchanges.okx_frames import NOW, cold, new_decoder
from tests.exchanges.test_okx_events import FUNDING, about, book, forced, trade

FRAMES = {
    "book": orjson.dumps(book(bids=[["1e3", "2", "0", "1"], ["61737.6", "0", "0", "0"]], checksum=-5)),
    "best": orjson.dumps(book("", "bbo-tbt")),
    "trade": orjson.dumps(trade(count="8", source="1")),
    "funding": orjson.dumps(about("funding-rate", **FUNDING)),
    "forced": orjson.dumps(forced("BTC-USDT-SWAP")),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_cut_at_any_byte_is_rejected(name: str) -> None:
    frame = FRAMES[name]
    decoder = new_decoder()
    ctx = decoder.context("linear", 0)
    for end in range(len(frame)):
        assert okx.decode_hot(frame[:end], ctx, NOW) == Code.SLOW
        with pytest.raises(RejectedFrame):
            decoder.cold(frame[:end], ctx, NOW)
    assert decoder.cold(frame, ctx, NOW).outcome is Outcome.DECODED
    assert okx.decode_hot(frame, ctx, NOW) > 0


@pytest.mark.parametrize("tail", [b"x", b",", b"}", b"{}", b"\x00", b"null"])
def test_anything_behind_a_frame_rejects_it(tail: bytes) -> None:
    for frame in FRAMES.values():
        with pytest.raises(RejectedFrame):
            cold((frame + tail).decode())


@pytest.mark.parametrize("garbage", ["", "ping", "pongs", " pong", "null", "[]", "1", "<html>", "[" * 100_000])
def test_garbage_is_rejected(garbage: str) -> None:
    with pytest.raises(RejectedFrame):
        cold(garbage)


@pytest.mark.parametrize("name", FRAMES)
def test_every_byte_replaced_by_every_kind_of_byte_never_divides_the_paths(name: str) -> None:
    decoder = new_decoder()
    ctx = decoder.context("linear", 0)
    frame = FRAMES[name]
    for at in range(len(frame)):
        for byte in b'{}[]",:\\0-.eEx \x00\x1f\x80\xff':
            damaged = frame[:at] + bytes([byte]) + frame[at + 1 :]
            answer = okx.decode_hot(damaged, ctx, NOW)
            if answer >= 0:
                expected, taken = merged(decoder.cold(damaged, ctx, NOW).batches), decoder.all_taken(ctx)
                assert len(taken) == len(expected) and all(map(same, taken, expected)), damaged


def test_a_batch_that_does_not_fit_goes_the_typed_way() -> None:
    decoder = new_decoder(capacity=4)
    ctx = decoder.context("linear", 0)
    for levels, checksum, fits in ((3, 0, True), (4, 0, False), (2, 9, True), (3, 9, False)):
        frame = orjson.dumps(book(bids=[["1", "2", "0", "1"]] * levels, checksum=checksum))
        assert (okx.decode_hot(frame, ctx, NOW) > 0) == fits
        assert len(merged(decoder.cold(frame, ctx, NOW).batches)[0].records) == levels + 1 + bool(checksum)
