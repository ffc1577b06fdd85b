"""What the decoder is meant to reach. Reported beside what was measured; nothing fails."""

from __future__ import annotations

from benchmarks.figures import Target

BY_FRAME = "ringcollect, frame by frame"
PUBLISHED = "ringcollect, frame by frame into a ring"
BATCHES = "ringcollect, batches of 16 into a ring"
WITH_BOOK = "ringcollect, into a ring and the synchronizer's book"
TYPED_WAY = "ringcollect, shared kernel or typed way"
ORJSON = "orjson.loads"
CRYPTOFEED = "cryptofeed, its handler and its book"


def of(capture: str, channel: str, way: str) -> tuple[Target, ...]:
    """The targets of one case."""
    if way != "hot":
        return (Target(TYPED_WAY, ORJSON, 1 / 3),)
    if (capture, channel) == ("binance_spot_2024", "book"):
        return (Target(WITH_BOOK, CRYPTOFEED, 20.0), Target(BY_FRAME, ORJSON, 2.5))
    if capture == "binance_usdm_2021b":
        return (Target(BATCHES, ORJSON, 1.5), Target(BY_FRAME, ORJSON, 1.0))
    return (Target(BY_FRAME, ORJSON, 1.0),)
