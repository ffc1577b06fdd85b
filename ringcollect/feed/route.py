"""The way from this host to a venue: through a proxy or not, and whose certificates are believed."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from ringcollect.config import Websocket
from ringcollect.errors import ConfigError

PROXY_AUTH = "RINGCOLLECT_PROXY_AUTH"
"""Environment variable with ``user:password`` of the proxy: no file of ours holds it, no log shows it."""


@dataclass(frozen=True)
class Route:
    """``proxy`` is an address with credentials, never to be shown; ``tls`` None are the system's authorities."""

    proxy: str | None = None
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"Route(proxy={self.proxy is not None}, tls={self.tls is not None})"


DIRECT = Route()


def route(settings: Websocket, env: Mapping[str, str]) -> Route:
    """The way that ``[websocket]`` says. Raises ConfigError for a file of authorities that cannot be read."""
    return Route(_proxy(settings.proxy, env.get(PROXY_AUTH, "")), _tls(settings.ca_file))


def _proxy(url: str, auth: str) -> str | None:
    if not url:
        return None
    parts = urlsplit(url)
    if not auth:
        return url
    user, _, password = auth.partition(":")
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}"))


def _tls(ca_file: str) -> ssl.SSLContext | None:
    if not ca_file:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"websocket.ca_file: cannot read certificates from {ca_file}: {reason}") from error
    return context
