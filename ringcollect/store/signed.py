"""Small files beside certificates: one struct under one key, signed as certificates are, so a change is noticed."""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

from ringcollect.errors import LakeError
from ringcollect.store.seal import sign

Content = TypeVar("Content", bound=msgspec.Struct)


def encode_signed(key: str, content: msgspec.Struct) -> bytes:
    """``content`` as it stands in its file."""
    return sign({key: msgspec.to_builtins(content)})


def decode_signed(raw: bytes, place: str, key: str, kind: type[Content], what: str) -> Content:
    """The inverse. LakeError naming ``place`` for what is no ``what``, or was changed after it was written."""
    try:
        content = json.loads(raw)
        found = msgspec.convert(content[key], kind)
    except (ValueError, TypeError, KeyError, msgspec.ValidationError) as error:
        raise LakeError(f"{place}: is not {what}: {error!r}") from error
    if sign({key: content[key]}) != raw:
        raise LakeError(f"{place}: was changed after it was written: its own sha256 does not fit")
    return found
