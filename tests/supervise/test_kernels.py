"""Kernels are compiled by ``ringcollect warm`` and nowhere else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ringcollect"


def in_a_process(program: str, **env: str) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_warming_up_reaches_every_module_that_holds_kernels() -> None:
    holders = {
        "ringcollect." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if "from ringcollect.jit import" in path.read_text() and path.name != "jit.py"
    }
    program = (
        "import importlib, sys; from ringcollect.supervise.kernels import KERNEL_MODULES;"
        "[importlib.import_module(name) for name in KERNEL_MODULES]; print(*sys.modules, sep='\\n')"
    )
    assert holders
    assert holders <= set(in_a_process(program).split())


def test_a_second_process_finds_every_kernel_in_the_cache() -> None:
    program = (
        "from ringcollect.supervise.kernels import compiled_here, warm_kernels; warm_kernels(); print(compiled_here())"
    )
    in_a_process(program)
    assert in_a_process(program) == "[]\n"


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_from_an_empty_cache_warming_up_compiles_every_kernel_there_is(tmp_path: Path) -> None:
    program = (
        "from ringcollect.supervise.kernels import never_called, warm_kernels; warm_kernels(); print(never_called())"
    )
    clean = {"RINGCOLLECT_CACHE": str(tmp_path), "RINGCOLLECT_NUMBA_CACHE_SET": "", "NUMBA_CACHE_DIR": ""}
    assert in_a_process(program, **clean) == "[]\n"
