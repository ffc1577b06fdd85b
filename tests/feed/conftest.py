"""Stages for scripted sessions, and the exchanges they run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.feed.plain_exchange import PlainExchange
from tests.feed.script import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """``stage(**options)`` opens a stage with its own rings; all are closed at the end."""
    open_stages: list[Stage] = []

    def build(**options: Any) -> Stage:
        folder = tmp_path / f"stage{len(open_stages)}"
        exchange = options.pop("exchange", None) or PlainExchange()
        open_stages.append(Stage(folder, exchange, **options))
        return open_stages[-1]

    yield build
    for opened in open_stages:
        opened.close()
