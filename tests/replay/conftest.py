"""Sealing where a test does not look at it: in this process, so that no interpreter starts for every segment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringcollect.sources import sealing
from ringcollect.store.seal import seal_all


@pytest.fixture(scope="module")
def sealed_here() -> Iterator[None]:
    """Journals become files at once, by the same function that the child calls."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing.Sealing, "submit", _seal)
        patch.setattr(sealing.Sealing, "wait", lambda self: None)
        yield


def _seal(self: sealing.Sealing, journals: list[Path]) -> None:
    if journals:
        seal_all(journals, journals[0].parent.parent, sync=False)
