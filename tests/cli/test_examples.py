"""The example configurations: each is checked by ``config check`` and runs against the simulator."""

from __future__ import annotations

import json
import re
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.running import ringcollect
from tests.cli.simulated import Simulated
from tests.cli.test_reload import collecting, states, until

EXAMPLES = Path(__file__).parents[2] / "examples" / "config"
NAMES = sorted(file.stem for file in EXAMPLES.glob("*.toml"))
ALONE = [name for name in NAMES if name not in ("multi", "ccxt")]
SYMBOLS = {
    "binance": ("BTCUSDT", "ETHUSDT", "BTCUSDC"),
    "bybit": ("BTCUSDT", "BTCPERP", "ETHPERP", "BTCUSD"),
    "okx": ("BTC-USDT", "ETH-USDT", "BTC-USDT-SWAP", "ETH-USDT-SWAP", "BTC-USD-SWAP"),
    "coinbase": ("BTC-USD", "ETH-USD"),
    "deribit": ("BTC-PERPETUAL", "ETH-PERPETUAL", "BTC_USDC-PERPETUAL"),
    "kraken": ("BTC/USD", "ETH/USD"),
    "kraken_futures": ("PF_XBTUSD", "PF_ETHUSD", "PI_XBTUSD"),
    "upbit": ("KRW-BTC", "KRW-ETH"),
}
RARE = "liquidation"


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_fine(name: str, tmp_path: Path) -> None:
    if name == "ccxt" and find_spec("ccxt") is None:
        pytest.skip("ccxt is not installed: pip install 'ringcollect[ccxt]'")
    done = ringcollect("--config", str(EXAMPLES / f"{name}.toml"), "config", "check", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.rstrip().endswith(": fine")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("names", [ALONE, ["multi"]], ids=["together", "multi"])
def test_every_stream_of_the_examples_flows_from_the_simulator_and_nothing_is_lost(
    names: list[str], tmp_path: Path
) -> None:
    exchanges = tuple(ALONE if names == ALONE else ("binance", "okx", "bybit", "upbit"))
    symbols = ",".join(f"{exchange}:{symbol}" for exchange in exchanges for symbol in SYMBOLS[exchange])
    with Simulated(exchanges, symbols, rate=1500) as simulator:
        text = "\n".join((EXAMPLES / f"{name}.toml").read_text() for name in names)
        where = f'[[markets]]\nurl = "{simulator.ws}"\nrest_url = "{simulator.rest}"\n'
        file = tmp_path / "config.toml"
        file.write_text(re.sub(r"^\[\[markets\]\]\n", where, text, flags=re.MULTILINE))
        env = {
            "RINGCOLLECT__HTTP__ENABLED": "false",
            "RINGCOLLECT__COLLECTOR__DATA": "data",
            "RINGCOLLECT__COLLECTOR__RUNTIME_DIR": "run",
        }

        def silent() -> list[tuple[str, str, str]]:
            now = {key: state for key, state in states(tmp_path).items() if key[2] != RARE}
            if {exchange for exchange, _, _ in now} != set(exchanges):
                return [("not", "all", "there")]
            return [key for key, state in now.items() if state != "flowing"]

        with collecting(tmp_path, env) as process:
            until(lambda: not silent(), "a stream of the examples is silent")
            report = json.loads(ringcollect("status", "--json", cwd=tmp_path, env=env).stdout)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert report["problems"] == [] and report["subscriptions"].get("failed", 0) == 0
    assert ringcollect("verify", "data", cwd=tmp_path).returncode == 0
    statistics = {folder.name.removeprefix("exchange=") for folder in (tmp_path / "data/raw/tickers").glob("*")}
    assert statistics == (set(ALONE) if names == ALONE else set())
