"""``ringcollect features list`` and ``describe`` as a user meets them."""

from __future__ import annotations

import json

import pytest

from ringcollect.cli import run
from ringcollect.sync.bar_record import COLUMNS as BAR_COLUMNS
from ringcollect.sync.catalogue import COLUMNS, SETS


def said(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    assert run(["features", *args]) == 0
    return capsys.readouterr().out


def test_list_shows_every_column_once_in_the_order_of_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "list").splitlines()
    assert lines[0].split()[:3] == ["name", "group", "unit"]
    assert [line.split()[0] for line in lines[1:]] == [feature.name for feature in COLUMNS]


def test_list_takes_sets_names_and_wildcards(capsys: pytest.CaptureFixture[str]) -> None:
    minimal = json.loads(said(capsys, "list", "minimal", "--json"))
    assert tuple(entry["name"] for entry in minimal) == SETS["minimal"]
    few = json.loads(said(capsys, "list", "trade_buy_*,ob_spread", "--json"))
    assert [entry["name"] for entry in few] == [
        "ob_spread", "trade_buy_volume", "trade_buy_notional", "trade_buy_count",
    ]  # fmt: skip


def test_describe_says_formula_unit_source_group_undefined_value_and_sets(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "describe", "ob_spread")
    for words in ("Pa0−Pb0", "quote", "atelier", "book", "minimal"):
        assert words in text
    entry = json.loads(said(capsys, "describe", "ob_spread", "--json"))
    assert entry.keys() == {"name", "formula", "unit", "inputs", "window", "undefined", "group", "sets", "source"}
    assert "minimal" in entry["sets"]


def test_bars_are_in_a_list_of_their_own_and_described_as_all_others(capsys: pytest.CaptureFixture[str]) -> None:
    names = [entry["name"] for entry in json.loads(said(capsys, "list", "bars", "--json"))]
    assert names == ["ts_open_ns", "ts_close_ns", *BAR_COLUMNS] and len(names) == 27
    assert not {feature.name for feature in COLUMNS} & set(names)
    entry = json.loads(said(capsys, "describe", "realized_variance", "--json"))
    assert (entry["formula"], entry["group"], entry["sets"]) == ("Σ r² of grid-row returns in the bar", "P", ["bars"])


def test_a_name_nobody_knows_ends_with_exit_3_and_a_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["features", "describe", "ob_spred"]) == 3
    assert "ob_spread" in capsys.readouterr().err


def test_a_choice_that_matches_nothing_ends_with_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["features", "list", "no_such_*"]) == 2
    assert "no_such_*" in capsys.readouterr().err
