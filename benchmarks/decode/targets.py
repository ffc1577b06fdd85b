"""What the decoder is meant to reach. Reported beside what was measured; nothing fails."""

from __future__ import annotations

from benchmarks.decode.captures import ALONE
from benchmarks.figures import Target

BY_FRAME = "ringcollect, frame by frame"
PUBLISHED = "ringcollect, frame by frame into a ring"
BATCHES = "ringcollect, batches of 16 into a ring"
WITH_BOOK = "ringcollect, into a ring and the synchronizer's book"
TYPED_WAY = "ringcollect, shared kernel or typed way"
ORJSON = "orjson.loads"
CRYPTOFEED = "cryptofeed, its handler and its book"

NO_CHANNEL = ("control", "ignored")
"""Answers, errors and signs of life; and what nobody asked for."""
HOT = ("book", "trade", "bbo", *ALONE)
"""Channels whose frames are to be as fast whichever way they go."""


def of(capture: str, channel: str, way: str) -> tuple[Target, ...]:
    """The targets of one case; what is no channel has none."""
    if channel in NO_CHANNEL:
        return ()
    if way != "hot":
        return (Target(TYPED_WAY, ORJSON, 1.0 if way == "cold" and channel in HOT else 1 / 3),)
    if (capture, channel) == ("binance_spot_2024", "book"):
        return (Target(WITH_BOOK, CRYPTOFEED, 20.0), Target(BY_FRAME, ORJSON, 2.5))
    if capture == "binance_usdm_2021b" and channel not in ALONE:
        return (Target(BATCHES, ORJSON, 1.5), Target(BY_FRAME, ORJSON, 1.0))
    return (Target(BY_FRAME, ORJSON, 1.0),)
