"""The folder of this host that stands for a lake in an object store while rows are built."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ringcollect.store.location import Lake


def folder_of(lake: Lake, data: Path, kind: str) -> Path:
    """Of ``lake`` itself if it is a folder, else ``state/<kind>/<hash>`` of the collector's own folder ``data``."""
    if lake.folder is not None:
        return lake.folder
    name = hashlib.sha256(f"{lake.endpoint.url} {lake.uri}".encode()).hexdigest()[:16]
    return data.expanduser().absolute() / "state" / kind / name
