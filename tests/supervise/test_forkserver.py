"""What children inherit, and what they say when they did not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ringcollect.supervise.pages import parse_smaps

PROGRAM = """
import json, sys, time
from ringcollect.config import Log
from ringcollect.supervise.forking import PRELOAD, Spawner
from ringcollect.supervise.plan import ChildSpec, Stage

def main():
    preload = sys.argv[2] or PRELOAD
    child = Spawner(Log(), preload=preload)(ChildSpec("feed-a", Stage.FEED, sys.argv[3], (sys.argv[1], "feed-a"), 1.0))
    end = time.monotonic() + 120
    while child.exit_code() is None and time.monotonic() < end:
        time.sleep(0.01)
    print(child.exit_code())

if __name__ == "__main__":
    main()
"""


def run(folder: Path, target: str, preload: str = "") -> subprocess.CompletedProcess[str]:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    repository = Path(__file__).parents[2]
    import os

    return subprocess.run(
        [sys.executable, str(program), str(folder), preload, f"tests.supervise.targets:{target}"],
        env=os.environ | {"PYTHONPATH": str(repository)}, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip


def test_a_child_inherits_frozen_kernels_from_one_thread_and_no_pyarrow(tmp_path: Path) -> None:
    done = run(tmp_path, "tell_what_it_inherited")
    assert done.stdout == "0\n", done.stderr
    told = json.loads((tmp_path / "inherited.json").read_text())
    assert told["frozen"] > 50_000
    assert told["numba"]
    assert not told["pyarrow"]
    assert told["compiled"] == []
    assert told["environment"] == {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    assert told["open_files"] == []


def test_a_preload_that_cannot_be_imported_is_named_by_the_child_though_multiprocessing_swallows_it(
    tmp_path: Path,
) -> None:
    done = run(tmp_path, "tell_what_it_inherited", preload="no_such_module_here")
    assert done.stdout == "1\n"
    assert "no_such_module_here" in done.stdout + done.stderr
    assert not (tmp_path / "inherited.json").exists(), "the child's main must not run without its kernels"


SMAPS = """\
7f1000000000-7f1000200000 r-xp 00001000 fe:00 1234    /lib/libllvmlite.so
Size:               2048 kB
Anonymous:             0 kB
7f1000200000-7f1000201000 r--p 00201000 fe:00 1234    /lib/libllvmlite.so
Anonymous:             4 kB
7f1000300000-7f1000301000 rw-p 00000000 00:00 0
Anonymous:             4 kB
"""


def test_relocated_pages_are_told_from_those_that_are_as_in_the_file() -> None:
    first, second, third = parse_smaps(SMAPS)
    assert (first.path, first.permissions, first.anonymous) == ("/lib/libllvmlite.so", "r-xp", 0)
    assert first.end - first.start == 2 << 20
    assert second.anonymous == 4096, "read-only, yet the loader changed it: it must be kept"
    assert third.path == ""


@pytest.mark.skipif(sys.platform != "linux", reason="smaps are Linux's")
def test_code_goes_on_working_after_its_pages_were_given_back() -> None:
    program = (
        "import numpy as np, numba\n"
        "from ringcollect.supervise.pages import give_back\n"
        "before = numba.njit(lambda a: a.sum())(np.arange(10.0))\n"
        "dropped = give_back('llvmlite')\n"
        "after = numba.njit(lambda a: a.sum() + 1)(np.arange(10.0))\n"
        "print(before, after, dropped > 1 << 20)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "45.0 46.0 True\n", done.stderr
