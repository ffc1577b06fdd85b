"""Silence of one stream: time between two of its records that is longer than its channel lets pass without notice.

Counted by whoever publishes the record that ends it, kernel or feed, by this one rule; so replay counts what live did.
"""

from __future__ import annotations

from ringcollect.decode.memory import out_of_line, put_word, word_at
from ringcollect.jit import njit
from ringcollect.ring.layout import SILENCE_BOUNDS_NS

L_LAST_RECORD, L_SILENCE_LIMIT, L_SILENCE_GAPS, L_SILENCE = range(7, 11)
"""Words of a ledger row (ring.layout.LEDGER_ROW)."""
L_SILENCES = 26


def bucket_of(silence_ns: int) -> int:
    """Number of the histogram's bucket that holds a silence of this length."""
    bucket = 0
    for bound in SILENCE_BOUNDS_NS:
        if silence_ns > bound:
            bucket += 1
    return bucket


_bucket_of = njit(bucket_of)


@njit
def count_silence(ledger: int, before_ns: int, now_ns: int) -> None:
    """The rare branch: a record at ``now_ns`` follows one at ``before_ns`` (0: there was none) past the limit.

    ``ledger`` is the row's address.
    """
    out_of_line()
    if before_ns == 0 or word_at(ledger, L_SILENCE_LIMIT) <= 0:
        return
    silence = now_ns - before_ns
    put_word(ledger, L_SILENCE_GAPS, word_at(ledger, L_SILENCE_GAPS) + 1)
    put_word(ledger, L_SILENCE, word_at(ledger, L_SILENCE) + silence)
    bucket = L_SILENCES + _bucket_of(silence)
    put_word(ledger, bucket, word_at(ledger, bucket) + 1)
