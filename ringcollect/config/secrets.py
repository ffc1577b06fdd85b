"""What must not be shown or logged: values of keys named like secrets, and credentials inside addresses."""

from __future__ import annotations

import re

MASK = "********"

_SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|secret|token|credentials?|api_?key|access_?key|private_?key)($|_)", re.IGNORECASE
)
_USERINFO = re.compile(r"(?<=://)[^/?#\s@]+@")
_QUERY_SECRET = re.compile(
    r"(?<=[?&])([^=&\s]*(?:key|token|secret|signature|password)[^=&\s]*)=([^&#\s]+)", re.IGNORECASE
)


def is_secret_name(name: str) -> bool:
    """Whether a key or log field of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def mask_text(text: str) -> str:
    """``text`` with the credentials of every address in it masked."""
    if "://" not in text:
        return text
    text = _USERINFO.sub(f"{MASK}@", text)
    return _QUERY_SECRET.sub(rf"\1={MASK}", text)


def mask(path: tuple[str | int, ...], value: str) -> str:
    """The value of the key ``path`` as it may be shown."""
    if value and any(is_secret_name(step) for step in path if isinstance(step, str)):
        return MASK
    return mask_text(value)
