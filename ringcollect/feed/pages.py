"""An instrument list as it comes: in pages and of several kinds, of which only what was planned is kept."""

from __future__ import annotations

import msgspec

from ringcollect.feed.roster import Roster


class Page(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer: where the next page is ("" = the last of its kind), and with the very last one the roster."""

    roster: Roster = Roster()
    next_url: str = ""
    next_weight: int = 0
