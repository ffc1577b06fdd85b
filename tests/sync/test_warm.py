"""Starting costs no compilation: once warm, the kernels load within a second."""

from __future__ import annotations

import subprocess
import sys

from ringcollect.kernel_cache import cache_dir
from ringcollect.sync import engine
from ringcollect.sync.settings import Parameters

PROGRAM = """
import time
from ringcollect.sync import engine
begin = time.process_time()
engine.warm()
print(time.process_time() - begin)
"""


def test_warm_kernels_load_within_a_second_and_compile_nothing() -> None:
    engine.warm()
    before = {path.name for path in cache_dir().rglob("*.nbc")}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120)
    assert float(done.stdout) < 1.0
    compiled = {path.name for path in cache_dir().rglob("*.nbc")} - before
    assert {name for name in compiled if name.startswith(("kernel.", "engine.", "emit.", "apply."))} == set()


def test_a_configuration_chooses_data_and_compiles_nothing() -> None:
    """Modes, grids and columns are arguments of the same machine code."""
    from ringcollect.sync.kernel import consume

    engine.warm()
    compiled = len(consume.signatures)
    for mode in ("orderbook", "trade", "liquidation", "external"):
        for columns in ((), ("ob_mid_price",)):
            made = engine.Engine(Parameters(mode=mode, grid_ns=7, columns=columns), lambda number: None)
            made.collect_rest()
            made.collect(engine.np.zeros(0, engine.RECORD))
    assert len(consume.signatures) == compiled == 1
