"""Every failpoint of the archiver, and what has happened when it is passed. docs/failpoints.md is made of it."""

from __future__ import annotations

SENDING = {
    "archive.start": "a segment was chosen, nothing is sent",
    "archive.before_upload": "a file is what its certificate says, and the archive does not have it",
    "archive.during_upload": "a piece of it is sent; nobody sees the file yet",
    "archive.after_upload": "the file is in the archive",
    "archive.after_check": "and length and hash there are those of the file here",
    "archive.certificate.before_upload": "all files of the segment are in the archive, the certificate is not",
    "archive.certificate.after_upload": "the certificate is in the archive, not yet compared",
    "archive.mark.after_write": "and was compared; the mark that says so is complete under its hidden name",
    "archive.mark.after_fsync": "and durable",
    "archive.mark.after_rename": "and has its name",
    "archive.mark.after_dirsync": "and the name is durable",
}

MERGED = {
    "archive.merged.after_hide": "a merged file is about to come; the manifest there hides its name",
    "archive.merged.after_swap": "it has come; the manifest hides what it replaces instead",
    "archive.merged.after_delete": "a file that it replaces is gone there",
}

REMOVING = {
    "archive.removal.after_write": "the mark that the files go is complete under its hidden name",
    "archive.removal.after_fsync": "and durable",
    "archive.removal.after_rename": "and has its name",
    "archive.removal.after_dirsync": "and the name is durable",
    "archive.after_unlink": "a file of the segment is gone here",
    "archive.after_removed": "all are, and the mark says so",
}

FAILPOINTS = SENDING | MERGED | REMOVING
