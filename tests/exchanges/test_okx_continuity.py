"""Does a book event follow? The five rules of the documentation, as the feed and the kernel have them."""

from __future__ import annotations

import pytest

from ringcollect.exchanges import okx
from ringcollect.exchanges.okx.continuity import update_code
from ringcollect.exchanges.protocol import Verdict

FITS, STALE, GAP = Verdict.FITS, Verdict.STALE, Verdict.GAP


@pytest.mark.parametrize(
    ("sequence", "previous", "verdict"),
    [
        (105, 100, FITS),
        (100_000, 100, FITS),  # ids are no counter: only prevSeqId says what came before
        (100, 100, FITS),  # heartbeat: no change
        (3, 100, FITS),  # reset after maintenance: the venue counts anew, nothing is missing
        (105, 99, GAP),
        (105, 101, GAP),
        (101, 102, GAP),
        (100, 95, STALE),
        (99, 95, STALE),
        (105, -1, GAP),
    ],
)
def test_an_update_follows_the_one_its_prevseqid_names(sequence: int, previous: int, verdict: Verdict) -> None:
    for market in okx.markets:
        assert okx.accept(market)(100, -1, sequence, previous) is verdict
    assert update_code(100, -1, sequence, previous) == verdict


def test_after_a_reset_the_chain_goes_on_from_the_lower_id() -> None:
    known = 80_274_874_876
    for sequence, previous in ((12, known), (15, 12), (15, 15), (40, 15)):
        assert okx.accept("spot")(known, -1, sequence, previous) is FITS
        known = sequence


@pytest.mark.parametrize(
    ("sequence", "previous", "verdict"),
    [
        (105, 100, FITS),  # the WebSocket's own snapshot
        (105, 97, FITS),  # REST splice: prevSeqId <= snapshot < seqId
        (105, 101, GAP),
        (100, 97, STALE),
        (99, 97, STALE),
        (100, 100, FITS),
        (3, 100, FITS),
    ],
)
def test_a_snapshot_is_joined_by_the_update_that_covers_its_id(sequence: int, previous: int, verdict: Verdict) -> None:
    for market in okx.markets:
        assert okx.join(market)(100, -1, sequence, previous) is verdict
