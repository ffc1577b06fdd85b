"""Any spelling JSON allows: the kernel takes it and reads the values; any damage: both ways still say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import binance
from ringcollect.exchanges.protocol import Code, Outcome
from tests.exchanges.frames import new_decoder, same
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, unknown_fields
from tests.exchanges.spelling import damaged as damage

NOW = 1_723_161_255_000_000_000
MS = NOW // 10**6
DECODER = new_decoder(("BTCUSDT", "币安人生USDT"))
CONTEXTS = {market: DECODER.context(market, 0) for market in ("spot", "linear")}
KNOWN_KEYS = set("eETsUubaptqmXflBA") | {
    "pu",
    "stream",
    "data",
    "id",
    "result",
    "error",
    "code",
    "msg",
    "lastUpdateId",
}


def envelope(spelling: Spelling, event: str, stream: str) -> bytes:
    """The event alone, or in the envelope of a combined connection."""
    if spelling.rng.random() < 0.6:
        event = spelling.event({"stream": json.dumps(stream), "data": event})
    return spelling.frame(event)


def build(
    kind: str, spelling: Spelling, symbol: str, extra: dict[str, Any]
) -> tuple[bytes, str, list[tuple[float, ...]]]:
    """(frame, market, expected (price, size, side, id, ts_event ns) rows), values by Python's own float."""
    rng = spelling.rng
    number = lambda: rng.choice(TEXTS)  # noqa: E731
    first, market = rng.randrange(2**62), rng.choice(["spot", "linear"])
    fields = unknown_fields(extra, KNOWN_KEYS) | {"s": spelling.text(symbol)}
    price, size = number(), number()
    if kind == "depthUpdate":
        bids, asks = ([(number(), number()) for _ in range(rng.randrange(5))] for _ in range(2))
        fields |= {
            "e": spelling.text(kind), "E": str(MS), "T": str(MS - 1), "U": str(first), "u": str(first + 5),
            "pu": str(first - 1), "b": spelling.levels(bids), "a": spelling.levels(asks),
        }  # fmt: skip
        rows = [
            (float(p), float(q), side, first + 5, (MS - 1) * 10**6)
            for side, levels in ((1, bids), (-1, asks))
            for p, q in levels
        ]
        return envelope(spelling, spelling.event(fields), "x@depth@100ms"), market, rows
    if kind == "bookTicker":
        bid, ask, ask_size = number(), number(), number()
        fields |= {"u": str(first), "b": spelling.number(bid), "B": spelling.number(size)}
        fields |= {"a": spelling.number(ask), "A": spelling.number(ask_size)}
        if rng.random() < 0.5:
            fields |= {"e": spelling.text(kind), "T": str(MS), "E": str(MS + 1)}
        at = MS * 10**6 if "T" in fields else 0
        rows = [(float(bid), float(size), 1, first, at), (float(ask), float(ask_size), -1, first, at)]
        return envelope(spelling, spelling.event(fields), "!bookTicker"), market, rows
    maker = rng.random() < 0.5
    fields |= {
        "e": spelling.text(kind), "E": str(MS), "T": str(MS * 1000), "p": spelling.number(price),
        "q": spelling.number(size), "m": json.dumps(maker),
    }  # fmt: skip
    if kind == "trade":
        fields |= {"t": str(first), "X": spelling.text(rng.choice(TYPES))}
    else:
        fields |= {"a": str(first), "f": str(first - 3), "l": str(first)}
    rows = [(float(price), float(size), -1 if maker else 1, first, MS * 10**6)]
    if float(price) == 0 or float(size) == 0:
        rows = []
    return envelope(spelling, spelling.event(fields), f"x@{kind}"), market, rows


TYPES = ("MARKET", "MARKET", "LIQUIDATION", "RPI", "ADL", "INSURANCE_FUND")
KINDS = ("depthUpdate", "bookTicker", "trade", "aggTrade")
SYMBOLS = st.sampled_from(["BTCUSDT", "币安人生USDT"])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), symbol=SYMBOLS, extra=EXTRA)
def test_the_kernel_reads_every_spelling_of_an_event(kind: str, seed: int, symbol: str, extra: dict[str, Any]) -> None:
    frame, market, rows = build(kind, Spelling(seed), symbol, extra)
    ctx = CONTEXTS[market]
    answer = binance.decode_hot(frame, ctx, NOW)
    assert answer >= 0, frame
    batch = DECODER.taken(ctx)
    assert same(batch, DECODER.cold(frame, ctx, NOW).batches[0])
    assert batch.instrument == ["BTCUSDT", "币安人生USDT"].index(symbol)
    if kind == "depthUpdate" and not rows:
        assert answer == 1 and batch.records["side"][0] == 0
        return
    got = [tuple(row[name] for name in ("price", "size", "side", "id", "ts_event")) for row in batch.records]
    if kind == "bookTicker":  # a price of nothing is missing
        rows = [(p or float("nan"), *rest) for p, *rest in rows]
    assert bits(got) == bits(rows)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32), extra=EXTRA, how=DAMAGE,
    where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_event_gives_the_same_records_both_ways_or_none(
    kind: str, seed: int, extra: dict[str, Any], how: str, where: int, length: int, byte: int
) -> None:
    frame, market, _ = build(kind, Spelling(seed), "BTCUSDT", extra)
    damaged = damage(frame, how, where, length, byte)
    ctx = CONTEXTS[market]
    answer = binance.decode_hot(damaged, ctx, NOW)
    try:
        decoded = DECODER.cold(damaged, ctx, NOW)
    except RejectedFrame as error:
        assert answer == Code.SLOW, damaged
        assert len(error.reason) <= 200
        return
    json.loads(damaged)
    if answer >= 0:
        assert same(DECODER.taken(ctx), decoded.batches[0]), damaged
    elif answer == Code.UNKNOWN_SYMBOL:
        assert decoded.outcome is Outcome.IGNORED
        assert decoded.unknown == (DECODER.unknown_symbol(damaged, ctx),)
    else:
        assert answer == Code.SLOW


def test_the_same_key_twice_is_left_to_the_typed_path() -> None:
    ctx = CONTEXTS["spot"]
    event = b'{"e":"trade","E":1,"T":1723161255342,"s":"BTCUSDT","t":1,"p":"1","q":"2","m":true,"p":"3"}'
    assert binance.decode_hot(event, ctx, NOW) == Code.SLOW
    assert DECODER.cold(event, ctx, NOW).batches[0].records["price"].tolist() == [3.0]
    for other in (b"7", b'"7"', b"[]"):
        depth = b'{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":1,"b":[],"a":%s,"a":[["1","2"]]}' % other
        assert binance.decode_hot(depth, ctx, NOW) == Code.SLOW


def test_a_price_whose_first_19_digits_do_not_decide_comes_out_right_through_the_typed_path() -> None:
    price = "9007199254740993.0000000000000000000000000000001"
    frame = f'{{"e":"trade","E":1,"T":{MS},"s":"BTCUSDT","t":1,"p":"{price}","q":"2","m":true}}'.encode()
    assert binance.decode_hot(frame, CONTEXTS["spot"], NOW) == Code.SLOW
    (batch,) = DECODER.cold(frame, CONTEXTS["spot"], NOW).batches
    assert batch.records["price"][0] == 9007199254740994.0
