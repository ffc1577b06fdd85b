"""The venue's checksum of a book: published vectors, and what a wrong one sets off."""

from __future__ import annotations

import random
import zlib
from decimal import Decimal

import numpy as np
import pytest

from ringcollect.instruments import Instrument
from ringcollect.records import Flag, Kind
from ringcollect.sync.engine import Engine
from ringcollect.sync.rows import RowFlag

from .streams import Stream, engine, flags

# Kraken's support article on the book checksum, and its v1 example: (price decimals, size decimals, book, CRC32).
V2_ASKS = (
    "45285.2 0.00100000", "45286.4 1.54571953", "45286.6 1.54571109", "45289.6 1.54560911", "45290.2 0.15890660",
    "45291.8 1.54553491", "45294.7 0.04454749", "45296.1 0.35380000", "45297.5 0.09945542", "45299.5 0.18772827",
)  # fmt: skip
V2_BIDS = (
    "45283.5 0.10000000", "45283.4 1.54582015", "45282.1 0.10000000", "45281.0 0.10000000", "45280.3 1.54592586",
    "45279.0 0.07990000", "45277.6 0.03310103", "45277.5 0.30000000", "45277.3 1.54602737", "45276.6 0.15445238",
)  # fmt: skip
V1_ASKS = tuple(f"0.{5005 + 5 * k:05d} 0.00000500" for k in range(10))
V1_BIDS = tuple(f"0.0{ticks} 0.00000500" for ticks in (5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950))

Level = tuple[int, float, float]


def levels(side: int, texts: tuple[str, ...]) -> tuple[Level, ...]:
    return tuple((side, float(text.split()[0]), float(text.split()[1])) for text in texts)


def made_for(exchange: str, price_digits: int = 1, size_digits: int = 8, depth: int = 0, **more: object) -> Engine:
    return engine(
        instruments={
            0: Instrument(
                number=0, exchange=exchange, market="spot", symbol="X", price_precision=price_digits,
                size_precision=size_digits, book_depth=depth,
            )
        },
        **more,
    )  # fmt: skip


def check(stream: Stream, ts: int, sent: int, **more: object) -> Stream:
    return stream.add(Kind.BOOK_CHECK, ts=ts, id=stream.last_id[0], aux=sent, **more)


def counts(made: Engine) -> tuple[int, int, int]:
    found = made.counters()
    return found["checksums"], found["checksums_bad"], found["checksums_unknown"]


@pytest.mark.parametrize(
    ("digits", "asks", "bids", "published"),
    [((1, 8), V2_ASKS, V2_BIDS, 3310070434), ((5, 8), V1_ASKS, V1_BIDS, 974947235)],
)
def test_krakens_published_books_have_their_published_checksums(
    digits: tuple[int, int], asks: tuple[str, ...], bids: tuple[str, ...], published: int
) -> None:
    made = made_for("kraken", *digits)
    deeper = ((1, 0.00001, 3.0), (-1, 99999.0, 3.0))  # levels beyond the tenth are not in it
    made.collect(check(Stream().book(1000, *levels(-1, asks), *levels(1, bids), *deeper), 1000, published).array())
    assert counts(made) == (1, 0, 0)
    assert made.is_trusted(0)


@pytest.mark.parametrize("hold_back", [0, 500])
def test_a_wrong_checksum_voids_the_book_and_asks_for_this_instrument_alone(hold_back: int) -> None:
    made = made_for("kraken", hold_back=hold_back)
    stream = Stream().book(1000, *levels(-1, V2_ASKS), *levels(1, V2_BIDS))
    stream.book(1000, (1, 1.0, 1.0), (-1, 2.0, 1.0), instrument=1)
    check(stream, 1000, 3310070434).book(1010, (1, 45283.5, 0.25))
    check(stream, 1010, 3310070434)  # the book has moved on: this is not its checksum
    for ts in (1700, 2400):
        stream.book(ts, (1, 45283.5, 0.5)).book(ts, (1, 1.0, 2.0), instrument=1)
    rows = made.collect(stream.array())
    assert counts(made)[:2] == (2, 1)
    assert made.resyncs() == [0]
    last = {int(row["instrument"]): bool(flags(row) & RowFlag.HAS_BOOK) for row in rows}
    assert last == {0: False, 1: True}
    stream = Stream()
    stream.book(2500, *levels(-1, V2_ASKS), *levels(1, V2_BIDS), kind=Kind.BOOK_SNAPSHOT, flags=Flag.CLEAR, id=900)
    rows = made.collect(check(stream, 2500, 3310070434).book(4000).array())
    assert [bool(flags(row) & RowFlag.HAS_BOOK) for row in rows if row["instrument"] == 0][-1]
    assert made.resyncs() == []
    assert counts(made)[:2] == (3, 1)


