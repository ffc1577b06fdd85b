"""The record's layout is a promise: these numbers never change."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from ringcollect.records import (
    CHANNEL_OF_KIND,
    RECORD,
    Channel,
    Flag,
    Kind,
    Status,
    aux_f,
    dtype_from_list,
    dtype_to_list,
    pack_tail,
)

ROOT = Path(__file__).parents[2]


def test_the_layout_of_the_record_is_frozen() -> None:
    fields = RECORD.fields
    assert {name: (fields[name][1], fields[name][0].str) for name in RECORD.names} == {
        "seq": (0, "<i8"), "ts_event": (8, "<i8"), "ts_recv": (16, "<i8"), "price": (24, "<f8"),
        "size": (32, "<f8"), "id": (40, "<i8"), "aux": (48, "<i8"), "instrument": (56, "<u2"),
        "conn": (58, "|u1"), "sub": (59, "|u1"), "kind": (60, "|u1"), "side": (61, "|i1"), "flags": (62, "<u2"),
    }  # fmt: skip
    assert RECORD.itemsize == 64


def test_codes_are_frozen_and_add_only() -> None:
    assert [k.name for k in Kind] == [
        "BOOK_SNAPSHOT", "BOOK_DELTA", "BOOK_CHECK", "TRADE", "BBO", "LIQUIDATION", "FUNDING", "OPEN_INTEREST",
        "MARK_PRICE", "INDEX_PRICE", "TICKER", "STATUS",
    ]  # fmt: skip
    assert [int(k) for k in Kind] == list(range(1, 13))
    assert [int(f) for f in Flag] == [1 << bit for bit in range(12)]
    assert [int(c) for c in Channel] == list(range(10))
    assert [int(s) for s in Status] == list(range(1, 25))
    assert set(CHANNEL_OF_KIND) == set(Kind)


def test_the_packed_tail_is_the_record_as_numpy_sees_it() -> None:
    record = np.zeros(1, RECORD)
    for instrument, conn, sub, kind, side, flags in [(1, 2, 3, 4, -1, 5), (65535, 255, 16, 12, 9, 0xFFFF), (0,) * 6]:
        record["instrument"], record["conn"], record["sub"] = instrument, conn, sub
        record["kind"], record["side"], record["flags"] = kind, side, flags
        assert pack_tail(instrument, conn, sub, kind, side, flags) == record.view(np.int64)[7]


def test_aux_is_readable_as_a_float_without_a_second_field() -> None:
    record = np.zeros(2, RECORD)
    aux_f(record)[:] = [1.5, np.nan]
    assert record["aux"][0] == np.float64(1.5).view(np.int64)


def test_any_reader_can_rebuild_the_dtype_from_its_list() -> None:
    assert dtype_from_list(dtype_to_list(RECORD), 64) == RECORD


def test_the_generated_pages_are_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for name, page in generate.PAGES.items():
        assert (ROOT / "docs" / name).read_text() == page(), f"run python docs/generate.py: {name} is stale"
