"""The sum of a run: what it counts as its own, and what it calls a problem."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from ringcollect.observe.health import State
from ringcollect.observe.rings import Consumer, RingReport
from ringcollect.observe.snapshot import Archive, Snapshot
from ringcollect.supervise.run import Outcome
from ringcollect.supervise.summary import lines, summarize

COUNTERS = {"frames_in": 100, "decoded": 90, "control": 4, "ignored": 6, "rejected": 0, "seq_gaps": 0, "trade_gaps": 0}


def ring(head: int, generation: int = 1, lag: int = 0, lost: int = 0, **counters: int) -> RingReport:
    reader = Consumer(
        name="journal", lag=lag, fill=0, lost=lost, committed=head - lag, pid=1, heartbeat_ns=0, required=False
    )
    return RingReport(
        name="binance.rec", kind="rec", alive=False, state="closed", generation=generation, capacity=1024, head=head,
        counters=COUNTERS | counters, consumers=(reader,),
    )  # fmt: skip


def outcome(folder: Path, begin: tuple[RingReport, ...], final: RingReport, **facts: object) -> Outcome:
    def look(at_s: int, rings: tuple[RingReport, ...]) -> Snapshot:
        return Snapshot(
            at_ns=at_s * 10**9, started_ns=10**9, state=State.READY, reason="", since_ns=0, data="data",
            runtime=str(folder), rings=rings,
        )  # fmt: skip

    plain = Outcome(
        exit_code=0, killed=(), restarts={}, begin=look(1, begin), running=look(20, (final,)), final=look(21, (final,))
    )
    return msgspec.structs.replace(plain, **facts)


def test_a_run_without_loss_is_exit_0_and_counts_what_the_writer_sealed(tmp_path: Path) -> None:
    sealed = {"journals": 2, "files": 7, "rows": 345, "bytes": 6789, "failures": 0, "running": False, "error": ""}
    (tmp_path / "journal.state.json").write_text(json.dumps({"sealed": sealed}))
    summary = summarize(outcome(tmp_path, (), ring(345)))
    assert (summary.exit_code, summary.problems) == (0, ())
    assert (summary.frames, summary.published, summary.seconds) == (100, {"binance.rec": 345}, 20)
    assert (summary.written.rows, summary.written.files) == (345, 7)
    assert "frames in     100 = 90 decoded, 4 control, 6 ignored, 0 rejected" in lines(summary)


def test_a_ring_taken_over_from_an_earlier_run_counts_only_what_came_since(tmp_path: Path) -> None:
    earlier = ring(1000, lost=50, seq_gaps=9)
    now = ring(1300, lost=50, seq_gaps=9, frames_in=150, decoded=140)
    summary = summarize(outcome(tmp_path, (earlier,), now))
    assert (summary.published["binance.rec"], summary.frames, summary.gaps) == (300, 50, 0)
    assert (summary.exit_code, summary.lost) == (0, {"binance.rec for journal": 0})


def test_a_new_generation_counts_from_zero(tmp_path: Path) -> None:
    summary = summarize(outcome(tmp_path, (ring(1000, generation=1),), ring(10, generation=2)))
    assert summary.published["binance.rec"] == 10


@pytest.mark.parametrize(
    ("final", "problem"),
    [
        (ring(10, lost=3), "3 records lost: binance.rec for journal"),
        (ring(10, lag=2), "2 records still in memory: binance.rec for journal"),
        (ring(10, seq_gaps=1, trade_gaps=1), "2 gaps"),
        (ring(10, rejected=1, decoded=89), "1 frames rejected"),
        (ring(10, decoded=80), "100 frames in, but 90 accounted for"),
    ],
)
def test_whatever_is_missing_is_a_problem_and_exit_1(final: RingReport, problem: str, tmp_path: Path) -> None:
    summary = summarize(outcome(tmp_path, (), final))
    assert summary.exit_code == 1
    assert [text for text in summary.problems if problem in text]
    assert any(line.startswith("PROBLEM: ") and problem in line for line in lines(summary))


def test_a_killed_process_is_named_and_its_exit_code_wins(tmp_path: Path) -> None:
    summary = summarize(outcome(tmp_path, (), ring(10, lost=1), exit_code=5, killed=("feed-binance",)))
    assert summary.exit_code == 5
    assert "killed past its stop budget: feed-binance" in summary.problems


def test_a_restarted_feed_missed_something_a_restarted_journal_process_did_not(tmp_path: Path) -> None:
    assert summarize(outcome(tmp_path, (), ring(10), restarts={"journal": 1, "sync": 2})).exit_code == 0
    summary = summarize(outcome(tmp_path, (), ring(10), restarts={"feed-binance": 2}))
    assert summary.exit_code == 1
    assert "feed-binance was restarted 2 times" in summary.problems[0]


@pytest.mark.parametrize(
    ("failures", "error", "unsealed", "exit_code", "said"),
    [
        (2, "", 0, 0, "sealing       failed 2 times and was tried again"),
        (0, "", 3, 0, "not sealed    3 journals: the next start seals them, nothing of them is lost"),
        (4, "no space", 1, 1, "PROBLEM: 1 journals could not be sealed (no space): the next start tries again"),
    ],
)
def test_sealing_that_succeeded_in_the_end_is_told_and_only_what_could_not_be_sealed_is_a_problem(
    failures: int, error: str, unsealed: int, exit_code: int, said: str, tmp_path: Path
) -> None:
    sealed = {"journals": 2, "files": 7, "rows": 345, "bytes": 6789, "failures": failures, "error": error}
    state = {"sealed": sealed, "unsealed": {"count": unsealed, "bytes": 1, "oldest_s": 0.0}}
    (tmp_path / "journal.state.json").write_text(json.dumps(state))
    summary = summarize(outcome(tmp_path, (), ring(345)))
    assert summary.exit_code == exit_code
    assert said in lines(summary)


@pytest.mark.parametrize(("archive", "exit_code"), [
    (None, 0), (Archive(segments=3), 0), (Archive(waiting_segments=2), 0), (Archive(error="refused"), 0),
    (Archive(waiting_segments=2, error="refused"), 1),
])  # fmt: skip
def test_segments_that_could_not_be_archived_are_a_problem_with_the_reason(
    archive: Archive | None, exit_code: int, tmp_path: Path
) -> None:
    ended = outcome(tmp_path, (), ring(10))
    summary = summarize(msgspec.structs.replace(ended, final=msgspec.structs.replace(ended.final, archive=archive)))
    assert summary.exit_code == exit_code
    said = ("2 segments could not be archived (refused): the next start tries again",)
    assert summary.problems == (said if exit_code else ())
