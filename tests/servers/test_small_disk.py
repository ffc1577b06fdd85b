"""A disk that is full, read-only, forbidden or gone: ERROR, exact losses, no feed notices, and it goes on by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promises.system import ROOT, environment

pytestmark = pytest.mark.servers
MAY_MOUNT = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    """What needs them is skipped, with a message, where the host has no namespaces for users."""
    try:
        allowed = subprocess.run(MAY_MOUNT, capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("unshare -rm cannot mount a tmpfs here: no small disk to fill")


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("accident", "words"),
    [
        ("full", "No space left on device"),
        ("read_only", "Read-only file system"),
        ("forbidden", "Permission denied"),
        ("vanished", "Not a directory"),
        ("stuck", "the disk does not answer"),
    ],
)
def test_a_disk_that_fails_is_an_error_with_exact_losses_and_writing_resumes_by_itself(
    tmp_path: Path, accident: str, words: str
) -> None:
    ran = subprocess.run(
        ["unshare", "-rm", sys.executable, "-m", "tests.servers.small_disk", accident, str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, env=environment(),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-4000:]
    facts = json.loads(ran.stdout.splitlines()[-1])
    assert words in facts["error"]
    assert facts["lost"] > 0 and facts["records"] > 0
