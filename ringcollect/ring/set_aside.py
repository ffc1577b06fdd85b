"""A ring that is replaced while its journal lacks the end of it is kept, under another name, until the journal has all.

A living journal has the old ring mapped and needs no name for it. One that is dead as well, after a kill of everything,
finds it here when it starts. Only a ring that a journal is registered at is kept: nobody would come for another.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from ringcollect.ring.control import Control
from ringcollect.ring.paths import control_path, undrained_path

_log = logging.getLogger(__name__)
JOURNAL = "journal"
"""Name of the journal process in a control file."""


def keep_for_journal(ring: Path, generation: int, head: int) -> None:
    """Give ``ring``, whose producer is dead and whose name is about to be taken, a second one if its journal lacks
    some of its ``head`` records."""
    control = Control(control_path(ring), writable=False)
    try:
        lacks = any(row.name == JOURNAL and row.committed < head for row in control.consumers())
    finally:
        control.close()
    if not lacks:
        return
    kept = undrained_path(ring, generation)
    try:
        kept.parent.mkdir(mode=0o750, exist_ok=True)
        for source, name in ((control_path(ring), control_path(kept)), (ring, kept)):
            name.unlink(missing_ok=True)
            os.link(source, name)
    except OSError as error:  # collecting goes on: a feed that refuses to start would lose more
        with suppress(OSError):
            let_go(kept)
        _log.error("%s: what its journal lacks cannot be kept: %s", ring, error)


def let_go(kept: Path) -> None:
    """The journal has all of it, or its first name is in use again."""
    kept.unlink(missing_ok=True)
    control_path(kept).unlink(missing_ok=True)
