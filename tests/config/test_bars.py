"""Bars in the configuration: which kinds, on which grid, and what is wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringcollect.bar_kinds import QUOTE, TICKS, TIME, VOLUME, Bar, parse_bar
from ringcollect.config.show import as_toml
from ringcollect.ring.paths import check_name
from ringcollect.sync.bar_ring import bar_ring_name
from ringcollect.sync.parameters import parameters_of
from tests.config.reading import fine, problems

ON = "[sync.output]\nbars = true\n"
MARKET = '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT", "ETHUSDT"]\n'


def test_bars_are_off_and_of_four_durations_once_they_are_on() -> None:
    assert fine("").config.sync.bars == ()
    assert [bar.name for bar in fine(ON).config.sync.bars] == ["1s", "5s", "30s", "1m"]
    assert parameters_of(fine(ON).config).bars == fine(ON).config.sync.bars
    assert parameters_of(fine("").config).bars == ()


def test_kinds_have_one_spelling_and_come_in_the_order_of_the_file() -> None:
    text = '[sync.features]\nbar_durations = ["60s", "2000ms"]\nbar_sizes = ["500ticks", "0.50base", "01000000quote"]\n'
    loaded = fine(text + ON)
    config = loaded.config
    assert config.sync.choice.bar_sizes == ("500ticks", "0.5base", "1000000quote")
    assert config.sync.bars == (
        Bar(TIME, 60e9), Bar(TIME, 2e9), Bar(TICKS, 500), Bar(VOLUME, 0.5), Bar(QUOTE, 1e6),
    )  # fmt: skip
    assert fine(as_toml(loaded)).config.sync == config.sync


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('bar_durations = ["5"]', "bar_durations[0]", "a duration from 1us to 1d"),
        ('bar_durations = ["2d"]', "bar_durations[0]", "a duration from 1us to 1d"),
        ('bar_sizes = ["500"]', "bar_sizes[0]", "a number of ticks"),
        ('bar_sizes = ["1.5ticks"]', "bar_sizes[0]", "a number of ticks"),
        ('bar_sizes = ["9ticks", "0base"]', "bar_sizes[1]", "a number of ticks"),
        (
            'bar_durations = ["1s", "150ms"]',
            "bar_durations",
            "150ms is no multiple of the grid they",
        ),
        ('bar_durations = ["1m", "60s"]', "bar_durations", "1m is there twice"),
        ('bar_sizes = ["1base", "1.0base"]', "bar_sizes", "1base is there twice"),
        ("bar_durations = []", "bar_durations", "sync.output.bars = false"),
        (f"bar_sizes = {[f'{n}ticks' for n in range(1, 14)]}", "bar_durations", "17 kinds of bars"),
    ],
)
def test_what_is_wrong_with_bars_is_named_by_its_key(text: str, key: str, words: str) -> None:
    (line,) = problems(f"[sync.features]\n{text}\n{ON}")
    assert f"sync.features.{key}: " in line
    assert words in line


def test_where_bars_are_off_any_grid_is_fine() -> None:
    assert fine('[sync]\ngrid = "7ms"\n').config.sync.bars == ()
    (line,) = problems(f'[sync]\ngrid = "7ms"\n{ON}')
    assert "1s is no multiple of the grid they are made on, 7ms" in line


def test_bars_are_made_on_the_first_grid_with_everything_and_must_fit_that_one() -> None:
    override = '[[markets.override]]\nsymbols = ["ETHUSDT"]\ngrid = "{}"\n'
    two = '[[sync.grid]]\ngrid = "100ms"\n[[sync.grid]]\ngrid = "700ms"\n'
    (line,) = problems(MARKET + override.format("300ms") + ON)
    assert "1s is no multiple of the grid they are made on, 300ms" in line
    (line,) = problems(MARKET + override.format("250ms") + two + ON)
    assert "1s is no multiple of the grid they are made on, 700ms" in line
    config = fine(MARKET + override.format("250ms") + ON).config
    made = {plan.grid: parameters_of(config, plan).bars for plan in config.row_plans("binance")}
    assert made == {"100ms": config.sync.bars, "250ms": config.sync.bars}
    config = fine(MARKET + two + ON).config
    assert [bool(parameters_of(config, plan).bars) for plan in config.row_plans("binance")] == [True, False]


@given(
    st.one_of(
        st.builds(Bar, st.just(TIME), st.integers(1, 86_400 * 10**9).map(float)),
        st.builds(Bar, st.just(TICKS), st.integers(1, 10**15 - 1).map(float)),
        st.builds(
            lambda kind, whole, parts: Bar(kind, float(f"{whole}.{parts:09d}")),
            st.sampled_from([VOLUME, QUOTE]), st.integers(1, 10**6), st.integers(0, 10**9 - 1),
        ),
    )
)  # fmt: skip
def test_the_name_of_a_kind_is_its_text_and_a_part_of_a_rings_name(bar: Bar) -> None:
    assert parse_bar(bar.name) == bar
    check_name(bar_ring_name("binance", bar, "100ms"))
