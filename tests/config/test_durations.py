"""Durations: what people write, and the nanoseconds it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringcollect.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1ns", 1),
        ("250us", 250_000),
        ("100ms", 100_000_000),
        ("1s", 1_000_000_000),
        ("1.5s", 1_500_000_000),
        ("0.1s", 100_000_000),
        ("2h", 7_200_000_000_000),
        ("15m", 900_000_000_000),
        ("1d", 86_400_000_000_000),
        (" 20 s ", 20_000_000_000),
        ("0s", 0),
    ],
)
def test_a_number_and_a_unit_are_exact_nanoseconds(text: str, ns: int) -> None:
    assert parse_duration(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "s", "-1s", "+1s", "1e3s", "1 week", "1min", "1S", "1s2", "one second", "١s", "1,5s",
        "0.1ns", "1.0000000001s", "300000d", "9" * 5000 + "s", "1s\x00", "nan", "inf s",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_short_message(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|whole number|longer than") as caught:
        parse_duration(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0s"), (100_000_000, "100ms"), (1_500_000_000, "1500ms"), (60_000_000_000, "1m"), (86_400_000_000_000, "1d")],
)
def test_equal_durations_have_one_spelling(ns: int, text: str) -> None:
    assert format_duration(ns) == text


@given(st.integers(0, 2**63 - 1))
def test_every_spelling_reads_back(ns: int) -> None:
    assert parse_duration(format_duration(ns)) == ns


def test_a_negative_duration_has_no_spelling() -> None:
    with pytest.raises(ValueError, match="not negative"):
        format_duration(-1)
