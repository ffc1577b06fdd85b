"""Folders for tests with real fsyncs: in memory where the host has a tmpfs, so that they cost nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def ram(tmp_path: Path) -> Iterator[Path]:
    """An empty folder, on tmpfs if there is one."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="ringcollect-test-", dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)
