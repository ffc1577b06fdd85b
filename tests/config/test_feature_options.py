"""``[sync.features]``: two spellings of a choice, options for the kernels, one grid that is short for two."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringcollect.config import SyncFeatures
from ringcollect.errors import ConfigError
from ringcollect.sync.catalogue import Options
from ringcollect.sync.parameters import options_of, parameters_of
from ringcollect.sync.rows import row_dtype

from .reading import SPOT, fine, problems

SECOND = 10**9


def test_an_array_is_short_for_the_tables_select() -> None:
    short = fine(SPOT + '\n[sync]\nfeatures = ["ob_*"]').config
    long = fine(SPOT + '\n[sync.features]\nselect = ["ob_*"]').config
    assert short.sync.choice == long.sync.choice == SyncFeatures(select=("ob_*",))
    assert parameters_of(short) == parameters_of(long)
    assert parameters_of(short).columns == ("ob_mid_price", "ob_spread", "ob_imbalance")
    assert fine(SPOT, {"RINGCOLLECT__SYNC__FEATURES": "ob_*"}).config.sync.choice == short.sync.choice
    variable = {"RINGCOLLECT__SYNC__FEATURES__HORIZONS": "2s,1m"}
    assert fine(SPOT, variable).config.sync.choice.horizons_ns == (2 * SECOND, 60 * SECOND)


def test_defaults_of_the_file_are_those_of_the_kernels() -> None:
    assert options_of(fine(SPOT).config) == Options()


def test_every_option_reaches_the_kernels() -> None:
    text = """
[sync.features]
horizons = ["2s"]
bands_bps = [1, 2.5]
price_levels = 3
max_levels = 4
ofi_levels = 2
ofi_decay_alpha = 1.5
ofi_weights = [0.25, 0.75]
use_dynamic_spread_regime = false
tight_spread_threshold = 0.01
spread_regime_window = "10s"
tight_percentile = 0.1
wide_percentile = 0.9
kyle_lambda_window = "20s"
vpin_bucket_count = 10
vpin_window_buckets = 20
vpin_bucket_volume = 7
state_reset = "30s"
[websocket]
silence_market = "7s"
"""
    made = options_of(fine(SPOT + text).config)
    assert made == Options(
        horizons_ns=(2 * SECOND,), bands_bps=(0.0, 1.0, 2.5), price_levels=3, max_levels=4, ofi_levels=2,
        ofi_decay_alpha=1.5, ofi_weights=(0.25, 0.75), dynamic_spread_regime=False, tight_spread_threshold=0.01,
        spread_regime_window_ns=10 * SECOND, tight_percentile=0.1, wide_percentile=0.9,
        kyle_lambda_window_ns=20 * SECOND, vpin_bucket_count=10, vpin_window_buckets=20, vpin_bucket_volume=7.0,
        state_reset_ns=30 * SECOND, silence_market_ns=7 * SECOND,
    )  # fmt: skip


def test_how_long_a_silent_driver_holds_rows_back_reaches_the_clocks() -> None:
    assert parameters_of(fine(SPOT).config).max_row_latency_ns == 0
    assert parameters_of(fine(SPOT + '[sync]\nmax_row_latency = "5s"').config).max_row_latency_ns == 5 * SECOND


def test_a_wide_set_on_a_fine_grid_is_two_grids_unless_the_interval_is_empty() -> None:
    def plans(text: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(plan.grid, plan.features) for plan in fine(SPOT + text).config.row_plans("binance")]

    assert plans('[sync]\nfeatures = ["core"]') == [("100ms", ("minimal",)), ("1s", ("core",))]
    assert plans('[sync.features]\nselect = ["full"]\nhf_emit_interval = ""') == [("100ms", ("full",))]
    assert plans('[sync]\ngrid = "1s"\nfeatures = ["core"]') == [("1s", ("core",))]
    assert plans('[sync]\nfeatures = ["minimal", "ob_*"]') == [("100ms", ("minimal", "ob_*"))]
    explicit = '[[sync.grid]]\ngrid = "100ms"\nfeatures = ["core"]'
    assert plans(explicit) == [("100ms", ("core",))]


def test_raw_arrays_are_the_books_of_every_row() -> None:
    assert fine(SPOT + "[sync.features]\nkeep_raw_arrays = true").config.sync.tables == ("orderbooks",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("horizons = ['5h']", "sync.features.horizons[0]"),
        ("max_levels = 51", "sync.features.max_levels"),
        ("bands_bps = [-1]", "sync.features.bands_bps[0]"),
        ("select = []", "sync.features.select"),
        ("levels = 3", "sync.features.levels"),
    ],
)
def test_a_wrong_option_is_named_by_its_key(text: str, words: str) -> None:
    assert words in problems(SPOT + "[sync.features]\n" + text)[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[sync]\ngrid = "1ns"\nfeatures = ["rv_*"]', r"sync\.features\.horizons.*sync\.grid"),
        ('[sync]\ngrid = "700ms"\nfeatures = ["ofi_sum_*"]', r"sync\.features\.horizons.*sync\.grid"),
        ("[sync.features]\nbands_bps = [5, 5]", "bands_bps"),
        ("[sync.features]\nofi_weights = [1]", "ofi_weights"),
    ],
)
def test_what_no_grid_can_have_names_both_keys_before_anything_starts(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parameters_of(fine(SPOT + text).config)


def test_the_finest_grid_has_group_a_and_flags() -> None:
    assert len(parameters_of(fine(SPOT + '[sync]\ngrid = "1ns"').config).columns) == 25


@pytest.mark.parametrize("name", ["minimal", "core", "full"])
def test_rows_of_every_set_can_be_laid_out(name: str) -> None:
    columns = parameters_of(fine(f'{SPOT}\n[sync.features]\nselect = ["{name}"]').config).columns
    assert row_dtype(columns).names[-len(columns) :] == columns


def test_the_defaults_are_the_published_ones() -> None:
    """Those of the system whose features these are: horizons and bars of its README, the rest of its code."""
    assert SyncFeatures() == SyncFeatures(
        select=("minimal",), horizons=("1s", "5s", "30s", "1m"), bar_durations=("1s", "5s", "30s", "1m"),
        hf_emit_interval="1s", max_levels=20, ofi_levels=10, ofi_decay_alpha=0.5,
        bands_bps=(5.0, 10.0, 25.0, 50.0, 100.0), keep_raw_arrays=False, tight_spread_threshold=1e-4,
        use_dynamic_spread_regime=True, spread_regime_window="5m", tight_percentile=0.2, wide_percentile=0.8,
        kyle_lambda_window="5m", vpin_bucket_count=50, vpin_window_buckets=50,
    )  # fmt: skip


def test_every_option_has_a_line_in_the_reference_with_what_it_costs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "features.md").read_text()
    lines = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page[page.index("## Options") :], re.MULTILINE))
    assert set(lines) >= set(SyncFeatures.__struct_fields__)
    for key in SyncFeatures.__struct_fields__:
        default, meaning, cost = re.split(r" \| ", lines[key])
        assert default and meaning and cost, key
