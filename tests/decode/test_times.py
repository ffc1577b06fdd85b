"""ISO times to ns, against Python's datetime; counts of ms and us by their size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringcollect.decode.times import epoch_ns, parse_iso

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2261, 12, 31, 23, 59, 59)),
    st.integers(0, 9),
    st.integers(0, 10**9 - 1),
)
def test_every_time_comes_out_as_datetime_says(moment: datetime, digits: int, fraction: int) -> None:
    whole = moment.replace(microsecond=0, tzinfo=UTC)
    shown = f"{fraction:09d}"[:digits]
    text = whole.strftime("%Y-%m-%dT%H:%M:%S") + (f".{shown}" if digits else "") + "Z"
    expected = (whole - EPOCH) // timedelta(seconds=1) * 10**9 + (int(shown.ljust(9, "0")) if digits else 0)
    assert parse_iso(f'"{text}"'.encode()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-08-09T21:05:48", "2026-08-09T21:05:48.Z", "2026-08-09T21:05:48.1234567890Z", "2026-08-09 21:05:48Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00",
        "20x6-01-01T00:00:00Z", "102x-01-01T00:00:00Z", "2026-1x-01T00:00:00Z", "2026-01-01T00:00:0xZ", "", "Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    assert parse_iso(f'"{text}"'.encode()) == -1
    assert parse_iso(text.encode()) == -1


def test_a_leap_day_of_the_year_2000_is_one() -> None:
    assert parse_iso(b'"2000-02-29T00:00:00Z"') == 951782400 * 10**9


@pytest.mark.parametrize(
    ("value", "ns"),
    [
        (0, 0), (1723161255342, 1723161255342 * 10**6), (1723161255342123, 1723161255342123 * 10**3), (-1, -1),
        (9_223_372_036_855, -1), (2**63 - 1, -1),
    ],
)  # fmt: skip
def test_milliseconds_and_microseconds_are_told_apart_by_their_size(value: int, ns: int) -> None:
    assert epoch_ns(value) == ns
