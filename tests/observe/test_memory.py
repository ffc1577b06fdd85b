"""Memory of processes: ring pages apart from the rest, checked with a process that maps a known number of each."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringcollect.observe.memory import descendants, usage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="PSS is Linux's")
MIB = 1 << 20

PROGRAM = """
import mmap, sys
with open(sys.argv[1] + "/a.rec.ring", "r+b") as file:
    ring = mmap.mmap(file.fileno(), 0)
    for page in range(0, len(ring), 4096):
        ring[page] = 1
    own = bytearray(20 << 20)
    for page in range(0, len(own), 4096):
        own[page] = 1
    print("ready", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Maps and touches 8 MiB of a ring in ``tmp_path``, and 20 MiB of its own."""
    (tmp_path / "a.rec.ring").write_bytes(bytes(8 * MIB))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        yield started
        started.communicate("\n")


def test_ring_pages_are_counted_apart(process: subprocess.Popen[str], tmp_path: Path) -> None:
    used = usage(process.pid, tmp_path)
    assert used.ring_pss == 8 * MIB
    assert 20 * MIB < used.pss < 28 * MIB + 20 * MIB
    elsewhere = usage(process.pid, Path(tempfile.gettempdir()) / "not-there")
    assert elsewhere.ring_pss == 0
    # Not to the byte: a process that starts or ends meanwhile changes our share of the interpreter's own pages.
    assert 7 * MIB < elsewhere.pss - used.pss < 9 * MIB
    assert used.rss >= used.pss + used.ring_pss
    assert used.cpu_s >= 0


def test_helpers_are_found_below_their_parent(process: subprocess.Popen[str]) -> None:
    assert process.pid in descendants(os.getpid())


def test_a_process_that_is_gone_is_unknown_not_an_error(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    used = usage(gone.pid, tmp_path)
    assert (used.pss, used.rss, used.cpu_s) == (-1, -1, -1)
