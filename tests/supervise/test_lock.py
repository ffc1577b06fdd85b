"""One collector per runtime folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringcollect.errors import EnvironmentRefused
from ringcollect.supervise.lock import SupervisorLock


def test_a_second_supervisor_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    lock = SupervisorLock(tmp_path)
    with pytest.raises(EnvironmentRefused, match=rf"already running on .*pid {os.getpid()}\b") as refused:
        SupervisorLock(tmp_path)
    assert refused.value.exit_code == 4
    lock.release()
    SupervisorLock(tmp_path).release()


def test_the_lock_of_a_killed_supervisor_is_free(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from ringcollect.supervise.lock import SupervisorLock;"
        "lock = SupervisorLock(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -9
    SupervisorLock(tmp_path).release()
