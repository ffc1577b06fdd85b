"""Any spelling JSON allows: the kernel reads it as Python's own parser does; cut or damaged frames never divide."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import kraken
from ringcollect.exchanges.protocol import Code
from ringcollect.records import Flag, Kind, TickerField
from tests.exchanges.kraken_frames import NOW, SYMBOLS, agree, new_decoder
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, damaged, unknown_fields

DECODER = new_decoder()
CTX = DECODER.context("spot", 0)
KNOWN = {
    "symbol", "bids", "asks", "checksum", "timestamp", "price", "qty", "side", "trade_id", "channel", "type", "data",
    "method", "error", "success", "result", "req_id", "bid", "bid_qty", "ask", "ask_qty", "ord_type", "last",
    "high", "low", "volume",
}  # fmt: skip
TIME, TIME_NS = "2026-08-01T02:53:53.646219Z", 1_785_552_833_646_219_000
NAN = float("nan")
DAY = {"last": TickerField.LAST, "high": TickerField.HIGH, "low": TickerField.LOW, "volume": TickerField.BASE_VOLUME}


def build(kind: str, seed: int, extra: dict[str, Any], what: str = "update") -> tuple[bytes, list[tuple[float, ...]]]:
    """(frame, expected (price, size, side, id, aux) rows), values by Python's own float."""
    spelling = Spelling(seed)
    rng = spelling.rng
    number = lambda: rng.choice(TEXTS)  # noqa: E731
    symbol = rng.choice(SYMBOLS)
    rows: list[tuple[float, ...]] = []
    link = -1 if what == "snapshot" else 0  # what a level follows: a whole book nothing, a delta what the feed knows
    more = unknown_fields(extra, KNOWN)
    common = {"symbol": spelling.text(symbol), "timestamp": f'"{TIME}"'}  # a time in escapes goes the typed way
    if kind == "trade":
        common["symbol"] = f'"{symbol}"'  # several prints in escapes go the typed way, too
    if kind == "book":
        sides = {}
        for name, sign in (("bids", 1), ("asks", -1)):
            pairs = [(number(), number()) for _ in range(rng.randrange(4))]
            texts = [spelling.event({"price": p, "qty": q}) for p, q in pairs]
            sides[name] = spelling.join("[", texts, "]")
            rows += [(float(p), float(q), sign, 0, link) for p, q in pairs]
        check = zlib.crc32(str(seed).encode())
        rows = rows or [(NAN, 0.0, 0, 0, link)]
        rows.append((NAN, NAN, 0, 0, check))
        objects = [spelling.event(common | sides | {"checksum": str(check)} | more)]
    elif kind == "trade":
        objects = []
        for _ in range(rng.randrange(1, 4)):
            price, size, side, identity = number(), number(), rng.choice(["buy", "sell"]), rng.randrange(2**62)
            fields = {"price": price, "qty": size, "side": spelling.text(side), "trade_id": str(identity)}
            objects.append(spelling.event(common | fields | more))
            rows.append((float(price), float(size), 1 if side == "buy" else -1, identity, identity))
    else:
        values = {name: number() for name in ("bid", "bid_qty", "ask", "ask_qty")}
        day = {name: number() for name in DAY if rng.random() < 0.8}
        objects = [spelling.event(common | values | day | more)]
        rows = [
            (float(values[side]) or NAN, float(values[f"{side}_qty"]), sign, 0, 0)
            for side, sign in (("bid", 1), ("ask", -1))
        ]
        rows += [(float(value), NAN, 0, 0, DAY[name]) for name, value in day.items()]
    outer = {"channel": spelling.text(kind), "type": spelling.text(what), "data": spelling.join("[", objects, "]")}
    return spelling.frame(spelling.event(outer)), rows


@pytest.mark.parametrize("what", ["update", "snapshot"])
@pytest.mark.parametrize("kind", ["book", "trade", "ticker"])
@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), extra=EXTRA)
def test_the_kernel_reads_every_spelling_of_a_message(kind: str, what: str, seed: int, extra: dict[str, Any]) -> None:
    frame, rows = build(kind, seed, extra, what)
    answer, _ = agree(DECODER, CTX, frame, NOW)
    assert answer == len(rows), frame
    records = DECODER.batch[:answer]
    assert set(records["ts_event"].tolist()) == {TIME_NS}
    assert bits([tuple(row[name] for name in ("price", "size", "side", "id", "aux")) for row in records]) == bits(rows)
    levels = records[records["kind"] != Kind.BOOK_CHECK]
    assert set((levels["flags"] & Flag.SNAPSHOT != 0).tolist()) == {what == "snapshot"}
    assert (levels["flags"] & Flag.CLEAR != 0).tolist() == [
        kind == "book" and what == "snapshot" and k == 0 for k in range(len(levels))
    ]


@pytest.mark.parametrize("kind", ["book", "trade", "ticker"])
@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    what=st.sampled_from(["update", "snapshot"]), seed=st.integers(0, 2**32), extra=EXTRA, how=DAMAGE,
    where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_message_gives_the_same_records_both_ways_or_none(
    kind: str, what: str, seed: int, extra: dict[str, Any], how: str, where: int, length: int, byte: int
) -> None:
    bad = damaged(build(kind, seed, extra, what)[0], how, where, length, byte)
    try:
        agree(DECODER, CTX, bad, NOW)
    except RejectedFrame as error:
        assert kraken.decode_hot(bad, CTX, NOW) == Code.SLOW, bad
        assert len(error.reason) <= 200
        return
    json.loads(bad)


@pytest.mark.parametrize("kind", ["book", "trade", "ticker"])
def test_a_frame_cut_at_any_byte_is_rejected(kind: str) -> None:
    frame = build(kind, 5, {})[0].strip()
    for end in range(len(frame)):
        assert kraken.decode_hot(frame[:end], CTX, NOW) == Code.SLOW
        with pytest.raises(RejectedFrame):
            DECODER.cold(frame[:end], CTX, NOW)


def test_a_book_that_does_not_fit_goes_the_typed_way() -> None:
    decoder = new_decoder(capacity=4)
    ctx = decoder.context("spot", 0)
    for levels, fits in ((3, True), (4, False)):
        rows = ",".join('{"price":1.5,"qty":2}' for _ in range(levels))
        head, tail = (
            b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[',
            b'],"asks":[],"checksum":7}]}',
        )
        frame = head + rows.encode() + tail
        assert (kraken.decode_hot(frame, ctx, NOW) == levels + 1) == fits
        assert sum(len(batch.records) for batch in decoder.cold(frame, ctx, NOW).batches) == levels + 1
