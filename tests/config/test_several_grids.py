"""``[[sync.grid]]``: several periods in one run, each with its own clock and features, and what contradicts itself."""

from __future__ import annotations

import pytest

from ringcollect.config import Sync, SyncGrid, parse
from ringcollect.config.show import as_toml
from tests.config.reading import LINEAR, SPOT, fine, problems

MS, SECOND = 1_000_000, 1_000_000_000
TWO = """
[[sync.grid]]
grid = "100ms"
[[sync.grid]]
grid = "1s"
mode = "external"
features = ["trade_*"]
"""
OVERRIDE = '[[markets.override]]\nsymbols = ["BTCUSDT"]\n'


def test_every_instrument_is_on_every_grid_with_its_clock_and_features() -> None:
    text = SPOT + '[sync]\nmode = "trade"\nfeatures = ["ob_*"]\n' + TWO + '[[sync.grid]]\ngrid = "250us"\n'
    base, fine_grid, coarse = fine(text + LINEAR).config.row_plans("binance")
    assert [(p.grid, p.grid_ns, p.mode, p.hold_back_ns, p.features) for p in (base, fine_grid, coarse)] == [
        ("100ms", 100 * MS, "trade", 250 * MS, ("ob_*",)),
        ("250us", 250_000, "trade", 250 * MS, ("ob_*",)),
        ("1s", SECOND, "external", SECOND, ("trade_*",)),
    ]
    assert [plan.is_base for plan in (base, fine_grid, coarse)] == [True, False, False]
    for plan in (base, fine_grid, coarse):
        assert plan.selection() is None
        assert plan.wants("spot", "BTCUSDT") and plan.wants("linear", "NEVERHEARD")


def test_a_hold_back_is_the_grids_own_else_that_of_the_section_else_that_of_the_mode() -> None:
    sync = Sync(hold_back="2s", grid=(SyncGrid(grid="1s", mode="external"), SyncGrid(grid="2s", hold_back="0s")))
    assert [one.hold_back_ns for one in sync.grids] == [2 * SECOND, 0]
    assert [one.hold_back_ns for one in parse(TWO).config.sync.grids] == [250 * MS, SECOND]


def test_the_key_grid_alone_is_a_run_with_one_grid() -> None:
    assert fine('[sync]\ngrid = "7ns"\n').config.sync.grids == (
        SyncGrid(grid="7ns", mode="orderbook", features=("minimal",)),
    )
    assert fine("").config.sync.grids == fine('[[sync.grid]]\ngrid = "100ms"\n').config.sync.grids


def test_an_override_takes_its_symbols_from_the_first_grid_and_leaves_them_on_the_others() -> None:
    base, coarse, own = fine(SPOT + OVERRIDE + 'grid = "5s"\n' + TWO).config.row_plans("binance")
    assert [plan.wants("spot", "BTCUSDT") for plan in (base, coarse, own)] == [False, True, True]
    assert [plan.wants("spot", "ETHUSDT") for plan in (base, coarse, own)] == [True, True, False]
    assert (own.mode, own.features) == ("orderbook", ("minimal",))


def test_an_override_to_a_grid_that_everything_is_on_takes_symbols_from_the_first_grid_only() -> None:
    base, coarse = fine(SPOT + OVERRIDE + 'grid = "1s"\n' + TWO).config.row_plans("binance")
    assert [plan.wants("spot", "BTCUSDT") for plan in (base, coarse)] == [False, True]
    assert (coarse.mode, coarse.features, coarse.selection()) == ("external", ("trade_*",), None)


def test_two_grids_of_one_period_are_an_error_naming_both_keys() -> None:
    assert problems(TWO + '[[sync.grid]]\ngrid = "1000ms"\n') == [
        'config.toml:9: sync.grid[2].grid: found "1s"; allowed: another period than that of sync.grid[1].grid'
    ]


