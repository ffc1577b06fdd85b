"""Medians, ratios and targets are what a reader of the table takes them for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.figures import Case, Section, Series, Skip, Target, load, save

OURS = Series("ringcollect", (10.0, 30.0, 20.0), ours=True)
PEER = Series("peer", (40.0, 30.0, 50.0))


def section(case: Case, *, less_is_better: bool = True) -> Section:
    return Section("s", "A section", "ns a frame", (case,), less_is_better=less_is_better)


def test_a_ratio_is_of_the_medians_and_its_spread_of_the_pairs_of_runs() -> None:
    ratio = section(Case("c")).ratio(OURS, PEER)
    assert (ratio.value, ratio.low, ratio.high) == (40 / 20, 30 / 30, 40 / 10)


def test_above_one_we_win_also_where_more_is_better() -> None:
    assert section(Case("c"), less_is_better=False).ratio(OURS, PEER).value == pytest.approx(20 / 40)


def test_ours_are_compared_with_every_peer_and_not_with_each_other() -> None:
    case = Case("c", series=(OURS, Series("batched", (5.0,), ours=True), PEER, Series("other", (1.0,))))
    pairs = [(ratio.ours, ratio.peer) for ratio in section(case).ratios(case)]
    assert pairs == [("ringcollect", "peer"), ("ringcollect", "other"), ("batched", "peer"), ("batched", "other")]


def test_a_target_whose_peer_was_not_run_is_not_measured_rather_than_reached() -> None:
    targets = (Target("ringcollect", "peer", 2.0), Target("ringcollect", "absent", 2.0))
    case = Case("c", series=(OURS, PEER), targets=targets)
    found = list(section(case).reached(case))
    assert found[0][1] is not None and found[0][1].value == 2.0
    assert found[1] == (targets[1], None)


def test_what_is_saved_is_loaded_unchanged(tmp_path: Path) -> None:
    case = Case("c", "detail", (OURS, PEER), (Target("ringcollect", "peer", 2.0),), (Skip("x", "why"),), ("agrees",))
    whole = Section("s", "A section", "ns", (case,), True, (Skip("y", "because"),), ("a note",), {"numba": "1"})
    save(whole, tmp_path / "deep" / "s.json")
    assert load(tmp_path / "deep" / "s.json") == whole
