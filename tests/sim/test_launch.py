"""The simulator as somebody's child: up when the block begins, gone and its truth whole when it ends."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from ringcollect.errors import EnvironmentRefused
from ringcollect.sim.launch import arguments, launched
from tests.sim.desk import truth_lines


def test_a_launched_simulator_serves_and_leaves_a_whole_truth(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with launched(arguments(rate=50, seed=3, symbols=("BTCUSDT",), truth=truth)) as ready:
        with urlopen(f"{ready.rest['linear']}/fapi/v1/openInterest?symbol=BTCUSDT", timeout=10) as answer:
            assert json.load(answer)["symbol"] == "BTCUSDT"
        assert set(ready.ws) == {"spot", "linear"}
    assert {row["m"] for row in truth_lines(truth, "book")} == {"spot", "linear"}
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", ready.port), timeout=5):
        pass


def test_a_simulator_that_cannot_start_says_so() -> None:
    with pytest.raises(EnvironmentRefused, match="did not start"), launched(arguments(faults="tornado")):
        pass
