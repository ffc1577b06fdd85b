"""Every failpoint of retention, and what has happened when it is passed. docs/failpoints.md is made of it."""

from __future__ import annotations

FAILPOINTS = {
    "retain.start": "a day folder is to go; what a killed compaction left in it is settled",
    "retain.mark.after_write": "the mark that names its files is complete under a temporary name",
    "retain.mark.after_fsync": "and durable",
    "retain.mark.after_rename": "and has its name",
    "retain.mark.after_dirsync": "and the name is durable",
    "retain.after_rename": "the folder is out of every reader's sight",
    "retain.after_unlink": "a file of it is gone",
    "retain.after_clear": "all of them are",
    "retain.after_forget": "and a record of compaction that belonged to it",
}
