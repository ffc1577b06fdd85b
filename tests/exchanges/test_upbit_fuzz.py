"""Any spelling JSON allows, and any damage: the kernel reads it as the typed path does, or leaves it alone."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import upbit
from ringcollect.exchanges.protocol import Code
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, damaged, unknown_fields
from tests.exchanges.upbit_frames import MS, NOW, SYMBOLS, agree, book, new_decoder, trade

DECODER = new_decoder()
CTX = DECODER.context("spot", 0)
NAMES = {
    "type": "ty", "code": "cd", "timestamp": "tms", "orderbook_units": "obu", "trade_price": "tp", "trade_volume": "tv",
    "ask_bid": "ab", "sequential_id": "sid", "stream_type": "st", "ask_price": "ap", "bid_price": "bp",
    "ask_size": "as", "bid_size": "bs",
}  # fmt: skip
KNOWN = {*NAMES, *NAMES.values(), "error", "status", "method"}
Row = tuple[float, ...]


def fields_of(spelling: Spelling, fields: dict[str, str], simple: bool, extra: dict[str, Any]) -> str:
    named = {NAMES[name] if simple else name: text for name, text in fields.items()}
    return spelling.event(named | unknown_fields(extra, KNOWN))


def build(kind: str, seed: int, symbol: str, extra: dict[str, Any]) -> tuple[bytes, list[Row]]:
    """(frame, expected (price, size, side, id) rows), values by Python's own float."""
    spelling = Spelling(seed)
    rng = spelling.rng
    simple = rng.random() < 0.5
    common = {
        "type": spelling.text(kind), "code": spelling.text(symbol), "timestamp": str(MS),
        "stream_type": spelling.text(rng.choice(["REALTIME", "SNAPSHOT"])),
    }  # fmt: skip
    if kind == "trade":
        price, size, identity, side = (
            rng.choice(TEXTS),
            rng.choice(TEXTS),
            rng.randrange(2**62),
            rng.choice(["ASK", "BID"]),
        )
        fields = common | {
            "trade_price": spelling.number(price), "trade_volume": spelling.number(size),
            "ask_bid": spelling.text(side), "sequential_id": str(identity),
        }  # fmt: skip
        frame = spelling.frame(fields_of(spelling, fields, simple, extra))
        return frame, [(float(price), float(size), 1 if side == "BID" else -1, identity)]
    bids: list[Row] = []
    asks: list[Row] = []
    units = []
    for _ in range(rng.randrange(5)):
        ask, bid, ask_size, bid_size = (rng.choice([*TEXTS[:200], "0", "0.0"]) for _ in range(4))
        fields = {"ask_price": ask, "bid_price": bid, "ask_size": ask_size, "bid_size": bid_size}
        units.append(fields_of(spelling, {k: spelling.number(v) for k, v in fields.items()}, simple, extra))
        if float(bid):
            bids.append((float(bid), float(bid_size), 1, 0))
        if float(ask):
            asks.append((float(ask), float(ask_size), -1, 0))
    empty = (float("nan"), 0.0)
    best = [(*(side[0][:2] if side else empty), sign, 0) for side, sign in ((bids, 1), (asks, -1))]
    frame_fields = common | {"orderbook_units": spelling.join("[", units, "]")}
    rows = (bids + asks or [(*empty, 0, 0)]) + best
    return spelling.frame(fields_of(spelling, frame_fields, simple, extra)), rows


@pytest.mark.parametrize("kind", ["orderbook", "trade"])
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), symbol=st.sampled_from(SYMBOLS), extra=EXTRA)
def test_the_kernel_reads_every_spelling_of_a_message(kind: str, seed: int, symbol: str, extra: dict[str, Any]) -> None:
    frame, rows = build(kind, seed, symbol, extra)
    answer, _ = agree(DECODER, CTX, frame, NOW)
    assert answer == len(rows), frame
    records = DECODER.batch[:answer]
    assert set(records["instrument"].tolist()) == {SYMBOLS.index(symbol)}
    assert set(records["ts_event"].tolist()) == {MS * 10**6}
    assert bits([tuple(row[name] for name in ("price", "size", "side", "id")) for row in records]) == bits(rows)


@pytest.mark.parametrize("kind", ["orderbook", "trade"])
@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32), extra=EXTRA, how=DAMAGE,
    where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_message_gives_the_same_records_both_ways_or_none(
    kind: str, seed: int, extra: dict[str, Any], how: str, where: int, length: int, byte: int
) -> None:
    frame, _ = build(kind, seed, "KRW-BTC", extra)
    bad = damaged(frame, how, where, length, byte)
    try:
        agree(DECODER, CTX, bad, NOW)
    except RejectedFrame as error:
        assert upbit.decode_hot(bad, CTX, NOW) == Code.SLOW, bad
        assert len(error.reason) <= 200
        return
    json.loads(bad)


FRAMES = {"orderbook": orjson.dumps(book([(127.5, 126.0, 2, 0.25), (0, 125, 0, 3e-5)])), "trade": orjson.dumps(trade())}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_cut_at_any_byte_is_rejected(name: str) -> None:
    frame = FRAMES[name]
    for end in range(len(frame)):
        assert upbit.decode_hot(frame[:end], CTX, NOW) == Code.SLOW
        with pytest.raises(RejectedFrame):
            DECODER.cold(frame[:end], CTX, NOW)


@pytest.mark.parametrize("name", FRAMES)
def test_every_byte_replaced_by_every_kind_of_byte_never_divides_the_paths(name: str) -> None:
    frame = FRAMES[name]
    for at in range(len(frame)):
        for byte in b'{}[]",:\\0-.eEx \x00\x1f\x80\xff':
            bad = frame[:at] + bytes([byte]) + frame[at + 1 :]
            if upbit.decode_hot(bad, CTX, NOW) >= 0:
                agree(DECODER, CTX, bad, NOW)


def test_a_message_of_both_formats_is_left_to_the_typed_path() -> None:
    mixed = FRAMES["trade"].replace(b'"ask_bid"', b'"ab"')
    assert upbit.decode_hot(mixed, CTX, NOW) == Code.SLOW


def test_a_book_that_does_not_fit_goes_the_typed_way() -> None:
    decoder = new_decoder(capacity=10)
    ctx = decoder.context("spot", 0)
    for units, fits in ((4, True), (5, False)):
        frame = orjson.dumps(book([(2, 1, 1, 1)] * units))
        assert (upbit.decode_hot(frame, ctx, NOW) == 2 * units + 2) == fits
        assert len(decoder.cold(frame, ctx, NOW).batches[0].records) == 2 * units
