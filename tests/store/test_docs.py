"""docs/lake.md names every column there is, with its type and meaning."""

from __future__ import annotations

from pathlib import Path

from ringcollect.store.rotation import Policy
from ringcollect.store.schema import FRAME_COLUMNS, TABLES
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES

PAGE = Path(__file__).parents[2] / "docs" / "lake.md"


def test_every_column_is_documented() -> None:
    lines = PAGE.read_text().splitlines()
    snapshots = [(f"sync/{name}", columns) for name, columns in SNAPSHOT_TABLES.items()]
    for name, columns in [*((t.name, t.columns) for t in TABLES), ("frames, rejects", FRAME_COLUMNS), *snapshots]:
        assert f"### {name}" in lines
        for column in columns:
            assert f"| `{column.name}` | {column.type} | {column.text} |" in lines, column.name


def test_the_documented_rotation_is_the_default() -> None:
    assert Policy() == Policy(time_ns=15 * 60 * 10**9, records=1_000_000, bytes=128 * 2**20)
    text = " ".join(PAGE.read_text().split())
    assert "15 minutes of stream time old, 1,000,000 records or 128 MiB long" in text
