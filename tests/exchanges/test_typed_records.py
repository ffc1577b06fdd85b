"""One record built in one go is the record built field by field."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringcollect.exchanges.typed import Arrival, rows
from ringcollect.records import RECORD, Flag, Kind

ARRIVAL = Arrival(numbers={}, market="spot", conn=7, ts_recv=10**18, max_past_ns=10**12, max_future_skew_ns=10**9)
INT64 = st.integers(-(2**63), 2**63 - 1)


@given(
    ts=st.one_of(st.just(0), st.integers(10**18 - 2 * 10**12, 10**18 + 2 * 10**9)),
    price=st.floats(), size=st.floats(), id=INT64, aux=INT64,
    sub=st.integers(0, 255), side=st.sampled_from((-1, 0, 1)),
)  # fmt: skip
def test_every_field_lands_where_the_record_has_it(
    ts: int, price: float, size: float, id: int, aux: int, sub: int, side: int
) -> None:
    expected = np.zeros(1, RECORD)
    named = {"price": price, "size": size, "id": id, "aux": aux, "sub": sub, "side": side}
    common = {"ts_event": ts, "ts_recv": 10**18, "instrument": 65535, "conn": 7, "kind": Kind.LIQUIDATION}
    for name, value in (common | named).items():
        expected[name] = value
    bad = ts != 0 and (ts < 10**18 - 10**12 or ts > 10**18 + 10**9)
    expected["flags"] = Flag.LAST | (Flag.BAD_TS if bad else 0)
    made = rows(ARRIVAL, 65535, Kind.LIQUIDATION, ts, **named)
    assert made.tobytes() == expected.tobytes() or math.isnan(price) or math.isnan(size)
    assert made.dtype == RECORD and made.flags.writeable


def test_a_number_that_fits_no_field_is_an_error_and_never_cut() -> None:
    with pytest.raises(OverflowError, match="fits no field"):
        rows(ARRIVAL, 1, Kind.TRADE, 1, id=2**63)
