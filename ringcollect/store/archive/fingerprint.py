"""What a file's content is, in terms that an object store can confirm without sending it back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ringcollect.store.location import PIECE_BYTES, Lake


class Fingerprint(NamedTuple):
    """``etags``: what a store that takes MD5 calls this content, sent in one request and in parts as we cut them."""

    bytes: int
    sha256: str
    etags: frozenset[str]


def pieces_of(path: Path) -> Iterator[bytes]:
    """The content of a local file, in pieces of an upload's parts."""
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def fingerprint(path: Path) -> Fingerprint:
    """Read ``path`` once. Raises OSError."""
    sha256 = hashlib.sha256()
    whole = hashlib.md5(usedforsecurity=False)
    parts = b""
    length = count = 0
    for piece in pieces_of(path):
        sha256.update(piece)
        whole.update(piece)
        parts += hashlib.md5(piece, usedforsecurity=False).digest()
        length += len(piece)
        count += 1
    of_parts = f"{hashlib.md5(parts, usedforsecurity=False).hexdigest()}-{count}"
    return Fingerprint(length, sha256.hexdigest(), frozenset((whole.hexdigest(), of_parts)))


def is_stored(lake: Lake, key: str, expected: Fingerprint) -> bool | None:
    """Whether ``lake`` has exactly this content at ``key``: by length and the store's own hash, else read back.

    None: it has nothing there. A store that encrypts, or that cuts parts otherwise, has hashes of another kind; then
    all of it is read.
    """
    found = lake.tag(key)
    if found is None:
        return None
    if found.bytes != expected.bytes:
        return False
    if found.etag in expected.etags:
        return True
    sha256 = hashlib.sha256()
    for piece in lake.pieces(key):
        sha256.update(piece)
    return sha256.hexdigest() == expected.sha256
