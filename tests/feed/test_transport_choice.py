"""Which transport opens the connections is a configuration key, and what cannot work is said before anything starts."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ringcollect.config import Websocket
from ringcollect.config.check import check
from ringcollect.config.problems import Problems
from ringcollect.config.transports import TRANSPORTS
from ringcollect.errors import ConfigError
from ringcollect.exchanges import load
from ringcollect.feed import process
from ringcollect.feed.shared_budget import SharedBudget
from ringcollect.feed.transport import Callbacks, Options, Refusal, opener, with_websockets
from tests.feed.test_process import config_for, simulated


def test_websockets_is_the_default_and_each_name_opens_with_its_library(transport: str) -> None:
    assert Websocket().transport == "websockets" == TRANSPORTS[0]
    assert opener(transport).__module__ == f"ringcollect.feed.transport.with_{transport}"


def test_a_transport_that_is_not_installed_is_named_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringcollect.config.transports.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"websocket\.transport.*not installed.*ringcollect\[picows\].*websockets"):
        opener("picows")


def test_a_venue_that_demands_compression_and_picows_is_an_error_that_names_both() -> None:
    assert opener("websockets", deflate=True) is with_websockets.open_connection
    with pytest.raises(ConfigError, match=r'"picows" has no permessage-deflate.*"websockets"'):
        opener("picows", deflate=True)


def test_the_configuration_check_knows_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_for(Path("unused"), "127.0.0.1:9", websocket=Websocket(transport="picows"))
    monkeypatch.setattr("ringcollect.config.transports.find_spec", lambda name: object())
    problems = Problems()
    check(config, problems)
    assert not problems.touches(("websocket", "transport"))
    monkeypatch.setattr("ringcollect.config.transports.find_spec", lambda name: None)
    check(config, problems)
    with pytest.raises(ConfigError, match=r"websocket\.transport.*ringcollect\[picows\].*websockets"):
        problems.raise_if_any()


def test_a_feed_that_cannot_have_its_transport_leaves_no_ring_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringcollect.config.transports.find_spec", lambda name: None)
    config = config_for(tmp_path, "127.0.0.1:9", websocket=Websocket(transport="picows"))
    with pytest.raises(ConfigError, match=r"websocket\.transport"):
        process.run(config, "binance", lambda: True)
    assert not list(tmp_path.rglob("*.ring"))


def test_no_venue_of_today_demands_compression() -> None:
    venue = load("binance")
    assert not any(venue.limits(market).deflate for market in venue.markets)


def test_the_default_transport_does_not_load_the_other() -> None:
    """14 MB that nobody asked for."""
    program = "import sys, ringcollect.feed.transport as t; t.opener('websockets'); print('picows' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_nobody_on_this_host_connects_again_before_the_venues_retry_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 429 in answer to a handshake counts for every collector of this address, not for this connection alone."""
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))
    asked: list[str] = []

    async def refusing(url: str, conn: int, callbacks: Callbacks, *, on_open: object, options: Options) -> Refusal:
        asked.append(url)
        callbacks.on_close(conn, 1006, "cannot connect: HTTP 429, Retry-After: 60", callbacks.now_ns())
        return Refusal(429, {"Retry-After": "60"})

    monkeypatch.setattr(process, "opener", lambda name, *, deflate: refusing)
    with simulated() as host:
        config = config_for(tmp_path, host, websocket=Websocket(retry_first="10ms", retry_max="20ms", jitter=0.0))
        budget = SharedBudget(tmp_path / "budget" / "budget")
        end = time.monotonic() + 20

        def blocked() -> bool:
            return time.monotonic() > end or (
                bool(asked) and budget.admit(f"{host}#connects", 0, 300, 10**9, time.time_ns()) > 50
            )

        process.run(config, "binance", blocked)
        assert blocked() and time.monotonic() < end
