"""One collector's part of an archive that several share, its files called as in a lake of its own.

Where ``[archive] server_name`` is set, ``server=NAME`` stands before ``date=DAY`` in every key (archive/keys.py). What
certificates say of files does not have it, so whoever compares the two looks at one collector's part at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import PurePosixPath

from ringcollect.store.location import Entry, Lake

_FOLDER = "server="


@dataclass(frozen=True)
class ServerLake(Lake):
    """The part of ``server`` (the folder's value; empty: what lies in no server's folder)."""

    server: str = ""

    def path(self, key: str) -> str:
        """What ``filesystem`` calls the file or folder ``key`` of this part."""
        return super().path(self._shared(key))

    def files(self, under: str = "") -> list[Entry]:
        """As of a lake, of this part alone."""
        found = ((self.own(entry.key), entry) for entry in super().files(under))
        return sorted(entry._replace(key=key) for key, entry in found if key is not None)

    def folders(self, under: str = "") -> list[str]:
        """As of a lake, of this part alone."""
        names = super().folders(under)
        mine = f"{_FOLDER}{self.server}"
        if self.server and mine in names:
            return super().folders(f"{under}/{mine}")
        return [name for name in names if not name.startswith(_FOLDER)]

    def write_pieces(self, key: str, pieces: Iterable[bytes]) -> int:
        """As of a lake, into this part."""
        return super().write_pieces(self._shared(key), pieces)

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (self.uri, self.endpoint, self.server)

    def _shared(self, key: str) -> str:
        parts = PurePosixPath(key).parts
        at = next((n for n, part in enumerate(parts) if part.startswith("date=")), None)
        if not self.server or at is None or any(part.startswith(_FOLDER) for part in parts):
            return key
        return "/".join((*parts[:at], f"{_FOLDER}{self.server}", *parts[at:]))

    def own(self, key: str) -> str | None:
        """What this part calls a key of the whole; None if it belongs to another."""
        parts = PurePosixPath(key).parts
        servers = [part for part in parts if part.startswith(_FOLDER)]
        if servers != ([f"{_FOLDER}{self.server}"] if self.server else []):
            return None
        return "/".join(part for part in parts if not part.startswith(_FOLDER))


def parts_of(lake: Lake) -> list[Lake]:
    """``lake`` itself if no collector has a part of its own in it, else the parts, each a lake."""
    names: set[str] = set()
    for exchange in lake.folders("certificates"):
        for name in lake.folders(f"certificates/{exchange}"):
            names.add(name.removeprefix(_FOLDER) if name.startswith(_FOLDER) else "")
    if not names - {""}:
        return [lake]
    return [part_of(lake, name) for name in sorted(names)]


def part_of(lake: Lake, server: str) -> ServerLake:
    """The part of one collector, by the value of its folder."""
    return ServerLake(**{field.name: getattr(lake, field.name) for field in fields(Lake)}, server=server)


def _reopen(uri: str, endpoint: object, server: str) -> ServerLake:
    return part_of(Lake.open(uri, endpoint), server)  # type: ignore[arg-type]
