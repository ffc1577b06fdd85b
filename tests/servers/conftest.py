"""Real servers, started once per test process on ports of their own. Everything here is marked ``servers``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from tests.servers.seaweed import Seaweed, weed

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is in this folder needs a server."""
    for item in items:
        if item.path.parent.name == "servers":
            item.add_marker(pytest.mark.servers)


@pytest.fixture(autouse=True)
def _no_store_of_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "S3_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def one_seaweed() -> Iterator[Seaweed]:
    """A running SeaweedFS that all tests of this process share: leave it running."""
    server = Seaweed(weed())
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def own_seaweed() -> Iterator[Seaweed]:
    """A running SeaweedFS of one test alone, to be killed and started as it likes."""
    server = Seaweed(weed())
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def s3(one_seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Seaweed:
    """The shared server, with this process's environment saying where it is."""
    for name, value in one_seaweed.env.items():
        monkeypatch.setenv(name, value)
    return one_seaweed


@pytest.fixture
def bucket(s3: Seaweed) -> str:
    """``s3://`` and a new bucket's name."""
    name = f"bucket-{next(_numbers)}"
    s3.make_bucket(name)
    return f"s3://{name}"


@pytest.fixture
def new_bucket(s3: Seaweed) -> Callable[[], str]:
    """Makes a bucket per call and returns its address."""

    def make() -> str:
        name = f"bucket-{next(_numbers)}"
        s3.make_bucket(name)
        return f"s3://{name}"

    return make
