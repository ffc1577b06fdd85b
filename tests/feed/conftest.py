"""Stages for scripted sessions, and the exchanges they run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ringcollect.config.transports import TRANSPORTS
from ringcollect.decode import skip
from ringcollect.exchanges import binance, load
from ringcollect.exchanges.protocol import Exchange
from ringcollect.feed.transport import Opener, opener
from ringcollect.ring import protocol
from tests.feed.plain_exchange import PlainExchange
from tests.feed.script import Stage


@pytest.fixture(scope="session", autouse=True)
def _kernels() -> None:
    """As in a real feed, nothing is compiled while a socket is open."""
    for module in (protocol, skip, binance.decode):
        module.warm()


@pytest.fixture(params=["plain", "binance"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """Every scripted session runs twice: on the slow, obvious decoder and on the real one with its kernels."""
    return PlainExchange() if request.param == "plain" else load("binance")


@pytest.fixture
def stage(tmp_path: Path, exchange: Exchange) -> Iterator[Callable[..., Stage]]:
    """``stage(**options)`` opens a stage with its own rings; all are closed at the end."""
    open_stages: list[Stage] = []

    def build(**options: Any) -> Stage:
        folder = tmp_path / f"stage{len(open_stages)}"
        open_stages.append(Stage(folder, options.pop("exchange", exchange), **options))
        return open_stages[-1]

    yield build
    for opened in open_stages:
        opened.close()


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport must keep the same promises; one that is not installed is skipped by name."""
    if request.param == "picows" and find_spec("picows") is None:
        pytest.skip("picows is not installed: pip install 'ringcollect[picows]'")
    return str(request.param)


@pytest.fixture
def open_connection(transport: str) -> Opener:
    """How the transport under test opens a connection."""
    return opener(transport)
