"""The expected values agree with one another before anything of ours is compared with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replay import lake, oracle


@pytest.mark.parametrize("name", ["binance_spot_2021", "binance_usdm_2021b", "binance_spot_2024"])
def test_the_oracles_changes_add_up_to_its_checkpoints(captures: Path, name: str) -> None:
    expected = oracle.load(captures, name)
    checkpoints = {(c.symbol, c.id): c for c in expected.checkpoints}
    assert all(checkpoints[c.symbol, c.id] == c for c in expected.checkpoints)
    met = 0
    for symbol, changes in expected.changes.items():
        book = lake.Book()
        newest = 0
        for change in changes:
            for side, levels in ((1, change.bids), (-1, change.asks)):
                for price, size in levels:
                    book.apply(side, price, size, 0)
            newest = max(newest, change.id)
            checkpoint = checkpoints.get((symbol, newest))
            if checkpoint is not None and not change.snapshot:
                met += 1
                got = oracle.Checkpoint(symbol, newest, len(book.bids), len(book.asks), *book.best(10))
                assert got == checkpoint
    snapshots = sum(change.snapshot for changes in expected.changes.values() for change in changes)
    assert met >= len(checkpoints) - snapshots
