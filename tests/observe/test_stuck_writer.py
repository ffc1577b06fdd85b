"""A journal process that hangs on its disk says nothing, and that is an error; one that is gone is not stuck."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringcollect.observe.journals import STUCK_S, look
from ringcollect.store.writer_state import STATE_FILE

NOW_S = time.time()


def _said(runtime: Path, pid: int, ago_s: float, error: str = "") -> None:
    path = runtime / STATE_FILE
    path.write_text(json.dumps({"pid": pid, "error": error, "unsealed": {"count": 3, "bytes": 9, "oldest_s": 1.0}}))
    os.utime(path, (NOW_S - ago_s, NOW_S - ago_s))


def test_silence_of_a_living_process_is_an_error(tmp_path: Path) -> None:
    _said(tmp_path, os.getpid(), STUCK_S + 2)
    found = look(tmp_path / "data", tmp_path, NOW_S)
    assert found.error == "no word from it for 12 s, the disk does not answer"
    assert found.count == 0, "what it said is too old to be told"


@pytest.mark.parametrize(("ago_s", "count"), [(1.0, 3), (STUCK_S - 1, 0)])
def test_a_moment_of_silence_is_none(tmp_path: Path, ago_s: float, count: int) -> None:
    _said(tmp_path, os.getpid(), ago_s)
    found = look(tmp_path / "data", tmp_path, NOW_S)
    assert (found.error, found.count) == ("", count)


def test_what_a_process_left_that_is_gone_is_no_error(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    _said(tmp_path, child.pid, 1000.0)
    assert look(tmp_path / "data", tmp_path, NOW_S).error == ""
    (tmp_path / STATE_FILE).write_text("[1")
    assert look(tmp_path / "data", tmp_path, NOW_S).error == ""
