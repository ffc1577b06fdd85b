"""Numbers: what the kernel reads is, bit for bit, what Python's correctly rounded ``float`` reads."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from ringcollect.decode import number
from ringcollect.decode.powers import EXACT, HIGH, LEAST_POWER, LOW, MOST_POWER
from tests.decode.decimals import EDGES, decimals

DECIMALS = int(os.environ.get("RINGCOLLECT_DECIMALS", 1_000_000))


def read_all(texts: list[str]) -> np.ndarray:
    out = np.empty(len(texts))
    raw = np.frombuffer(("\n".join(texts) + "\n").encode(), np.uint8)
    assert number.parse_lines(raw, out) == len(texts)
    return out


def assert_rounded(texts: list[str], most_refused: float) -> None:
    """Every number read equals float(text); refused are only infinite values and few of over 19 digits."""
    read = read_all(texts)
    expected = np.array([float(text) for text in texts])
    taken = ~np.isnan(read)
    wrong = np.flatnonzero(taken & (read.view(np.int64) != expected.view(np.int64)))
    assert wrong.size == 0, [(texts[i], read[i], expected[i]) for i in wrong[:5]]
    refused = np.flatnonzero(~taken & np.isfinite(expected))
    for i in refused:
        assert sum(c.isdigit() for c in texts[i].lower().partition("e")[0].lstrip("-0.")) > 19, texts[i]
    assert refused.size <= most_refused * len(texts)


def test_two_hundred_thousand_generated_decimals_are_correctly_rounded() -> None:
    assert_rounded(list(decimals(seed=1, count=200_000)), most_refused=0.02)


@pytest.mark.timeout(0)
def test_millions_of_generated_decimals_are_correctly_rounded() -> None:
    """One million here; ``make fuzz`` asks for ten."""
    for seed in range(10, 10 + DECIMALS // 250_000):
        assert_rounded(list(decimals(seed, 250_000)), most_refused=0.02)


def test_a_million_prices_and_sizes_as_binance_writes_them_are_correctly_rounded_and_none_is_refused() -> None:
    rng = np.random.default_rng(3)
    whole = rng.integers(0, 10 ** rng.integers(1, 8, 1_000_000))
    texts = [f"{w}.{f:08d}" for w, f in zip(whole.tolist(), rng.integers(0, 10**8, 1_000_000).tolist(), strict=True)]
    assert_rounded(texts, most_refused=0)


@pytest.mark.parametrize("text", EDGES)
def test_the_edges_of_float64_are_correctly_rounded(text: str) -> None:
    length, value = number.parse_float(text.encode())
    expected = float(text)
    assert length == len(text)
    assert value == expected
    assert math.copysign(1, value) == math.copysign(1, expected)


@pytest.mark.parametrize("text", ["1e309", "-1e309", "1.7976931348623159e308", "1e99999999999"])
def test_a_number_beyond_float64_is_refused_and_never_becomes_infinity(text: str) -> None:
    assert number.parse_float(text.encode())[0] < 0


def test_a_text_that_19_digits_do_not_decide_is_handed_over_and_not_guessed() -> None:
    exactly_between = "9007199254740993." + "0" * 30  # a tie: decided, for the rest is zero
    beyond = exactly_between + "1"
    assert number.parse_float(exactly_between.encode()) == (len(exactly_between), 9007199254740992.0)
    assert number.parse_float(beyond.encode())[0] == number.UNDECIDED


def test_quotes_make_no_difference() -> None:
    for text in EDGES:
        assert number.parse_float(f'"{text}"'.encode())[1] == number.parse_float(text.encode())[1]


@pytest.mark.parametrize(
    "text",
    ["", "-", "+1", "01", "-00.5", ".5", "5.", "1e", "1e+", "1.e5", "0x10", "1_000", "nan", "inf", "Infinity", "--1",
     "1 ", " 1", "1.5.2", "1e5e5", "1,5", "12a", '"1', '1"', '""', '"1 "', "1e1.5", "٣", "1\x00"],
)  # fmt: skip
def test_what_is_no_json_number_is_refused(text: str) -> None:
    assert number.parse_float(text.encode())[0] < 0


@pytest.mark.parametrize(
    "value",
    [0, 1, -1, 2**53 - 1, 2**53 + 1, 9007199254740993, 2**63 - 1, -(2**63 - 1), 1234567890123456789, 50093239189],
)
def test_ids_above_2_to_53_are_exact(value: int) -> None:
    text = str(value).encode()
    assert number.parse_int(text) == (len(text), value)


@pytest.mark.parametrize(
    "text",
    ["9223372036854775808", "18446744073709551616", "99999999999999999999", "-9223372036854775809", "1.0", "1e3", "01",
     "", "-", "1" * 40, "1x", '"1"'],
)  # fmt: skip
def test_an_integer_that_does_not_fit_int64_or_is_none_is_refused(text: str) -> None:
    assert number.parse_int(text.encode())[0] < 0


def test_the_powers_of_five_are_within_one_unit_of_their_128_leading_bits() -> None:
    for q in range(LEAST_POWER, MOST_POWER + 1):
        bits = int(HIGH[q - LEAST_POWER]) << 64 | int(LOW[q - LEAST_POWER])
        assert bits >> 127 == 1
        if q >= 0:  # bits * 2**s <= 5**q < (bits + 1) * 2**s
            s = (5**q).bit_length() - 128
            scaled = 5**q << max(0, -s)
            assert bits << max(0, s) <= scaled < (bits + 1) << max(0, s)
        else:  # bits / 2**s differs from 5**q by less than a unit, and is above it where 5**-q fits 64 bits
            s = 127 + (5**-q - 1).bit_length()
            assert abs(bits * 5**-q - (1 << s)) < 5**-q
            assert q < -27 or bits * 5**-q > 1 << s
    assert [float(10**q) for q in range(23)] == EXACT.tolist()
    assert all(int(value) == 10**q for q, value in enumerate(EXACT.tolist()))


def test_lines_are_counted_and_refused_ones_are_nan() -> None:
    out = np.zeros(4)
    assert number.parse_lines(np.frombuffer(b'1\nx\n"2.5"\n\n', np.uint8), out) == 4
    assert out[0] == 1 and np.isnan(out[1]) and out[2] == 2.5 and np.isnan(out[3])
