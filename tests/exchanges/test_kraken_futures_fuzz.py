"""Any spelling JSON allows: the kernel takes it and reads the values; any damage: both ways still say the same."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges import kraken_futures
from ringcollect.exchanges.protocol import Code, Outcome
from ringcollect.records import Kind
from tests.exchanges.frames import same
from tests.exchanges.kraken_futures_frames import MS, NOW, history, new_decoder
from tests.exchanges.kraken_futures_frames import trade as one_trade
from tests.exchanges.spelling import DAMAGE, EXTRA, TEXTS, Spelling, bits, damaged, unknown_fields

DECODER = new_decoder()
CTX = DECODER.context("linear", 0)
KNOWN = {
    "feed", "event", "product_id", "product_ids", "side", "seq", "price", "qty", "timestamp", "time", "uid", "type",
    "message", "bids", "asks", "trades", "bid", "ask", "bid_size", "ask_size", "markPrice", "index", "openInterest",
    "relative_funding_rate", "relative_funding_rate_prediction", "next_funding_rate_time", "last", "open", "high",
    "low", "volume", "volumeQuote",
}  # fmt: skip
KINDS = ("book", "trade", "book_snapshot", "trade_snapshot", "ticker")
TYPES = {"fill": 0, "liquidation": 1, "block": 2, "assignment": 4, "termination": 4}
NAN = float("nan")
Row = tuple[Any, ...]


class Unescaped(Spelling):
    """Names in escapes go the typed way where the shared kernel reads."""

    def text(self, value: str) -> str:
        return json.dumps(value, ensure_ascii=False)


def trade(spelling: Spelling, symbol: str, extra: dict[str, str], seq: int, kind: str) -> tuple[dict[str, str], Row]:
    """(fields, (price, size, side, id, kind, sub)) of one print."""
    rng = spelling.rng
    price, size, side = rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(["buy", "sell"])
    whole = rng.randrange(2**128)
    digits = f"{whole:032x}"
    text = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    identity = int.from_bytes(whole.to_bytes(16)[:8], signed=True)
    fields = extra | {
        "feed": spelling.text("trade"), "product_id": json.dumps(symbol), "side": spelling.text(side),
        "seq": str(seq), "price": spelling.number(price), "qty": spelling.number(size),
        "uid": f'"{rng.choice([text, text.upper()])}"', "type": spelling.text(kind), "time": str(MS),
    }  # fmt: skip
    if rng.random() < 0.1:  # as in 2019
        del fields["uid"]
        identity = seq
    return fields, (float(price), float(size), 1 if side == "buy" else -1, identity, Kind.TRADE, TYPES[kind])


def forced(rows: list[Row], seqs: list[int]) -> list[Row]:
    """The forced ones among trades once more."""
    return [
        (price, size, side, seq, Kind.LIQUIDATION, 1)
        for (price, size, side, _, _, sub), seq in zip(rows, seqs, strict=True)
        if sub == 1
    ]


def levels(spelling: Spelling, side: int) -> tuple[str, list[Row]]:
    pairs = [(spelling.rng.choice(TEXTS), spelling.rng.choice(TEXTS)) for _ in range(spelling.rng.randrange(4))]
    texts = [spelling.event({"price": spelling.number(p), "qty": spelling.number(q)}) for p, q in pairs]
    return spelling.join("[", texts, "]"), [
        (float(p), float(q), side, 0, Kind.BOOK_SNAPSHOT, 0) for p, q in pairs if float(q) > 0
    ]


def ticker(spelling: Spelling) -> tuple[dict[str, str], list[Row]]:
    rng = spelling.rng
    names = ("bid", "bid_size", "ask", "ask_size", "markPrice", "index", "openInterest", "last", "open", "high", "low")
    texts = {name: rng.choice(TEXTS) for name in (*names, "volume", "volumeQuote")}
    texts |= {f"relative_funding_rate{end}": rng.choice(TEXTS) for end in ("", "_prediction")}
    due = rng.choice([0, MS + 1000])
    for name in list(texts)[4:]:
        if rng.random() < 0.2:
            del texts[name]
    value = {name: float(text) for name, text in texts.items()}
    rows: list[Row] = [
        (value[side] if value[side] > 0 else NAN, value[f"{side}_size"], sign, 0, Kind.BBO, 0)
        for side, sign in (("bid", 1), ("ask", -1))
    ]
    for name, kind in (("markPrice", Kind.MARK_PRICE), ("index", Kind.INDEX_PRICE)):
        if name in value:
            rows.append((value[name], NAN, 0, 0, kind, 0))
    if "relative_funding_rate" in value and due:
        predicted = value.get("relative_funding_rate_prediction", NAN)
        rows.append((value["relative_funding_rate"], predicted, 0, 3600 * 10**9, Kind.FUNDING, 0))
    if "openInterest" in value:
        rows.append((NAN, value["openInterest"], 0, 0, Kind.OPEN_INTEREST, 0))
    for field, name in enumerate(("last", "open", "high", "low", "volume", "volumeQuote"), 1):
        if name in value:
            rows.append((value[name], NAN, 0, 0, Kind.TICKER, field))
    fields = {name: spelling.number(text) for name, text in texts.items()}
    return fields | {"time": str(MS), "next_funding_rate_time": str(due)}, rows


def build(kind: str, spelling: Spelling, symbol: str, extra: dict[str, Any]) -> tuple[bytes, list[Row]]:
    """(frame, (price, size, side, id, kind, sub) of every record in order), values by Python's own float."""
    rng = spelling.rng
    more = unknown_fields(extra, KNOWN)
    seq = rng.randrange(2**62)
    if kind == "trade":
        fields, row = trade(spelling, symbol, more, seq, rng.choice(list(TYPES)))
        return spelling.frame(spelling.event(fields)), [row, *forced([row], [seq])]
    fields = more | {"feed": spelling.text(kind), "product_id": json.dumps(symbol)}
    if kind == "trade_snapshot":
        seqs = [seq + k for k in range(rng.randrange(1, 5))]
        made = [trade(spelling, symbol, more, one, rng.choice(["fill", *TYPES])) for one in seqs]
        rows = [row for _, row in made]
        texts = [spelling.event(inner) for inner, _ in made]
        fields["trades"] = spelling.join("[", rng.choice([texts, texts[::-1]]), "]")
        return spelling.frame(spelling.event(fields)), rows + forced(rows, seqs)
    if kind == "ticker":
        found, rows = ticker(spelling)
        plain = {name: value for name, value in fields.items() if "\\" not in json.dumps(name)}
        return spelling.frame(spelling.event(plain | {"feed": json.dumps(kind)} | found)), rows
    if kind == "book_snapshot":
        (bids, rows), (asks, others) = levels(spelling, 1), levels(spelling, -1)
        fields |= {"bids": bids, "asks": asks, "seq": str(seq), "timestamp": str(MS)}
        rows = [(p, q, side, seq, book, sub) for p, q, side, _, book, sub in rows + others]
        return spelling.frame(spelling.event(fields)), rows or [(NAN, 0.0, 0, seq, Kind.BOOK_SNAPSHOT, 0)]
    price, size, side = rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(["buy", "sell"])
    fields |= {
        "side": spelling.text(side), "seq": str(seq), "price": spelling.number(price), "qty": spelling.number(size),
        "timestamp": str(MS),
    }  # fmt: skip
    amount = max(float(size), 0.0)
    return spelling.frame(spelling.event(fields)), [
        (float(price), amount, 1 if side == "buy" else -1, seq, Kind.BOOK_DELTA, 0)
    ]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=200, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), extra=EXTRA)