def test_other_features_by_an_override_on_such_a_grid_are_an_error_naming_both_keys() -> None:
    text = SPOT + OVERRIDE + 'grid = "1s"\nfeatures = ["ob_*"]\n' + TWO
    assert problems(text) == [
        'config.toml:8: markets[0].override[0].features: the features ["ob_*"] on the grid 1s, which has ["trade_*"] '
        "by sync.grid[1].features; a grid has one feature set: give these symbols a grid of their own"
    ]


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('[[sync.grid]]\nmode = "trade"', "sync.grid[0].grid", "missing; allowed: a duration from 1ns to 1d"),
        ('[[sync.grid]]\ngrid = "0s"', "sync.grid[0].grid", 'found "0s"'),
        ('[[sync.grid]]\ngrid = "0.5ns"', "sync.grid[0].grid", 'found "0.5ns"'),
        ('[[sync.grid]]\ngrid = "1s"\nmode = "clock"', "sync.grid[0].mode", 'found "clock"'),
        ('[[sync.grid]]\ngrid = "1s"\nhold_back = "2h"', "sync.grid[0].hold_back", 'found "2h"'),
        ('[[sync.grid]]\ngrid = "1s"\nperiod = "2s"', "sync.grid[0].period", "unknown key"),
        ('[[sync.grid]]\ngrid = "1s"\nfeatures = ["Any"]', "sync.grid[0].features[0]", 'found "Any"'),
        ("[sync]\ngrid = []", "sync.grid", "found an empty array"),
        ("[sync]\ngrid = ['1s', '2s']", "sync.grid[0]", 'found "1s"; allowed: a table with the keys grid'),
    ],
)
def test_what_is_wrong_with_a_grid_is_named_by_its_key(text: str, key: str, words: str) -> None:
    line = problems(text)[0]
    assert f"{key}: {words}" in line


def test_each_grid_without_its_driver_or_hold_back_is_a_warning_naming_its_key() -> None:
    text = (
        SPOT + "channels = ['trade']\n" + TWO + 'hold_back = "0s"\n[[sync.grid]]\ngrid = "2s"\nmode = "liquidation"\n'
    )
    assert fine(text).warnings == (
        'markets[0]: sync.mode "orderbook" makes no rows without the channel "book", which BTCUSDT does not have',
        "sync.grid[1].hold_back: with 0s every event that arrives after its row's boundary is dropped as late",
        'markets[0]: sync.grid[2].mode "liquidation" makes no rows without the channel "liquidation", which BTCUSDT '
        "does not have",
    )


def test_more_grids_than_the_record_ring_has_places_for_is_an_error() -> None:
    grids = [f'[[sync.grid]]\ngrid = "{number + 1}s"\n' for number in range(17)]
    fine(SPOT + "".join(grids[:16]))
    (line,) = problems(SPOT + "".join(grids))
    assert line.endswith("markets: 17 grids of binance; allowed: at most 16 per exchange")


def test_a_shown_configuration_with_several_grids_loads_again() -> None:
    loaded = fine(SPOT + TWO)
    assert fine(as_toml(loaded)).config == loaded.config


def test_a_variable_sets_one_key_of_one_grid_appends_a_grid_or_replaces_them_all() -> None:
    env = {"RINGCOLLECT__SYNC__GRID__1__MODE": "trade", "RINGCOLLECT__SYNC__GRID__2__GRID": "2s"}
    assert [(one.grid, one.mode) for one in fine(TWO, env).config.sync.grids] == [
        ("100ms", "orderbook"), ("1s", "trade"), ("2s", "orderbook"),
    ]  # fmt: skip
    assert [one.grid for one in fine(TWO, {"RINGCOLLECT__SYNC__GRID": "50ms"}).config.sync.grids] == ["50ms"]


def test_what_goes_to_the_lake_is_turned_on_table_by_table() -> None:
    assert fine("").config.sync.output.tables == ()
    output = fine('[sync.output]\ntrades = true\norderbooks = true\nbook_interval = "60s"').config.sync.output
    assert (output.tables, output.features, output.book_interval_ns) == (("orderbooks", "trades"), True, 60 * SECOND)
    for text in ("levels = 0", 'book_interval = "10ms"', "quotes = true"):
        (line,) = problems(f"[sync.output]\n{text}")
        assert f"sync.output.{text.split()[0]}: " in line
