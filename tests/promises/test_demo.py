"""The README's first command, shortened: nothing lost, verified, and within its memory."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.promises.system import PATIENCE_S, command, environment

BUDGET_MB = 300
"""Sum of the proportional set sizes of all processes, ring pages apart; 195 to 275 measured."""


def test_the_demo_loses_nothing_verifies_and_stays_within_its_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        command("start", "--demo", "--for", "6s"),
        cwd=tmp_path, capture_output=True, text=True, env=environment(), timeout=PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was lost" in done.stdout and " 0 problems" in done.stdout
    total = re.search(r"^sum\s+([\d.]+)", done.stdout, re.MULTILINE)
    assert total is not None, done.stdout
    assert float(total[1]) <= BUDGET_MB, done.stdout
