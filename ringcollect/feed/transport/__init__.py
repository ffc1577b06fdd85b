"""WebSocket frames straight out of the socket read: no queue, no task switch, one stamp per read.

One small interface (:mod:`~ringcollect.feed.transport.interface`), two libraries behind it. The library does handshake,
TLS, masking and the frame format; its queue of messages is never used. What one socket read brings is handed over
synchronously, so nothing piles up between the socket and the ring and a frame never waits for its turn. Back pressure
is TCP's own: while a callback runs the socket is not read.
"""

from ringcollect.feed.transport.choosing import opener
from ringcollect.feed.transport.interface import Callbacks, Connection, Opener, Options, Refusal

__all__ = ["Callbacks", "Connection", "Opener", "Options", "Refusal", "opener"]
