"""Fixtures for every test: where the captures are, and a host of one's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of real captures; tests that need it are skipped, with a message, where it is not named."""
    named = os.environ.get("RINGCOLLECT_CAPTURES")
    if not named:
        pytest.skip("RINGCOLLECT_CAPTURES does not name the folder of real captures")
    folder = Path(named).absolute()
    assert folder.is_dir(), f"RINGCOLLECT_CAPTURES names {folder}, which is not a folder"
    return folder


@pytest.fixture(autouse=True)
def _no_settings_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration or override of the developer's shell must not reach a test."""
    for name in list(os.environ):
        if name.startswith("RINGCOLLECT__") or name in (
            "RINGCOLLECT_CONFIG",
            "RINGCOLLECT_RUNTIME",
            "RINGCOLLECT_FAIL",
        ):
            monkeypatch.delenv(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that walk failpoints are marked ``kills``. Long tests first: one that starts last keeps all waiting."""
    for item in items:
        if any(word in item.path.stem for word in ("kills", "failpoints")):
            item.add_marker(pytest.mark.kills)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
