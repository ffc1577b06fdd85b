"""Does a file lie where its content says it belongs? Readers prune by folder, so a wrong folder is a wrong answer."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from ringcollect.store.naming import Owner, file_name, frames_folder, owner_of_instrument, owner_of_number, table_folder
from ringcollect.store.parts import row_table_of


def place_problem(path: str, ring: str, tier: str, table: str, metadata: dict[str, Any]) -> str | None:
    """What is wrong with the folder or name of a file, told from its own metadata; None if nothing is."""
    ns, exchange = int(metadata["stamp_ns"]), str(metadata["exchange"])
    instrument = metadata["identity"]["instrument"]
    if instrument is None:
        folder, stem = frames_folder(table, exchange=exchange, ns=ns), exchange
    else:
        owner = _owner(metadata, int(instrument))
        step = row_table_of(ring)[1] if tier == "sync" and not ring.endswith(".book") else None
        folder, stem = table_folder(tier, table, exchange=exchange, owner=owner, ns=ns, step=step), owner.stem
    found = PurePosixPath(path)
    if found.parent != folder:
        return f"lies in the wrong folder; its own metadata says {folder}"
    plain = file_name(stem, table, tier if instrument is not None else "raw", ns)
    if not (found.name == plain or found.name.startswith(f"{plain.removesuffix('.parquet')}-")):
        return f"has the wrong name; its own metadata says {plain}"
    return None


def _owner(metadata: dict[str, Any], number: int) -> Owner:
    if "native_symbol" in metadata:
        return owner_of_instrument(str(metadata["market"]), str(metadata["native_symbol"]))
    return owner_of_number(number)
