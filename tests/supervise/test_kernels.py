"""Kernels are compiled by ``ringcollect warm`` and nowhere else."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ringcollect"


def in_a_process(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
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


def test_every_group_of_features_is_compiled_beforehand() -> None:
    from ringcollect.supervise.kernels import FEATURE_MODULES
    from ringcollect.sync.catalogue import GROUPS

    needed = {f"ringcollect.sync.features.{group.module}" for group in GROUPS if group.letter != "A"}
    assert needed <= set(FEATURE_MODULES)


def test_every_kernel_is_called_by_somebody() -> None:
    """A kernel nobody names but its own definition is compiled by nobody, and would be compiled in a run."""
    sources = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    kernels = re.findall(r"^@njit.*\n(?:@.*\n)*def (\w+)", sources, re.MULTILINE)
    assert len(kernels) > 50
    assert [name for name in kernels if len(re.findall(rf"\b{name}\b", sources)) < 2] == []


BUDGET_MB, BUDGET_CPU_S = 400, 60
"""What compiling for a collector of one exchange may cost a small host; 385 MB and 47 s measured."""


@pytest.mark.slow
def test_compiling_from_an_empty_cache_stays_within_its_budget_and_leaves_nothing_for_a_run_to_compile(
    tmp_path: Path,
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "RINGCOLLECT_"))}
    environment |= {"RINGCOLLECT_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(PACKAGE.parent)}
    command = [sys.executable, "-m", "ringcollect.cli"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    warm = [*command, "warm", "--exchange", "binance", "--json"]
    done = subprocess.run(warm, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["peak_mb"] < BUDGET_MB
    # Processor time, not the clock: a busy host must not decide.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < BUDGET_CPU_S

    compiled = {path for path in (tmp_path / "cache").rglob("*") if path.suffix in (".nbi", ".nbc")}
    run = [*command, "start", "--demo", "--record-frames", "--for", "4s"]
    done = subprocess.run(run, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path for path in (tmp_path / "cache").rglob("*") if path.suffix in (".nbi", ".nbc")} == compiled


def test_the_supervisor_checks_features_without_a_compiler_in_its_memory() -> None:
    program = (
        "import sys; import ringcollect.supervise.collect; from ringcollect.config import Config;"
        "from ringcollect.sync.parameters import parameters_of; parameters_of(Config()); print('numba' in sys.modules)"
    )
    assert in_a_process(program) == "False\n"
