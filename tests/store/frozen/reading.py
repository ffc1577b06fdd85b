"""A frozen lake as a reader of today sees it, and what it was when it was frozen (``v1.json``)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ringcollect.store import parquet
from ringcollect.store.schema_versions import upgrade

FROZEN = Path(__file__).parent


def facts(version: str, names: dict[str, Any]) -> dict[str, Any]:
    """Per file of the lake: rows, and a hash of the values of its columns: all, or ``names[file]["columns"]``."""
    found = {}
    for path in sorted((FROZEN / version).rglob("*.parquet")):
        file = parquet.open_file(path)
        place = path.relative_to(FROZEN / version).as_posix()
        wanted = names[place]["columns"] if place in names else file.schema_arrow.names
        rows = upgrade(file.read(), parquet.metadata_of(file), wanted=wanted).to_pylist()
        values = "\n".join(repr(list(row.values())) for row in rows)
        found[place] = {
            "rows": len(rows),
            "columns": list(wanted),
            "values": hashlib.sha256(values.encode()).hexdigest(),
        }
    return found


def frozen(version: str) -> dict[str, Any]:
    """What :func:`facts` gave when the version was frozen."""
    return json.loads((FROZEN / f"{version}.json").read_bytes())


def freeze(version: str) -> None:
    """Write down what the lake is."""
    (FROZEN / f"{version}.json").write_text(json.dumps(facts(version, {}), indent=1, sort_keys=True) + "\n")
