"""Which library opens the connections: ``[websocket] transport`` of the configuration."""

from __future__ import annotations

from ringcollect.config.transports import missing
from ringcollect.errors import ConfigError
from ringcollect.feed.transport import with_websockets
from ringcollect.feed.transport.interface import Opener


def opener(name: str, *, deflate: bool = False) -> Opener:
    """The opener of the library ``name``; ``deflate``: an exchange demands permessage-deflate.

    Raises ConfigError if the library is not installed or cannot do what is demanded.
    """
    if name == "websockets":
        return with_websockets.open_connection
    if deflate:
        raise ConfigError(
            f'websocket.transport: "{name}" has no permessage-deflate, which a configured exchange demands; '
            'allowed: "websockets"'
        )
    if absent := missing(name):
        raise ConfigError(f"websocket.transport: {absent}")
    from ringcollect.feed.transport import with_picows  # 14 MB that only who chose it pays

    return with_picows.open_connection
