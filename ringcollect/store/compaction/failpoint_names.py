"""Every failpoint of compaction, and what has happened when it is passed. docs/failpoints.md is made of it."""

from __future__ import annotations

MERGE = {
    "compact.start": "what a killed run left is settled, nothing is built yet",
    "compact.after_write": "a merged file is complete in the hidden folder",
    "compact.after_fsync": "and durable",
    "compact.after_readback": "and each segment's rows were read back and compared with its certificate",
    "compact.record.after_write": "its record is complete under a temporary name",
    "compact.record.after_fsync": "and durable",
    "compact.record.after_rename": "and has its name",
    "compact.record.after_dirsync": "and the name is durable",
}

EXCHANGE = {
    "compact.before_swap": "whatever else is in the day folder is in the hidden one, too",
    "compact.after_swap": "the folders are exchanged",
    "compact.after_swap_sync": "and that is durable",
    "compact.after_manifest": "readers that listed meanwhile are told to list again",
    "compact.after_unlink": "a file of the hidden folder is gone: of the old folder, or of an unfinished new one",
}

MANIFEST = {
    "compact.after_hide": "the manifest hides the merged files to come",
    "compact.after_put": "a merged file is in the day folder, hidden",
    "compact.after_commit": "the manifest hides the files that were merged instead",
    "compact.after_delete": "a hidden file is gone",
    "compact.after_show": "nothing is hidden any more",
}

SETTLE = {
    "compact.after_forget": "a record of an earlier merging that no file belongs to is gone",
    "compact.after_clear": "the hidden folder is gone",
}

FAILPOINTS = MERGE | EXCHANGE | MANIFEST | SETTLE
