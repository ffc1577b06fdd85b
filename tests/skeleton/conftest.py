"""What several tests look at: made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.skeleton import ways
from tests.skeleton.everything import STREAM, SYNC


@pytest.fixture(scope="package")
def with_everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replay of ``everything``: a folder with its ``lake`` and its rings in ``runtime``."""
    folder = tmp_path_factory.mktemp("replayed")
    ways.replayed(STREAM, folder / "lake", folder / "runtime", sync=SYNC)
    return folder