def test_a_wrong_checksum_before_a_base_that_already_waits_asks_for_nothing() -> None:
    made = made_for("kraken", hold_back=5000)
    stream = check(Stream().book(1000, *levels(-1, V2_ASKS), *levels(1, V2_BIDS)), 1000, 1)
    stream.book(1010, *levels(-1, V2_ASKS), *levels(1, V2_BIDS), kind=Kind.BOOK_SNAPSHOT, flags=Flag.CLEAR)
    check(stream, 1010, 3310070434).book(9000).book(19000)
    made.collect(stream.array())
    assert counts(made) == (2, 1, 0)
    assert made.resyncs() == []
    assert made.is_trusted(0)


def test_the_depth_is_forgotten_before_the_checksum_is_taken() -> None:
    made = made_for("kraken", depth=10)
    stream = Stream().book(1000, *levels(-1, V2_ASKS), *levels(1, V2_BIDS))
    stream.book(1010, (1, 45283.6, 7.0)).book(1020, (1, 45283.6, 0.0))  # pushes the tenth bid out; nobody says so
    stream.book(1030, (1, 45276.6, 0.15445238))
    made.collect(check(stream, 1030, 3310070434).array())
    assert counts(made) == (1, 0, 0)


def test_without_the_pairs_precision_nothing_is_judged_and_that_is_counted() -> None:
    made = made_for("kraken", price_digits=-1)
    made.collect(check(Stream().book(1000, *levels(-1, V2_ASKS), *levels(1, V2_BIDS)), 1000, 5).array())
    assert counts(made) == (0, 0, 1)
    assert made.is_trusted(0)


def test_okx_sends_zero_since_2026_and_nobody_resyncs_for_it() -> None:
    made = made_for("okx")
    made.collect(check(Stream().book(1000, (1, 10.5, 1.0), (-1, 11.0, 2.0)), 1000, 0).array())
    assert counts(made) == (0, 0, 1)
    assert made.resyncs() == []


def text_of(number: Decimal) -> str:
    """As OKX writes it: no exponent, no trailing zeros."""
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


@pytest.mark.parametrize("seed", range(20))
def test_okx_books_of_any_size_and_precision_have_the_signed_crc_of_their_text(seed: int) -> None:
    rng = random.Random(seed)
    digits = rng.randrange(0, 9)
    sides: dict[int, list[tuple[Decimal, Decimal]]] = {1: [], -1: []}
    for side in sides:
        for k in range(rng.choice((0, 1, 7, 25, 40))):
            price = Decimal(5_000_000 - side * (k + 1) * rng.choice((1, 1))).scaleb(-digits)
            sides[side].append((price, Decimal(rng.randrange(1, 10**9)).scaleb(-rng.randrange(0, 9))))
    parts: list[str] = []
    for k in range(25):
        for side in (1, -1):
            if k < len(sides[side]):
                parts += [text_of(number) for number in sides[side][k]]
    sent = int(np.int32(np.uint32(zlib.crc32(":".join(parts).encode()))))
    stream = Stream().book(1000, *((side, float(p), float(s)) for side in sides for p, s in sides[side]))
    made = made_for("okx")
    made.collect(check(stream, 1000, sent).array())
    assert counts(made) == ((1, 0, 0) if sent else (0, 0, 1))


def test_the_checksum_is_no_link_of_the_chain_and_no_update() -> None:
    def rows(with_checks: bool) -> np.ndarray:
        stream = Stream().book(1000, (1, 10.0, 1.0), (-1, 12.0, 1.0))
        for ts in (1010, 1120, 1180, 1290, 1400):
            stream.book(ts, (1, 10.0, float(ts)))
            if with_checks:
                check(stream, ts, 0)
        return made_for("okx").collect(stream.array())

    with_checks, without = rows(True), rows(False)
    assert len(without)
    assert with_checks.tobytes() == without.tobytes()
