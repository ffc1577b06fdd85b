"""Instrument numbers mean the same for ever, and rows of a ring hold what the registry knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringcollect.errors import RingcollectError
from ringcollect.instruments import Instrument, Registry, pack_instrument, to_base, unpack_instrument


def test_a_number_survives_restart_relisting_and_change(tmp_path: Path) -> None:
    path = tmp_path / "state" / "binance.jsonl"
    first = Registry(path, "binance")
    assert first.register("spot", "BTCUSDT", 10, tick_size=0.01)[0].number == 0
    assert first.register("linear", "BTCUSDT", 10)[0].number == 1
    second = Registry(path, "binance")
    instrument, is_new, is_changed = second.register("spot", "BTCUSDT", 99, tick_size=0.01)
    assert (instrument.number, instrument.valid_from_ns, is_new, is_changed) == (0, 10, False, False)
    instrument, is_new, is_changed = second.register("spot", "BTCUSDT", 99, tick_size=0.1)
    assert (instrument.number, instrument.version, is_new, is_changed) == (0, 2, False, True)
    assert len(path.read_text().splitlines()) == 3, "append-only: a change is one more line"
    assert Registry(path, "binance").rows() == second.rows()


def test_a_torn_last_line_is_cut_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "binance.jsonl"
    Registry(path, "binance").register("spot", "BTCUSDT", 10)
    with path.open("ab") as file:
        file.write(b'{"number":1,"exch')
    again = Registry(path, "binance")
    assert [i.symbol for i in again.rows()] == ["BTCUSDT"]
    assert again.register("spot", "ETHUSDT", 11)[0].number == 1
    assert len(Registry(path, "binance").rows()) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"number":"x"}', "line 2: Expected `int`"),
        ('{"number":5,"exchange":"binance","market":"spot","symbol":"A"}', "line 2: .* has number 5, expected 1"),
        ('{"number":1,"exchange":"okx","market":"spot","symbol":"A"}', "line 2"),
    ],
)
def test_a_bad_line_is_named_with_its_file(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "binance.jsonl"
    Registry(path, "binance").register("spot", "BTCUSDT", 10)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(RingcollectError, match=message):
        Registry(path, "binance")


def test_a_full_disk_costs_a_count_not_the_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(tmp_path / "gone" / "binance.jsonl", "binance")
    (tmp_path / "gone").rmdir()
    assert registry.register("spot", "BTCUSDT", 10)[0].number == 0
    assert registry.append_errors == 1


@pytest.mark.parametrize("symbol", ["", "A" * 64, "A\0B", "A\nB", "\ud800", "é" * 32])
def test_symbols_no_row_can_hold_are_refused(symbol: str) -> None:
    with pytest.raises(RingcollectError, match="symbol"):
        Registry(None, "binance").register("spot", symbol, 1)


@given(
    symbol=st.text(
        st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_characters="\x7f"), min_size=1, max_size=20
    ),
    tick=st.one_of(st.none(), st.floats(min_value=1e-12, max_value=1e6)),
    depth=st.integers(0, 2**31 - 1),
    inferred=st.booleans(),
    version=st.integers(1, 2**40),
)
def test_a_ring_row_holds_every_field(
    symbol: str, tick: float | None, depth: int, inferred: bool, version: int
) -> None:
    instrument = Instrument(
        number=65534, exchange="binance", market="inverse", symbol=symbol, unified="BTC-USD-PERP", base="BTC",
        quote="USD", size_unit="contract", multiplier=100.0, inverse=True, tick_size=tick, lot_size=1.0,
        price_precision=1, size_precision=0, funding_interval_ns=8 * 3600 * 10**9, book_depth=depth,
        status="halt", inferred=inferred, valid_from_ns=1, version=version,
    )  # fmt: skip
    raw = pack_instrument(instrument)
    assert len(raw) == 256
    assert unpack_instrument(raw) == instrument


@pytest.mark.parametrize(
    ("unit", "multiplier", "inverse", "expected"),
    [
        ("base", 1.0, False, 3.0),
        ("quote", 1.0, False, 0.03),
        ("contract", 0.01, False, 0.03),
        ("contract", 100.0, True, 3.0),
    ],
)
def test_sizes_become_base_units_by_the_venues_rule(
    unit: str, multiplier: float, inverse: bool, expected: float
) -> None:
    # Contract rules: size x contract value (linear); size x contract value / price (inverse), at price 100.
    instrument = Instrument(
        number=0, exchange="x", market="linear", symbol="S", size_unit=unit, multiplier=multiplier, inverse=inverse
    )
    assert to_base(3.0, 100.0, instrument) == pytest.approx(expected)


def test_a_ring_that_outlived_the_file_gives_its_numbers_back_unless_they_contradict_it(tmp_path: Path) -> None:
    path = tmp_path / "binance.jsonl"
    ring = Registry(None, "binance")
    for symbol in ("AAA", "BBB", "CCC"):
        ring.register("spot", symbol, 1)
    ours = Registry(path, "binance")
    ours.register("spot", "AAA", 1)
    assert ours.adopt([None, *ring.rows()[1:]]), "a row its producer died in says nothing, and we know it"
    assert Registry(path, "binance").rows() == ring.rows()
    swapped = Registry(None, "binance")
    swapped.register("spot", "BBB", 1)
    assert not swapped.adopt(ring.rows()) and len(swapped.rows()) == 1
    assert not Registry(None, "binance").adopt([None])
