"""Mutated frames: kernel, typed path and standard library agree, nothing is overread; ``make fuzz`` takes hours."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.fuzz.__main__ import round_of
from tests.fuzz.corpus import CORPORA
from tests.fuzz.mutate import mutated

FRAMES = 6_000


@pytest.mark.parametrize("number", range(len(CORPORA)), ids=[f"{c.exchange}-{c.market}" for c in CORPORA])
def test_a_few_thousand_mutated_frames_are_read_alike_on_every_way(number: int, tmp_path: Path) -> None:
    assert round_of(number, 20261121 + number, 60, FRAMES, tmp_path)
    assert not list(tmp_path.glob("*.frame"))


def test_mutation_is_a_function_of_its_seed_and_leaves_some_frames_whole_and_some_not() -> None:
    seed = CORPORA[0].seeds[0].encode()
    once, again = ([mutated(random.Random(k), seed, seed) for k in range(200)] for _ in range(2))
    assert once == again
    assert len(set(once)) > 150


def test_a_frame_that_ends_the_process_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import tests.fuzz.judge as judge\nimport os, signal\n"
        "judge.Judge.hot = lambda self, frame: os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', Path.cwd())}")
    assert not round_of(0, 1, 60, 10, tmp_path / "kept")
    (kept,) = (tmp_path / "kept").glob("*.frame")
    assert len(kept.read_bytes()) > 0
