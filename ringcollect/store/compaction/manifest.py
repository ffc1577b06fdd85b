"""Files of a day folder that no reader may take: ``compaction/<key>.json`` names them while a swap is under way.

Where folders cannot be exchanged in one step (object stores, some file systems), the manifest is the step: first it
hides the merged file that is about to come, then, in one write, the files it replaces, until they are deleted. It stays
behind empty: whoever lists a lake looks at the manifests before and after, and lists again if they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from ringcollect.errors import LakeError, NotFoundError
from ringcollect.store.compaction.record import folder_key
from ringcollect.store.location import Entry, Lake

COMPACTION = "compaction"
FORMAT = 1
_TRIES = 1000
Found = TypeVar("Found")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``hidden``: names in ``folder`` (relative to the lake) that are not there yet, or not any more."""

    format: int = FORMAT
    folder: str
    hidden: list[str] = []


def manifest_key(folder: str) -> str:
    """Where the manifest of a day folder is, relative to the lake."""
    return f"{COMPACTION}/{folder_key(folder)}.json"


def hide(lake: Lake, folder: str, names: Iterable[str]) -> None:
    """From now on exactly ``names`` are hidden in ``folder``."""
    content = msgspec.json.encode(Manifest(folder=folder, hidden=sorted(names)))
    lake.write(manifest_key(folder), content)


def hidden_in(lake: Lake, folder: str) -> list[str]:
    """What is hidden in one folder."""
    try:
        return _decode(lake, manifest_key(folder)).hidden
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
    return frozenset(keys)


def settled(lake: Lake, look: Callable[[], Found]) -> tuple[Found, frozenset[str]]:
    """What ``look`` finds while no swap goes on, and the keys to leave out of it. LakeError if that never is."""
    before = manifests(lake)
    for _ in range(_TRIES):
        found, hidden = look(), hidden_keys(lake, before)
        after = manifests(lake)
        if after == before:
            return found, hidden
        before = after
    raise LakeError(f"{lake}: is compacted all the time; nothing could be listed")


def _decode(lake: Lake, key: str) -> Manifest:
    try:
        return msgspec.json.decode(lake.read(key), type=Manifest)
    except msgspec.MsgspecError as error:
        raise LakeError(f"{lake}/{key}: is not a manifest of compaction: {error}") from error
