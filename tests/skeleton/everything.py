"""A stream and a configuration with every output there is, on two grids."""

from __future__ import annotations

from ringcollect.config import Sync, SyncFeatures, SyncGrid, SyncOutput
from tests import synthetic

STREAM = synthetic.stream(1500)
BARS = ("1s", "5s", "7ticks", "2.5base")
ALL = SyncOutput(
    orderbooks=True, trades=True, liquidations=True, fundings=True, open_interests=True, bars=True, levels=3
)
SYNC = Sync(
    grid=(SyncGrid(grid="200ms"), SyncGrid(grid="1s", mode="external")),
    features=SyncFeatures(bar_durations=BARS[:2], bar_sizes=BARS[2:]),
    output=ALL,
)
