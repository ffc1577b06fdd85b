"""Any spelling JSON allows: the kernel takes it and reads the values; any damage: both ways still say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import bybit
from ringcollect.exchanges.protocol import Code, Outcome
from ringcollect.records import Channel
from tests.exchanges.bybit_frames import MS, NOW, new_decoder
from tests.exchanges.frames import same
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, damaged, unknown_fields

DECODER = new_decoder()
CTX = DECODER.context("linear", 0, ("orderbook.50.BTCUSDT",))
KNOWN = {
    "topic", "type", "ts", "cts", "data", "op", "success", "ret_msg", "req_id", "s", "b", "a", "u", "i", "T", "p", "v",
    "S", "BT", "RPI",
}  # fmt: skip
KINDS = ("book", "best", "trade")
NOT_ZERO = [text for text in TEXTS if float(text) != 0]
Row = tuple[Any, ...]


def book(spelling: Spelling, kind: str, extra: dict[str, Any]) -> tuple[str, list[Row]]:
    rng = spelling.rng
    texts, counts = (NOT_ZERO, (1, 1)) if kind == "best" else (TEXTS, (rng.randrange(5), rng.randrange(5)))
    bids, asks = ([(rng.choice(texts), rng.choice(texts)) for _ in range(count)] for count in counts)
    update = rng.randrange(1, 2**62)
    fields = unknown_fields(extra, KNOWN) | {"s": '"BTCUSDT"', "u": str(update)}
    rows: list[Row] = [(float(p), float(q), side, update) for lots, side in ((bids, 1), (asks, -1)) for p, q in lots]
    text = spelling.event(fields)
    sides = f'"b":{spelling.levels(bids)},"a":{spelling.levels(asks)}'
    return text[:-1] + "," + sides + "}", rows or [(float("nan"), 0.0, 0, update)]


def prints(spelling: Spelling, extra: dict[str, Any]) -> tuple[str, list[Row]]:
    rng = spelling.rng
    events, rows = [], []
    for _ in range(rng.randrange(1, 4)):
        price, size, side = rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(["Buy", "Sell"])
        whole = rng.randrange(2**128)
        digits = f"{whole:032x}"
        text = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        number = rng.random() < 0.5
        high = rng.randrange(2**63) if number else int.from_bytes(whole.to_bytes(16)[:8], signed=True)
        fields = unknown_fields(extra, KNOWN) | {
            "T": str(MS), "s": '"BTCUSDT"', "S": spelling.text(side), "v": spelling.number(size),
            "p": spelling.number(price), "i": f'"{high}"' if number else f'"{rng.choice([text, text.upper()])}"',
        }  # fmt: skip
        if rng.random() < 0.5:
            fields |= {"BT": rng.choice(["true", "false"]), "RPI": rng.choice(["true", "false"])}
        events.append(spelling.event(fields))
        rows.append((float(price), float(size), 1 if side == "Buy" else -1, high))
    return spelling.join("[", events, "]"), rows


def build(kind: str, spelling: Spelling, symbol: str, extra: dict[str, Any]) -> tuple[bytes, list[Row]]:
    data, rows = prints(spelling, extra) if kind == "trade" else book(spelling, kind, extra)
    data = data.replace('"BTCUSDT"', json.dumps(symbol))
    name = {"book": "orderbook.50", "best": "orderbook.1", "trade": "publicTrade"}[kind]
    head = {"type": spelling.text("delta" if kind == "book" else "snapshot"), "ts": str(MS)}
    parts = [f'"topic":{json.dumps(f"{name}.{symbol}")}', *(f'"{key}":{text}' for key, text in head.items())]
    spelling.rng.shuffle(parts)
    tail = [f'"data":{data}', f'"cts":{MS}'] if kind != "trade" else [f'"data":{data}']
    tail += [f"{json.dumps(key)}:{text}" for key, text in unknown_fields(extra, KNOWN).items()]
    return spelling.frame(spelling.join("{", [*parts, *tail], "}")), rows


def primary() -> None:
    DECODER.hot.row(0, Channel.BOOK)[4] = 50


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), extra=EXTRA)
def test_the_kernel_takes_every_spelling_of_a_message(kind: str, seed: int, extra: dict[str, Any]) -> None:
    primary()
    frame, expected = build(kind, Spelling(seed), "BTCUSDT", extra)
    assert bybit.decode_hot(frame, CTX, NOW) == len(expected), frame
    taken = DECODER.taken(CTX)
    records = taken.records
    columns = [records[name].tolist() for name in ("price", "size", "side", "id")]
    assert bits(list(zip(*columns, strict=True))) == bits(expected)
    (batch,) = DECODER.cold(frame, CTX, NOW).batches
    assert same(taken, batch)


LOTS = st.lists(
    st.tuples(st.sampled_from(["1", "2", "2.0", "3", "0", "-0.0"]), st.sampled_from(["0", "0.0", "-0.0", "4", "5"])),
    max_size=3,
)
"""Few prices, so that levels go, come back and meet."""


@settings(max_examples=150, deadline=None, derandomize=True)
@given(changes=st.lists(st.tuples(st.booleans(), LOTS, LOTS), min_size=1, max_size=8))
def test_best_prices_by_deltas_are_the_typed_paths_after_every_frame(changes: list[tuple[bool, Any, Any]]) -> None:
    by_kernel, typed = new_decoder(), new_decoder()
    contexts = [decoder.context("linear", 0) for decoder in (by_kernel, typed)]
    for update, (whole, bids, asks) in enumerate(changes):
        frame = json.dumps({
            "topic": "orderbook.1.BTCUSDT", "type": "snapshot" if whole else "delta", "ts": MS,
            "data": {"s": "BTCUSDT", "b": bids, "a": asks, "u": update + 1},
        }).encode()  # fmt: skip
        assert bybit.decode_hot(frame, contexts[0], NOW) == 2
        (batch,) = typed.cold(frame, contexts[1], NOW).batches
        assert same(by_kernel.taken(contexts[0]), batch), frame


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_a_symbol_nobody_registered_is_named_by_both_ways(kind: str, seed: int) -> None:
    frame, _ = build(kind, Spelling(seed), "NEWUSDT", {})
    assert bybit.decode_hot(frame, CTX, NOW) == Code.UNKNOWN_SYMBOL
    assert DECODER.unknown_symbol(frame, CTX) == "NEWUSDT"
    assert DECODER.cold(frame, CTX, NOW).unknown == ("NEWUSDT",)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32), extra=EXTRA, how=DAMAGE,
    where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_message_gives_the_same_records_both_ways_or_none(
    kind: str, seed: int, extra: dict[str, Any], how: str, where: int, length: int, byte: int
) -> None:
    primary()
    frame, _ = build(kind, Spelling(seed), "BTCUSDT", extra)
    bad = damaged(frame, how, where, length, byte)
    answer = bybit.decode_hot(bad, CTX, NOW)
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
