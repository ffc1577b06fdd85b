"""The worked examples of the synchronization rules, grid 100, driven by records."""

from __future__ import annotations

import numpy as np
import pytest

from ringcollect.sync.rows import RowFlag

from .streams import Stream, engine, run

# Prices encode stamps, so that a row tells which events it holds: one trade of price t and size 1 per stamp.
# (rows: closing time, embedded book or 0, stamps of the trades)
EXAMPLES = {
    "orderbook": (
        {"mode": "orderbook"},
        "t930 b1010 t1050 b1090 t1120 t1099 b1100 b1105 t1130 t1080 b1430 t1440",
        [
            (1100, 1090, [1050, 1099]),
            (1200, 1105, [1120, 1130]),
            (1300, 1105, []),
            (1400, 1105, []),
            (1500, 1430, [1440]),
        ],
        2,
    ),
    "trade": (
        {"mode": "trade"},
        "b1010 t1020 b1150 t1100 t1330 b1290 t1500",
        [
            (1100, 1010, [1020]),
            (1200, 1150, [1100]),
            (1300, 1150, []),
            (1400, 1290, [1330]),
            (1500, 1290, []),
            (1600, 1290, [1500]),
        ],
        0,
    ),
    "external": (
        {"mode": "external"},
        "b990 t995 n1000 t1000 b1030 n1100 t1099 n1200 t1250 n1199 n1500",
        [
            (1100, 1030, [1000]),
            (1200, 1030, []),
            (1300, 1030, [1250]),
            (1400, 1030, []),
            (1500, 1030, []),
            (1600, 1030, []),
        ],
        2,
    ),
    "external with hold-back 50": (
        {"mode": "external", "hold_back": 50},
        "n1000 t1010 n1100 t1099 n1149 n1150 t1098 n1250",
        [(1000, 0, []), (1100, 0, [1010, 1099]), (1200, 0, []), (1300, 0, [])],
        1,
    ),
    "gap cap 3": (
        {"mode": "trade", "max_gap_fill": 3},
        "t1020 t1210 t1350 t1950 t2000",
        [
            (1100, 0, [1020]),
            (1200, 0, []),
            (1300, 0, [1210]),
            (1400, 0, [1350]),
            (1500, 0, []),
            (1600, 0, []),
            (2000, 0, [1950]),
            (2100, 0, [2000]),
        ],
        0,
    ),
}


def example_stream(text: str, external: bool) -> Stream:
    """``b`` book, ``t`` trade, ``n`` now. In ExternalClock records are received at the time last told."""
    stream = Stream()
    for word in text.split():
        stamp = int(word[1:])
        if word[0] == "n":
            stream.time(stamp)
            stream.recv = max(stream.recv, stamp)
            continue
        recv = stream.recv if external else stamp
        if word[0] == "t":
            stream.trade(stamp, price=float(stamp), recv=recv)
        else:
            stream.book(stamp, (1, 99.0, 1.0), (-1, 101.0, 1.0), recv=recv)
    return stream


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name: str, chunk: int) -> None:
    settings, text, expected, late = EXAMPLES[name]
    made = engine(**settings, max_future_skew_ns=0)
    rows = run(made, example_stream(text, settings["mode"] == "external").array(), chunk)
    found = [(int(r["ts_ns"]), int(r["ts_book_ns"]), int(r["trade_count"])) for r in rows]
    assert found == [(close, book, len(trades)) for close, book, trades in expected]
    for row, (_, _, trades) in zip(rows, expected, strict=True):
        assert row["trade_notional"] == sum(trades)
        assert (row["trade_px_first"], row["trade_px_last"]) == ((min(trades), max(trades)) if trades else (0, 0))
    assert made.counters()["late_events_dropped"] == late
    assert [bool(f & RowFlag.PARTIAL) for f in rows["row_flags"]] == [False] * (len(rows) - 1) + [True]


def test_rows_of_a_step_come_out_with_the_record_that_ripens_them() -> None:
    stream = example_stream(EXAMPLES["orderbook"][1], False).array()
    made = engine(mode="orderbook", max_future_skew_ns=0)
    brought = [len(made.collect(stream[i : i + 1])) for i in range(len(stream))]
    bringing = [(int(stream[i]["ts_event"]), n) for i, n in enumerate(brought) if n]
    assert bringing == [(1100, 1), (1430, 3)]
    assert np.all(np.diff(np.cumsum(brought)) >= 0)
