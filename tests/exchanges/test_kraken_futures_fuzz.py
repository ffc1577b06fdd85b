"""Any spelling JSON allows: the kernel takes it and reads the values; any damage: both ways still say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import kraken_futures
from ringcollect.exchanges.protocol import Code, Outcome
from tests.exchanges.frames import same
from tests.exchanges.kraken_futures_frames import MS, NOW, new_decoder
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, damaged, unknown_fields

DECODER = new_decoder()
CTX = DECODER.context("linear", 0)
KNOWN = {
    "feed", "event", "product_id", "product_ids", "side", "seq", "price", "qty", "timestamp", "time", "uid", "type",
    "message",
}  # fmt: skip
KINDS = ("book", "trade")
Row = tuple[Any, ...]


def build(kind: str, spelling: Spelling, symbol: str, extra: dict[str, Any]) -> tuple[bytes, Row]:
    rng = spelling.rng
    price, size, side, seq = rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(["buy", "sell"]), rng.randrange(2**62)
    fields = unknown_fields(extra, KNOWN) | {
        "feed": spelling.text(kind), "product_id": json.dumps(symbol), "side": spelling.text(side), "seq": str(seq),
        "price": spelling.number(price), "qty": spelling.number(size),
    }  # fmt: skip
    amount, identity = float(size), seq
    if kind == "book":
        fields["timestamp"] = str(MS)
        amount = amount if amount > 0 else 0.0
    else:
        whole = rng.randrange(2**128)
        digits = f"{whole:032x}"
        text = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        identity = int.from_bytes(whole.to_bytes(16)[:8], signed=True)
        fields |= {
            "uid": f'"{rng.choice([text, text.upper()])}"', "type": spelling.text("fill"), "time": str(MS),
        }  # fmt: skip
    return spelling.frame(spelling.event(fields)), (float(price), amount, 1 if side == "buy" else -1, identity)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), extra=EXTRA)
def test_the_kernel_takes_every_spelling_of_a_message(kind: str, seed: int, extra: dict[str, Any]) -> None:
    frame, expected = build(kind, Spelling(seed), "PF_XBTUSD", extra)
    assert kraken_futures.decode_hot(frame, CTX, NOW) == 1, frame
    taken = DECODER.taken(CTX)
    columns = [taken.records[name].tolist() for name in ("price", "size", "side", "id")]
    assert bits(list(zip(*columns, strict=True))) == bits([expected])
    (batch,) = DECODER.cold(frame, CTX, NOW).batches
    assert same(taken, batch)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32), extra=EXTRA, how=DAMAGE,
    where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_message_gives_the_same_records_both_ways_or_none(
    kind: str, seed: int, extra: dict[str, Any], how: str, where: int, length: int, byte: int
) -> None:
    frame, _ = build(kind, Spelling(seed), "PF_XBTUSD", extra)
    bad = damaged(frame, how, where, length, byte)
    answer = kraken_futures.decode_hot(bad, CTX, NOW)
    taken = DECODER.taken(CTX) if answer >= 0 else None
    try:
        decoded = DECODER.cold(bad, CTX, NOW)
    except RejectedFrame as error:
        assert answer == Code.SLOW, bad
        assert len(error.reason) <= 200
        return
    json.loads(bad)
    if taken is not None:
        assert same(taken, decoded.batches[0]), bad
    elif answer == Code.UNKNOWN_SYMBOL:
        assert decoded.outcome is Outcome.IGNORED
        assert decoded.unknown == (DECODER.unknown_symbol(bad, CTX),)
    else:
        assert answer == Code.SLOW
