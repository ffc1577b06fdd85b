"""Every failpoint of the writer, and what has happened when it is passed. docs/failpoints.md is made of it."""

from __future__ import annotations

JOURNAL = {
    "journal.after_create": "a new journal is written under a temporary name",
    "journal.after_create_rename": "the new journal has its name; at a rotation, the old one has its END",
    "journal.after_cut": "a torn tail was cut off on opening",
    "journal.before_write": "records were taken from the ring, nothing of them is in the file",
    "journal.after_write": "records are in the file (page cache), the cursor in the control file is old",
    "journal.after_fsync": "the file is durable",
    "journal.after_rotate": "the next journal exists, the complete one is not yet queued for sealing",
    "journal.after_end": "the last journal has its END, at a stop",
}

SEAL = {
    "seal.start": "the sealer holds the journal's lock and has read its frames",
    "seal.before_write": "the folders of a file exist",
    "seal.after_write": "a file is complete under its temporary name",
    "seal.after_fsync": "and durable",
    "seal.after_readback": "and was read back and compared",
    "seal.after_rename": "and has its name",
    "seal.after_dirsync": "and the name is durable",
    "seal.sidecar.after_write": "all files are in place; the certificate is complete under its temporary name",
    "seal.sidecar.after_fsync": "and durable",
    "seal.sidecar.after_rename": "and has its name",
    "seal.sidecar.after_dirsync": "and the name is durable",
    "seal.before_delete": "the journal that takes over as the cursor is durable, too",
    "seal.after_delete": "the sealed journal is gone, the folder not yet synced",
}

FAILPOINTS = JOURNAL | SEAL
