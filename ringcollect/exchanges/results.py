"""What becomes of a frame or a REST body: records, an answer, a notice; and the codes of those who judge it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ringcollect.exchanges.asked import Want
from ringcollect.records import Channel


class Verdict(enum.IntEnum):
    """Does a book event follow what is known?"""

    FITS = 0
    STALE = 1  # everything in it is already known
    GAP = 2  # something before it is missing


Rule = Callable[[int, int, int, int], Verdict]
"""``rule(known_id, first_id, last_id, prev_id)``; ``prev_id`` is -1 where the venue sends none."""


class Code(enum.IntEnum):
    """A kernel's answers below zero. n > 0: n records published. 0: known, nothing to record."""

    SLOW = -1  # not a frame for the kernel (or not JSON at all): Decoder.cold says what it is, or why it is nothing
    UNKNOWN_SYMBOL = -2  # Decoder.unknown_symbol names it
    NOT_OPEN = -3  # decoded; the hot row's OPEN word is 0, the feed decides
    STALE = -4  # decoded; its ids are not news
    GAP = -5  # decoded; ids before it are missing
    TOO_LONG = -6  # decoded; longer than one piece of the ring, publish through the producer


class Outcome(enum.IntEnum):
    """How a frame counts: ``frames in = decoded + control + ignored + rejected`` (rejected raises RejectedFrame)."""

    DECODED = 1
    CONTROL = 2
    IGNORED = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one frame for one instrument and channel.

    ``records`` (dtype RECORD, owned by the receiver) have everything but ``seq`` and, in book deltas, ``aux``: the
    feed writes the chain there. ts_recv, conn, LAST and BAD_TS are set. ids: of a delta the venue's first and last
    update id and the previous one (-1 if not sent); of a snapshot last_id; of trades the dense ids the venue counts
    by (``first_id..last_id``, the smallest and the largest of the frame; -1 where there are none). ``records`` may be
    empty: a trade that is no trade but uses up an id.

    Books whose venue sends no update ids (``Exchange.numbered_books`` False) leave ``id`` 0 and the ids here -1: the
    feed numbers them. A snapshot that comes by the stream has CLEAR on its first record, SNAPSHOT on all, ``aux`` -1.
    A checksum is a batch of its own behind its levels: one record of Kind.BOOK_CHECK, same ``id``, checksum in
    ``aux``, LAST; a kernel writes it as the last record of the same private batch, the levels' last one with LAST too.
    """

    instrument: int
    channel: Channel
    records: np.ndarray
    first_id: int = -1
    last_id: int = -1
    prev_id: int = -1
    lossy: bool = False  # its source says that something before it may be missing, and no id can tell


@dataclass(frozen=True, slots=True)
class Answer:
    """The exchange's answer to a subscribe request ``request_id`` (None: it does not say to which).

    ``wants`` are what it names: only they are acknowledged or refused, in whichever request they were asked for (their
    ``depth`` does not matter). Without any, the whole request is. The answer to an unsubscribe, a pong, a greeting are
    no Answer: ``Decoded(Outcome.CONTROL)`` says all there is to say.
    """

    request_id: int | None
    ok: bool
    message: str = ""
    wants: tuple[Want, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the exchange says unasked; ``closing``: this connection is about to be cut."""

    message: str
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """Everything a frame or REST body held. ``unknown``: symbols nobody registered, of which nothing was decoded.

    ``sequence`` is the frame's number where the venue numbers all frames of a connection by one (-1: it does not); a
    kernel writes it to the context word ``hot.C_SEQUENCE``.
    """

    outcome: Outcome
    batches: tuple[Batch, ...] = ()
    control: Answer | Notice | None = None
    unknown: tuple[str, ...] = ()
    sequence: int = -1
