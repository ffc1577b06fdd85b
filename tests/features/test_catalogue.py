"""The catalogue: its columns are the published ones, its kernels write them in its order."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from ringcollect.errors import ConfigError
from ringcollect.sync.catalogue import (
    ACROSS,
    COLUMNS,
    FEATURES,
    GROUPS,
    Options,
    choose,
    divided,
    features_with,
    select,
)
from ringcollect.sync.catalogue.plan import plan

SECOND = 10**9


def test_columns_are_the_published_ones_in_their_order(captures: Path) -> None:
    published = captures.parent / "features.json"
    if not published.is_file():
        pytest.skip(f"no published list of features beside {captures}")
    for entry in json.loads(published.read_text())["groups"]:
        if entry["code"] not in [group.letter for group in (*GROUPS, ACROSS)]:
            continue
        own = [f for f in COLUMNS if f.group == entry["code"]]
        assert [f.name for f in own] == [name for family in entry["features"] for name in family["columns"]]
        core = {name for family in entry["features"] if family["set"] == "C" for name in family["columns"]}
        assert {f.name for f in own if f.core} == core


def test_names_are_unique_and_groups_in_order() -> None:
    assert len({f.name for f in FEATURES}) == len(FEATURES)
    assert [g.letter for g in GROUPS] == sorted(g.letter for g in GROUPS)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.module)
def test_the_catalogue_gives_each_kernel_the_state_it_needs(group: object) -> None:
    module = import_module(f"ringcollect.sync.features.{group.module}")
    assert group.slab == getattr(module, "SLAB", None) or group.letter == "A"


def test_wildcards_braces_and_sets_choose_in_catalogue_order() -> None:
    assert select(["mid_{high,low}", "minimal"])[-2:] == ["mid_high", "mid_low"]
    assert select(["ob_*"]) == ["ob_mid_price", "ob_spread", "ob_imbalance"]
    assert choose(["full"]) == [f.name for f in COLUMNS] and len(COLUMNS) == 391
    assert select(["full"]) == [f.name for f in FEATURES]
    assert COLUMNS[: len(FEATURES)] == FEATURES
    with pytest.raises(ConfigError, match=r"sync\.features: 'no_such' is no set"):
        select(["no_such"])


def test_a_column_across_venues_brings_the_column_it_is_made_of_and_is_not_there_without_it() -> None:
    rows, across = divided(choose(["ob_spread", "xv_lead_return_1s", "xv_dispersion_bps"]), Options())
    assert rows == ("ob_spread", "mid_price", "log_return_1s")
    assert across == ("xv_dispersion_bps", "xv_lead_return_1s")
    longer = Options(horizons_ns=(5 * SECOND, 60 * SECOND))
    assert choose(["xv_*"], "k", longer) == ["xv_mid_dev_bps", "xv_dispersion_bps", "xv_ofi_norm_5s"]
    with pytest.raises(ConfigError, match="xv_lead_return_1s"):
        choose(["xv_lead_return_1s"], "k", longer)


def test_options_change_names_and_nothing_else() -> None:
    options = Options(horizons_ns=(2 * SECOND, 250_000_000), bands_bps=(0.0, 2.5))
    assert len({f.name for f in features_with(options)}) == len(features_with(options))


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"horizons_ns": ()}, "horizons"),
        ({"horizons_ns": (5, 5)}, "horizons"),
        ({"bands_bps": (1.0, 2.0)}, "bands_bps"),
        ({"ofi_levels": 11}, "ofi_levels"),
        ({"max_levels": 0}, "max_levels"),
        ({"ofi_weights": (1.0,)}, "ofi_weights"),
    ],
)
def test_an_option_no_kernel_can_work_with_is_named(changed: dict, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        plan(select(["minimal"]), 100_000_000, Options(**changed))
