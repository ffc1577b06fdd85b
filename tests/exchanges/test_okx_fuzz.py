"""Any spelling JSON allows: the kernel takes it and reads the values; any damage: both ways still say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import okx
from ringcollect.exchanges.protocol import Code, Outcome
from ringcollect.records import Kind
from tests.exchanges.frames import merged, same
from tests.exchanges.okx_frames import MS, NOW, SYMBOLS, new_decoder
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, damaged, unknown_fields

DECODER = new_decoder()
CTX = DECODER.context("linear", 0)
SHORT = new_decoder()
SHORT_CTX = SHORT.context("linear", 0)
"""Has seen no whole book, beside which short ones are nothing."""
KNOWN = {
    "arg", "action", "data", "event", "id", "code", "msg", "channel", "instId", "instType", "asks", "bids", "ts",
    "seqId", "prevSeqId", "checksum", "tradeId", "px", "sz", "side", "count", "source",
}  # fmt: skip
KINDS = ("books", "books5", "bbo-tbt", "trades")
Row = tuple[float, ...]


def level(spelling: Spelling) -> tuple[str, ...]:
    rng = spelling.rng
    return rng.choice(TEXTS), rng.choice(TEXTS), "0", str(rng.randrange(9))


def book(spelling: Spelling, kind: str, extra: dict[str, Any]) -> tuple[str, list[Row]]:
    rng = spelling.rng
    most = 2 if kind == "bbo-tbt" else 5
    bids, asks = ([level(spelling) for _ in range(rng.randrange(most))] for _ in range(2))
    sequence, checksum = rng.randrange(2**62), rng.choice([0, 0, -(2**31), 2**31 - 1])
    ids = {"seqId": str(sequence)} | ({} if kind == "bbo-tbt" else {"prevSeqId": str(sequence - 1)})
    if rng.random() < 0.3:  # before 2022-12
        ids, sequence = {}, 0
    fields = unknown_fields(extra, KNOWN) | ids | {
        "ts": spelling.number(str(MS)), "bids": spelling.levels(bids), "asks": spelling.levels(asks),
    }  # fmt: skip
    at = MS * 10**6
    if kind == "bbo-tbt":
        sides = [(bids, 1), (asks, -1)]
        rows: list[Row] = [
            (float(side[0][0]), float(side[0][1]), sign, sequence, at)
            if side
            else (float("nan"), 0.0, sign, sequence, at)
            for side, sign in sides
        ]
        return spelling.event(fields), rows
    fields |= {"checksum": str(checksum)}
    rows = [(float(p), float(q), side, sequence, at) for lots, side in ((bids, 1), (asks, -1)) for p, q, *_ in lots]
    rows = rows or [(float("nan"), 0.0, 0, sequence, at)]
    if checksum:
        rows.append((float("nan"), float("nan"), 0, sequence, at))
    return spelling.event(fields), rows


def print_(spelling: Spelling, symbol: str, extra: dict[str, Any]) -> tuple[str, list[Row]]:
    rng = spelling.rng
    price, size, identity = rng.choice(TEXTS), rng.choice(TEXTS), rng.randrange(10**6, 2**62)
    side = rng.choice(["buy", "sell"])
    fields = unknown_fields(extra, KNOWN) | {
        "instId": json.dumps(symbol), "tradeId": spelling.number(str(identity)), "px": spelling.number(price),
        "sz": spelling.number(size), "side": spelling.text(side), "ts": spelling.number(str(MS)),
    }  # fmt: skip
    if rng.random() < 0.5:
        fields |= {"count": spelling.number("3"), "source": spelling.text(rng.choice(["0", "1"]))}
    return spelling.event(fields), [(float(price), float(size), 1 if side == "buy" else -1, identity, MS * 10**6)]


def build(kind: str, spelling: Spelling, symbol: str, extra: dict[str, Any]) -> tuple[bytes, list[Row]]:
    """(frame, expected (price, size, side, id, ts_event ns) rows), values by Python's own float."""
    arg = spelling.event({"channel": spelling.text(kind), "instId": json.dumps(symbol)} | unknown_fields(extra, KNOWN))
    if kind == "trades":
        made = [print_(spelling, symbol, extra) for _ in range(spelling.rng.randrange(1, 4))]
        rows, data = [row for _, row_s in made for row in row_s], [text for text, _ in made]
    else:
        text, rows = book(spelling, kind, extra)
        data = [text]
    fields = {"arg": arg, "data": spelling.join("[", data, "]")} | unknown_fields(extra, KNOWN)
    if kind == "books":
        fields["action"] = spelling.text(spelling.rng.choice(["update", "snapshot"]))
    return spelling.frame(spelling.event(fields)), rows


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), symbol=st.sampled_from(list(SYMBOLS)), extra=EXTRA)
def test_the_kernel_reads_every_spelling_of_a_message(kind: str, seed: int, symbol: str, extra: dict[str, Any]) -> None:
    frame, rows = build(kind, Spelling(seed), symbol, extra)
    decoder, ctx = (SHORT, SHORT_CTX) if kind == "books5" else (DECODER, CTX)
    assert okx.decode_hot(frame, ctx, NOW) == len(rows), frame
    batch = decoder.taken(ctx)
    assert same(batch, merged(decoder.cold(frame, ctx, NOW).batches)[0])
    assert batch.instrument == list(SYMBOLS).index(symbol)
    got = [tuple(row[name] for name in ("price", "size", "side", "id", "ts_event")) for row in batch.records]
    assert bits(got) == bits(rows)
    assert (batch.records["kind"][-1] == Kind.BOOK_CHECK) == (
        kind.startswith("books") and len(rows) > 1 and rows[-1][2] == 0
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32), extra=EXTRA, how=DAMAGE,
    where=st.integers(0, 2**31), length=st.integers(1, 12), byte=st.integers(0, 255),
)  # fmt: skip
def test_a_damaged_message_gives_the_same_records_both_ways_or_none(
    kind: str, seed: int, extra: dict[str, Any], how: str, where: int, length: int, byte: int
) -> None:
    frame, _ = build(kind, Spelling(seed), "BTC-USDT-SWAP", extra)
    bad = damaged(frame, how, where, length, byte)
    decoder, ctx = (SHORT, SHORT_CTX) if kind == "books5" else (DECODER, CTX)
    answer = okx.decode_hot(bad, ctx, NOW)
    taken = decoder.taken(ctx) if answer >= 0 else None
    try:
        decoded = decoder.cold(bad, ctx, NOW)
    except RejectedFrame as error:
        assert answer == Code.SLOW, bad
        assert len(error.reason) <= 200
        return
    json.loads(bad)
    if taken is not None:
        assert same(taken, merged(decoded.batches)[0]), bad
    elif answer == Code.UNKNOWN_SYMBOL:
        assert decoded.outcome is Outcome.IGNORED
        assert decoded.unknown in ((), (decoder.unknown_symbol(bad, ctx),))
    else:
        assert answer == Code.SLOW
