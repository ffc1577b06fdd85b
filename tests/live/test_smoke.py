"""One test per exchange against its real endpoint: ``RINGCOLLECT_LIVE=1 pytest -m live -k okx -s``.

It connects, subscribes, decodes and reports. Without the variable all of them are skipped: a test run must not depend
on what an exchange does today.
"""

from __future__ import annotations

import os
import time
from importlib.util import find_spec

import pytest

from ringcollect.config.check import check
from ringcollect.config.problems import Problems
from ringcollect.exchanges import NAMES
from ringcollect.feed.ledger import State
from ringcollect.records import Channel
from ringcollect.sim.solo import SoloStage
from tests.feed.loopback import served
from tests.live.smoke import configured, smoke

SECONDS = 60.0
UNIFIED = ("ccxt_binance", "ccxt_kraken")


@pytest.fixture(autouse=True)
def _own_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGCOLLECT_RUNTIME", str(tmp_path / "budget"))


@pytest.mark.live
@pytest.mark.timeout(180)
@pytest.mark.skipif(os.environ.get("RINGCOLLECT_LIVE") != "1", reason="opt-in: RINGCOLLECT_LIVE=1")
@pytest.mark.parametrize("exchange", [*NAMES, *UNIFIED])
def test_the_exchange_itself_connects_subscribes_and_is_decoded(exchange, tmp_path):
    if exchange in UNIFIED and find_spec("ccxt") is None:
        pytest.skip("not installed: pip install 'ringcollect[ccxt]'")
    found = smoke(configured(exchange, tmp_path), SECONDS)
    print(f"\n{exchange}\n{found.report()}")
    assert found.problems() == []


@pytest.mark.parametrize("exchange", NAMES)
def test_what_would_be_asked_of_the_exchange_is_a_good_configuration(exchange, tmp_path):
    problems = Problems()
    check(configured(exchange, tmp_path), problems)
    problems.raise_if_any()


def test_the_smoke_test_works_against_the_simulator_and_names_what_is_wrong(tmp_path):
    def upbit() -> SoloStage:
        return SoloStage("upbit", time.time_ns(), rate=400.0, seed=3)

    with served(upbit) as host:
        config = configured("upbit", tmp_path, url=f"ws://{host}", rest_url=f"http://{host}")
        found = smoke(config, 20.0)
    assert found.problems() == []
    assert "KRW-BTC" in found.report() and "flowing" in found.report()
    found.rows.append(("KRW-XYZ", Channel.BOOK, State.STALE, found.rows[0][3], 0))
    found.counters["rejected"] += 1
    assert [problem.partition(":")[0] for problem in found.problems()] == [
        "frames do not add up", "1 frames were rejected", "KRW-XYZ book",
    ]  # fmt: skip
