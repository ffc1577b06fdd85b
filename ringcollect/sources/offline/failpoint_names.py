"""Every failpoint of a build, and what has happened when it is passed. ``docs/failpoints.md`` has the same table."""

from __future__ import annotations

BUILD = {
    "build.before_begin": "a new build is complete in a hidden folder",
    "build.after_claim": "its token says that somebody works on it",
    "build.after_rows": "rows of a segment are in their journal, the state is older",
    "build.after_save": "rows and state are durable, the token still names the position before",
}

REMOVAL = {
    "build.mark.after_write": "all rows are verified; the mark that a segment goes is complete under its hidden name",
    "build.mark.after_fsync": "and durable",
    "build.mark.after_rename": "and has its name",
    "build.mark.after_dirsync": "and the name is durable",
    "build.after_unlink": "a file of the segment is gone",
}

FAILPOINTS = BUILD | REMOVAL