def test_the_kernel_takes_every_spelling_of_a_message(kind: str, seed: int, extra: dict[str, Any]) -> None:
    spelling = Unescaped(seed) if kind == "ticker" else Spelling(seed)
    frame, expected = build(kind, spelling, "PF_XBTUSD", extra)
    assert kraken_futures.decode_hot(frame, CTX, NOW) == len(expected), frame
    taken = DECODER.all_taken(CTX)
    records = np.concatenate([batch.records for batch in taken])
    columns = [records[name].tolist() for name in ("price", "size", "side", "id", "kind", "sub")]
    assert bits(list(zip(*columns, strict=True))) == bits(expected), frame
    batches = DECODER.cold(frame, CTX, NOW).batches
    assert all(same(*pair) for pair in zip(taken, batches, strict=True)), frame


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
    taken = DECODER.all_taken(CTX) if answer >= 0 else None
    try:
        decoded = DECODER.cold(bad, CTX, NOW)
    except RejectedFrame as error:
        assert answer == Code.SLOW, bad
        assert len(error.reason) <= 200
        return
    json.loads(bad)
    if taken is not None:
        assert all(same(*pair) for pair in zip(taken, decoded.batches, strict=True)), bad
    elif answer == Code.UNKNOWN_SYMBOL:
        assert decoded.outcome is Outcome.IGNORED
        assert decoded.unknown == (DECODER.unknown_symbol(bad, CTX),)
    else:
        assert answer == Code.SLOW


def test_a_history_in_no_order_is_sorted_by_the_typed_path() -> None:
    seqs = (5, 7, 6)
    frame = orjson.dumps(history(*(one_trade(seq=seq) for seq in seqs)))
    assert kraken_futures.decode_hot(frame, CTX, NOW) == Code.SLOW
    assert [batch.last_id for batch in DECODER.cold(frame, CTX, NOW).batches] == [5, 6, 7]
    ordered = orjson.dumps(history(*(one_trade(seq=seq) for seq in sorted(seqs))))
    assert kraken_futures.decode_hot(ordered, CTX, NOW) == 3
    assert [batch.last_id for batch in DECODER.all_taken(CTX)] == [5, 6, 7]
