"""The typed way from a message to records: every message of both feeds, and the reference for the kernel.

Nothing but :class:`~ringcollect.errors.RejectedFrame` leaves :func:`decode_frame`.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import UNSET

from ringcollect.errors import RejectedFrame
from ringcollect.exchanges.coinbase import advanced, exchange_feed, messages
from ringcollect.exchanges.coinbase.frame import Frame
from ringcollect.exchanges.coinbase.streams import ADVANCED, CARRIED
from ringcollect.exchanges.protocol import Answer, Decoded, Outcome, Want
from ringcollect.exchanges.typed import MOST_REASON, Arrival, of_frame

_MOST = 2**63 - 1
_PRODUCT = re.compile(r"\b[A-Z0-9]{2,}-[A-Z0-9]{2,}\b", re.ASCII)

_head = msgspec.json.Decoder(messages.Head)


def _refusal(head: messages.Head) -> Decoded:
    """``error``: of the products it names, else of the only request that waits."""
    text = f"{head.message}: {head.reason}" if head.reason else head.message
    wants = tuple(Want(product, channel) for product in _PRODUCT.findall(text) for channel in ADVANCED)
    return Decoded(Outcome.CONTROL, control=Answer(None, False, text[:MOST_REASON], wants))


def sequence_of(head: messages.Head) -> int:
    """``sequence_num``, which counts all messages of a connection; -1 without one."""
    if head.sequence_num is UNSET:
        return -1
    if not 0 <= head.sequence_num <= _MOST:
        raise RejectedFrame(f"sequence_num out of range: {str(head.sequence_num)[:40]}")
    return head.sequence_num


def _message(payload: bytes, arrival: Arrival) -> Decoded:
    head = _head.decode(payload)
    frame = Frame(arrival)
    if head.channel is not UNSET:
        return advanced.decode(head.channel, head, frame, sequence_of(head))
    if head.type is UNSET:
        raise RejectedFrame("neither a channel nor a type")
    if head.type == "error":
        return _refusal(head)
    return exchange_feed.decode(head.type, payload, frame)


def decode_frame(payload: bytes, arrival: Arrival, max_bytes: int) -> Decoded:
    """Everything in one WebSocket message. Raises RejectedFrame, nothing else."""
    return of_frame(payload, max_bytes, lambda: _message(payload, arrival))


def harmless_sequence(payload: bytes, max_bytes: int) -> int:
    """The number of a rejected message that held neither levels nor trades, -1 for any other.

    A message of a kind nobody knows is received, not lost: were it taken for a hole, a new kind would end every
    connection that it comes by.
    """
    try:
        head = _head.decode(payload) if len(payload) <= max_bytes else messages.Head()
        known = head.channel is UNSET or head.channel in CARRIED
        return -1 if known else sequence_of(head)
    except (msgspec.DecodeError, UnicodeError, RecursionError, RejectedFrame):
        return -1
