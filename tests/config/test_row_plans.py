"""Overrides of grid and features: which row rings there are, whose rows are in them, what contradicts itself."""

from __future__ import annotations

import pickle

import pytest

from ringcollect.config import narrowed
from tests.config.reading import LINEAR, SPOT, fine, problems

TWO = '"BTCUSDT", "ETHUSDT"'
ENDING = "a grid has one feature set: give these symbols a grid of their own"


def override(symbol: str, **keys: str) -> str:
    lines = [f"{key} = {value}" for key, value in keys.items()]
    return "\n".join(["[[markets.override]]", f'symbols = ["{symbol}"]', *lines, ""])


def test_without_overrides_there_is_one_plan_and_it_has_everything() -> None:
    (plan,) = fine(SPOT + LINEAR + '[sync]\ngrid = "500ms"\n').config.row_plans("binance")
    assert (plan.grid, plan.grid_ns, plan.features) == ("500ms", 500_000_000, ("minimal",))
    assert plan.wants("spot", "BTCUSDT", "BTC-USDT")
    assert plan.wants("linear", "NEVERHEARD", "")
    assert plan.selection() is None


def test_every_other_grid_is_a_plan_with_the_symbols_it_is_given_and_the_base_has_the_rest() -> None:
    text = SPOT.replace('"BTCUSDT"', TWO) + override("eth/usdt", grid='"1s"', features='["trade_*"]')
    text += LINEAR.replace('"BTCUSDT"', TWO) + override("BTC-USDT-PERP", grid='"1000ms"', features='["trade_*"]')
    text += override("ETHUSDT", grid='"10ms"')
    base, fine_grid, coarse = fine(text).config.row_plans("binance")
    assert [(p.grid, p.grid_ns, p.features) for p in (base, fine_grid, coarse)] == [
        ("100ms", 100_000_000, ("minimal",)),
        ("10ms", 10_000_000, ("minimal",)),
        ("1s", 1_000_000_000, ("trade_*",)),
    ]
    every = [(market, symbol) for market in ("spot", "linear") for symbol in ("BTCUSDT", "ETHUSDT", "XRPUSDT")]
    assert [name for name in every if base.wants(*name)] == [
        ("spot", "BTCUSDT"), ("spot", "XRPUSDT"), ("linear", "XRPUSDT"),
    ]  # fmt: skip
    assert [name for name in every if fine_grid.wants(*name)] == [("linear", "ETHUSDT")]
    assert [name for name in every if coarse.wants(*name)] == [("spot", "ETHUSDT"), ("linear", "BTCUSDT")]
    assert coarse.selection() == {"only": ["linear:BTCUSDT", "spot:ETHUSDT"]}
    assert base.selection() == {"all_but": ["linear:BTCUSDT", "linear:ETHUSDT", "spot:ETHUSDT"]}
    assert pickle.loads(pickle.dumps(coarse)) == coarse


def test_a_symbol_that_only_its_unified_name_spells_is_found_by_it() -> None:
    text = LINEAR.replace("BTCUSDT", "BTC-USDT-270326") + override("BTC-USDT-270326", grid='"1s"')
    base, coarse = fine(text).config.row_plans("binance")
    assert coarse.wants("linear", "BTCUSDT_270326", "BTC-USDT-270326")
    assert not base.wants("linear", "BTCUSDT_270326", "BTC-USDT-270326")


@pytest.mark.parametrize("keys", [{"depth": "100"}, {"grid": '"0.1s"'}, {"features": '["minimal"]'}])
def test_an_override_that_leaves_the_rows_as_they_are_makes_no_plan(keys: dict[str, str]) -> None:
    (plan,) = fine(SPOT + override("BTCUSDT", **keys)).config.row_plans("binance")
    assert plan.selection() is None


def test_other_features_on_the_grid_of_everybody_are_an_error_naming_both_keys() -> None:
    assert problems(SPOT + override("BTCUSDT", features='["trade_*"]')) == [
        'config.toml:7: markets[0].override[0].features: the features ["trade_*"] on the grid 100ms, which has '
        f'["minimal"] by sync.features; {ENDING}'
    ]


def test_two_overrides_with_one_grid_and_different_features_are_an_error_naming_both_keys() -> None:
    text = SPOT + override("BTCUSDT", grid='"1s"', features='["trade_*"]')
    assert problems(text + LINEAR + override("BTCUSDT", grid='"1s"', features='["ob_*", "trade_*"]')) == [
        'config.toml:16: markets[1].override[0].features: the features ["ob_*", "trade_*"] on the grid 1s, which has '
        f'["trade_*"] by markets[0].override[0].features; {ENDING}'
    ]
    assert problems(text + LINEAR + override("BTCUSDT", grid='"1s"')) == [
        'config.toml:15: markets[1].override[0].grid: the features ["minimal"] on the grid 1s, which has '
        f'["trade_*"] by markets[0].override[0].features; {ENDING}'
    ]
    fine(text + LINEAR + override("BTCUSDT", grid='"2s"'))
    fine(text + LINEAR + override("BTCUSDT", grid='"1s"', features='["trade_*"]'))


def test_an_instrument_split_over_entries_by_channel_has_one_grid() -> None:
    book = SPOT + "channels = ['book']\n" + override("BTCUSDT", grid='"1s"')
    trade = SPOT + "channels = ['trade']\n"
    assert problems(book + trade + override("btc/usdt", grid='"2s"')) == [
        'config.toml:16: markets[1].override[0].grid: found "2s"; allowed: "1s", which markets[0].override[0].grid '
        'gives "btc/usdt" already'
    ]
    base, coarse = fine(book + trade).config.row_plans("binance")
    assert coarse.wants("spot", "BTCUSDT")
    assert not base.wants("spot", "BTCUSDT")


def test_more_grids_than_the_record_ring_has_places_for_is_an_error() -> None:
    symbols = [f"S{number}USDT" for number in range(16)]
    text = SPOT.replace('["BTCUSDT"]', str(symbols))
    grids = [override(symbol, grid=f'"{number + 1}s"') for number, symbol in enumerate(symbols)]
    fine(text + "".join(grids[:15]))
    (line,) = problems(text + "".join(grids))
    assert line.endswith("markets: 17 grids of binance; allowed: at most 16 per exchange")


def test_a_run_of_some_symbols_has_only_their_grids() -> None:
    config = fine(SPOT.replace('"BTCUSDT"', TWO) + override("ETHUSDT", grid='"1s"')).config
    assert [plan.grid for plan in narrowed(config, symbols=["BTCUSDT"]).row_plans("binance")] == ["100ms"]
    assert [plan.grid for plan in narrowed(config, symbols=["ETHUSDT"]).row_plans("binance")] == ["100ms", "1s"]
