"""The libraries that may open the feeds' sockets, and whether this host has them."""

from __future__ import annotations

from importlib.util import find_spec

TRANSPORTS = ("websockets", "picows")


SOCKS_MISSING = "a socks proxy needs python-socks: pip install 'ringcollect[socks]', or use an http proxy"


def socks_is_missing() -> bool:
    """Whether the library that speaks to socks proxies is not installed."""
    return find_spec("python_socks") is None


def missing(name: str) -> str:
    """Why the transport ``name`` cannot be used here and what to do; empty if it can."""
    if name == "picows" and (find_spec("picows") is None or find_spec("python_socks") is None):
        return f'"{name}" is not installed: pip install "ringcollect[picows]", or use "websockets"'
    return ""
