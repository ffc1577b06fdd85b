"""Merged files whose segments are removed: the file goes with the last of them."""

from __future__ import annotations

from ringcollect.store.compaction.certified import proofs_of
from ringcollect.store.compaction.folder_lock import only_one
from ringcollect.store.compaction.record import certificates_of, records_of
from ringcollect.store.location import Lake


def unlink_merged(lake: Lake, path: str) -> int:
    """Delete the merged file that holds what was ``path``, if every segment in it is marked as removed.

    Returns the bytes that went; 0 if rows of other segments are in it, or it is being merged again: then it stays.
    """
    folder, _, name = path.rpartition("/")
    with only_one(lake, folder) as is_ours:
        if not is_ours:
            return 0
        for key, record in list(records_of(lake, folder)):
            merged = f"{folder}/{record.name}"
            if not lake.exists(merged) or all(source.name != name for source in record.sources):
                continue
            kept = proofs_of(lake, certificates_of(folder))
            if any(f"{folder}/{source.name}" in kept for source in record.sources):
                return 0
            lake.delete(merged)
            lake.delete(key)
            return record.bytes
    return 0
