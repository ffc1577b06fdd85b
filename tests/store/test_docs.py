"""docs/lake.md names every column there is, with its type and meaning."""

from __future__ import annotations

from pathlib import Path

from ringcollect.store.rotation import Policy
from ringcollect.store.row_table import columns_of
from ringcollect.store.schema import FRAME_COLUMNS, TABLES, is_nullable
from ringcollect.store.snapshot_table import SNAPSHOT_TABLES
from ringcollect.sync.rows import row_dtype

PAGE = Path(__file__).parents[2] / "docs" / "lake.md"


def test_every_column_is_documented_with_its_type_and_meaning() -> None:
    page = PAGE.read_text()
    snapshots = [(f"sync/{name}", columns) for name, columns in SNAPSHOT_TABLES.items()]
    rows = [("sync/features", columns_of(row_dtype([])))]
    for name, columns in [
        *((t.name, t.columns) for t in TABLES),
        ("frames, rejects", FRAME_COLUMNS),
        *snapshots,
        *rows,
    ]:
        own = page.partition(f"### {name}\n")[2].partition("\n### ")[0]
        common = page.partition("Every table of `raw/`")[2].partition("### ")[0]
        for column in columns:
            assert column.text, f"{name}.{column.name} says nothing"
            null = "yes" if is_nullable(column) else ""
            line = f"| `{column.name}` | {column.type} | {null} | {column.since} | {column.text} |"
            assert line in own or line in common, (name, column.name)


def test_the_documented_rotation_is_the_default() -> None:
    assert Policy() == Policy(time_ns=15 * 60 * 10**9, records=1_000_000, bytes=128 * 2**20)
    text = " ".join(PAGE.read_text().split())
    assert "15 minutes of stream time old, 1,000,000 records or 128 MiB long" in text
