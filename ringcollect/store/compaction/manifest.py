"""Files of a day folder that no reader may take: ``compaction/<key>.json`` names them while a swap is under way.

Where folders cannot be exchanged in one step (object stores, some file systems), the manifest is the step: first it
hides the merged file that is about to come, then, in one write, the files it replaces, until they are deleted. It stays
behind empty for a while: whoever lists a lake looks at the manifests before and after, and lists again if they differ.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable

import msgspec

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.compaction.folder_lock import only_one
from ringcollect.store.compaction.record import COMPACTION, folder_key
from ringcollect.store.location import Entry, Lake
from ringcollect.store.server_lake import ServerLake

FORMAT = 1
_KEPT_NS = 600_000_000_000


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``hidden``: names in ``folder`` (relative to the whole lake) that are not there yet, or not any more."""

    format: int = FORMAT
    folder: str
    hidden: list[str] = []


def stored_as(lake: Lake, folder: str) -> str:
    """What all readers of the lake call the folder, also those who see one collector's part of it."""
    return lake.path(folder).removeprefix(f"{lake.root}/")


def manifest_key(lake: Lake, folder: str) -> str:
    """Where the manifest of a day folder is, relative to the lake."""
    return f"{COMPACTION}/{folder_key(stored_as(lake, folder))}.json"


def hide(lake: Lake, folder: str, names: Iterable[str]) -> None:
    """From now on exactly ``names`` are hidden in ``folder``."""
    content = msgspec.json.encode(Manifest(folder=stored_as(lake, folder), hidden=sorted(names)))
    lake.write(manifest_key(lake, folder), content)


def hidden_in(lake: Lake, folder: str) -> list[str]:
    """What is hidden in one folder."""
    try:
        return _decode(lake, manifest_key(lake, folder)).hidden
    except NotFoundError:
        return []


def manifests(lake: Lake) -> list[Entry]:
    """The manifests there are. Two equal lists with a listing between them: nothing was swapped meanwhile."""
    return [entry for entry in lake.files(COMPACTION) if entry.key.endswith(".json")]


def hidden_keys(lake: Lake, known: Iterable[Entry]) -> frozenset[str]:
    """Keys of all files that the manifests ``known`` hide."""
    keys: set[str] = set()
    for entry in known:
        try:
            manifest = _decode(lake, entry.key)
        except NotFoundError:
            continue
        keys.update(f"{manifest.folder}/{name}" for name in manifest.hidden)
    if isinstance(lake, ServerLake):
        return frozenset(own for key in keys if (own := lake.own(key)) is not None)
    return frozenset(keys)


def state_of(lake: Lake, folder: str) -> list[Entry]:
    """The manifests that concern ``folder``: its own if it is a day folder of a disk, else all there are."""
    if lake.folder is None or "/date=" not in folder:
        return manifests(lake)
    own = lake.stat(manifest_key(lake, folder))
    return [] if own is None else [own]


def hiding(lake: Lake) -> list[str]:
    """Day folders in which something is hidden, as they are stored."""
    found = []
    for entry in manifests(lake):
        with contextlib.suppress(NotFoundError):
            manifest = _decode(lake, entry.key)
            if manifest.hidden:
                found.append(manifest.folder)
    return found


def clean(lake: Lake) -> None:
    """Delete empty manifests that no reader can still be interested in."""
    for entry in manifests(lake):
        if time.time_ns() - entry.mtime_ns < _KEPT_NS:
            continue
        with contextlib.suppress(NotFoundError):
            folder = _decode(lake, entry.key).folder
            with only_one(lake, folder) as is_ours:
                if is_ours and not _decode(lake, entry.key).hidden:
                    lake.delete(entry.key)


def _decode(lake: Lake, key: str) -> Manifest:
    try:
        return msgspec.json.decode(lake.read(key), type=Manifest)
    except msgspec.MsgspecError as error:
        raise LakeError(f"{lake}/{key}: is not a manifest of compaction: {error}") from error
