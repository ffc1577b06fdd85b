"""The table is generated from the stored figures, and names what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import peers, report, run
from benchmarks.figures import Case, Section, Series, Skip, Target, save
from benchmarks.form import CI, Form
from benchmarks.peers import Peer

SECTION = Section(
    "decode", "Decode", "ns a frame",
    (
        Case(
            "spot book", "100 frames",
            (
                Series("ringcollect, one by one", (2000.0, 1000.0, 3000.0), True),
                Series("orjson", (5000.0, 4000.0, 9000.0)),
            ),
            (Target("ringcollect, one by one", "orjson", 2.5), Target("ringcollect, one by one", "absent", 20.0)),
            (Skip("tardis", "node: not found"),), ("the best prices agree",),
        ),
    ),
    skipped=(Skip("ccxt", "pip: no matching distribution"),), notes=("two cores",), facts={"numba": "0.68.1"},
)  # fmt: skip


def test_the_table_has_medians_ratios_spreads_targets_and_versions() -> None:
    page = report.document([SECTION])
    assert "| orjson | 5,000 | 4,000 to 9,000 (3) | 2.50× (2.50× to 4.00×) |" in page
    assert "| **ringcollect, one by one** | 2,000 | 1,000 to 3,000 (3) |  |" in page
    assert "| spot book | ringcollect, one by one | orjson | 2.50× | 2.50×, reached |" in page
    assert "| spot book | ringcollect, one by one | absent | 20.0× | not measured |" in page
    assert "numba 0.68.1" in page and "* two cores" in page and "the best prices agree" in page


def test_who_was_not_run_is_in_the_table_with_the_reason() -> None:
    page = report.document([SECTION])
    assert "**ccxt was not run**: pip: no matching distribution" in page
    assert "| tardis | not run: node: not found |" in page


def test_a_missed_target_says_so() -> None:
    case = Case("c", series=(Series("o", (2.0,), True), Series("p", (2.0,))), targets=(Target("o", "p", 1.5),))
    assert "1.00×, **missed**" in report.document([Section("s", "S", "ns", (case,))])


def test_running_one_benchmark_again_keeps_the_others_in_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Again:
        @staticmethod
        def run(form: Form) -> Section:
            return Section("ring", "The ring", "ns a record", ())

    monkeypatch.setattr(run, "BENCHMARKS", {"decode": "x", "ring": "y"})
    monkeypatch.setattr(run, "import_module", lambda name: Again)
    save(SECTION, tmp_path / "decode.json")
    run.run(["ring"], CI, tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert "## Decode" in page and "## The ring" in page


def test_a_peer_that_does_not_install_is_printed_and_stored_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "HOME", tmp_path)
    monkeypatch.setattr(peers, "PEERS", {"absent": Peer("absent", (f"absent @ file://{tmp_path}/none-such.whl",))})
    ready, skipped = peers.install(["absent"])
    assert ready == {}
    assert [skip.subject for skip in skipped] == ["absent"]
    assert "none-such.whl" in skipped[0].reason
    assert skipped[0].reason in capsys.readouterr().out


def test_without_captures_nothing_runs_and_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RINGCOLLECT_CAPTURES", raising=False)
    with pytest.raises(SystemExit, match="RINGCOLLECT_CAPTURES"):
        run.main(["--ci"])
