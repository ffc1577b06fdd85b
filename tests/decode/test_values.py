"""Numbers, ids and UUIDs as exchanges write them, against Python's own readings."""

from __future__ import annotations

import uuid as standard
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.decode import values
from ringcollect.decode.memory import address


def read(function: object, raw: bytes) -> tuple[int, ...]:
    return function(address(raw), 0, len(raw))  # type: ignore[operator]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(-(2**63) + 1, 2**63 - 1), st.booleans())
def test_ids_are_exact_in_64_bits_in_quotes_or_bare(value: int, quoted: bool) -> None:
    raw = f'"{value}"'.encode() if quoted else str(value).encode()
    assert read(values.whole, raw + b",") == (len(raw), value)


@pytest.mark.parametrize("raw", [b'"1', b'"', b'""', b'"1.0"', b'"01"', b"1e3", b'"9223372036854775808"', b'" 1"', b""])
def test_what_is_no_whole_number_is_refused(raw: bytes) -> None:
    assert read(values.whole, raw)[0] < 0


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**9), max_value=10**9), st.booleans())
def test_an_amount_is_the_nearest_float_in_quotes_or_bare(value: Decimal, quoted: bool) -> None:
    text = format(value, "f")
    raw = f'"{text}"'.encode() if quoted else text.encode()
    end, got = read(values.amount, raw + b"]")
    assert (end, float(got).hex()) == (len(raw), float(text).hex())


def test_a_bare_minus_zero_is_left_to_the_typed_path_and_a_quoted_one_is_not() -> None:
    assert read(values.amount, b"-0,")[0] < 0
    assert read(values.amount, b'"-0"')[0] == 4
    assert read(values.amount, b"-0.0,")[0] == 4


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.uuids(), st.booleans())
def test_a_uuid_is_exact_in_128_bits(value: standard.UUID, upper: bool) -> None:
    text = str(value).upper() if upper else str(value)
    end, high, low = read(values.uuid, f'"{text}"'.encode())
    assert end == 38
    assert ((high % 2**64) << 64) + low % 2**64 == value.int


@pytest.mark.parametrize("damage", ["g", "-", '"', " ", ""])
def test_a_damaged_uuid_is_refused(damage: str) -> None:
    text = '"0b2d3c4e-5f60-4a1b-8c2d-3e4f50617283"'
    for at in range(len(text)):
        damaged = text[:at] + damage + text[at + 1 :]
        if damaged != text:
            assert read(values.uuid, damaged.encode())[0] < 0, damaged


def test_results_are_plain_integers_for_the_caller() -> None:
    assert isinstance(read(values.whole, b"5")[1], int | np.integer)
