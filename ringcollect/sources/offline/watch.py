"""Builds of a lake that grows: a pass whenever there may be a newly sealed segment."""

from __future__ import annotations

from collections.abc import Callable

from ringcollect.errors import NotFoundError
from ringcollect.sources.offline.build import build
from ringcollect.sources.offline.report import Report
from ringcollect.sources.offline.settings import Settings


def watch(settings: Settings, sleep: Callable[[], None], tell: Callable[[Report], None]) -> Report:
    """Build until ``settings.stop()``; ``sleep()`` returns when it is time to look again.

    ``tell`` gets the report of every pass that did or met something new. A lake that is not there yet is waited for.
    """
    whole = Report()
    known_errors: set[str] = set()
    while not settings.stop():
        try:
            done = build(settings)
        except NotFoundError:
            done = Report()
        found = max(whole.found, done.found)
        done.errors = [error for error in done.errors if error not in known_errors]
        known_errors.update(done.errors)
        done.built = [one for one in done.built if one.segments or one.rows or one.notes]
        if done.built or done.errors or done.removed_segments:
            tell(done)
        whole.add(done)
        whole.found = found
        del whole.built[:-_KEPT]
        sleep()
    return whole


_KEPT = 10_000
"""Entries of the report that is handed back in the end: a watch may go on for months."""
