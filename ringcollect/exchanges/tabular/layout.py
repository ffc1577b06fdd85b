"""The words of a table: what :mod:`describe` builds in Python and the kernel reads.

A table is one int64 array per exchange. Offsets count words from its beginning; 0 stands for "none". Texts of up to 24
bytes are four words: the first eight bytes, the eight behind them if there are more than 16, the last eight if there
are more than 8, and the length; these four decide equality.
"""

from __future__ import annotations

# Head of the table.
T_ROOT, T_NAMES, T_NAME_COUNT, T_INSIDE, T_BLOCK = range(5)
"""Scope of the frame's object; the named shapes (none: an answer about the instrument that was asked for, context words
C_INSTRUMENT and C_NAME, whose one shape is the root); T_INSIDE: offset of the key by which an object names its own
shape (0: the frame names it outside); T_BLOCK: context word that must be 0 for shapes that say BLOCKED."""
HEAD_WORDS = 8

# A named shape: its name's four words, then these.
N_SCOPE, N_FLAGS, N_PROGRAM = range(4, 7)
NAME_WORDS = 8
OBJECT_SHAPE, LIST_SHAPE, BLOCKED, WHOLE_FRAME, NOT_EMPTY = (1 << k for k in range(5))
"""Data may be an object, a list of them; see T_BLOCK; records are about the frame's symbol, known when all is read;
without one the frame is the typed path's."""

# A scope: the keys of one object.
S_INDEX, S_MULTIPLIER, S_REQUIRED, S_CLEARS, S_PROGRAM, S_FLAGS = range(6)
SCOPE_WORDS = 6
INDEX_SLOTS = 64
OWNER, GROUP = (1 << k for k in range(2))
"""The scope's symbol owns the records made since it began; the symbol stands for a group. Those of one kind that follow
each other are one batch."""

# A key: its four words, then these.
K_FORM, K_SLOT, K_ARG, K_BIT, K_REST = range(4, 9)
"""K_REST: bytes 16 to 23 of a name of more than 24."""
KEY_WORDS = 9

# Forms of a value. A number's is one of the first four with marks.
NUMBER, WHOLE, MS, EPOCH = range(1, 5)
BARE, QUOTED, EMPTY = 8, 16, 32
"""Marks: without quotes only, in quotes only, "" is the same as not there."""
BASE = 7
OTHER_FORMS = 64
SYMBOL, SAME_SYMBOL, WORD, TEXT, REFUSED, OBJECT, LIST, DATA, NAME, TOPIC, BIDS, ASKS, ID = range(
    OTHER_FORMS, OTHER_FORMS + 13
)

INSTRUMENTS, GROUPS = range(2)
"""Slot of a SYMBOL: which symbols it is among."""

# A choice of words: count, then (first eight bytes, next eight, value) each.
CHOICE_WORDS = 3

# A program: steps, records, then the steps and the records themselves.
P_STEPS, P_RECORDS = range(2)
PROGRAM_WORDS = 2
STEP_WORDS = 4
POSITIVE, NONZERO, OR_ELSE, DIFFERENCE, HOURS, OWN_INTERVAL, RESET, MERGE, HALF = range(1, 10)

R_KIND, R_SUB, R_FLAGS, R_NEED, R_NEWS, R_FORBID, R_PRICE, R_SIZE, R_ID, R_AUX, R_SIDE, R_TIME = range(12)
RECORD_ENTRY_WORDS = 12
SIGN_SHIFT = 16
"""Of R_SUB: above it is a side that no slot has; in a record the side is as far above ``sub``."""
NOTHING, NOT_A_NUMBER, AS_SUB = -1, -2, -3
"""Instead of a slot: 0, and (of ``aux``) NaN, and the record's own ``sub``."""

# Context words of the kernel; its slots are values of the frame: integers, or the bits of a float64.
SLOTS = 40
LEVELS = SLOTS - 1
"""Slot of how many levels of a book are in the batch. (A key of BIDS or ASKS has instead of a slot how many elements
beside price and size a level may have.)"""
MAX_DEPTH = 7
STATE_WORDS = 14
"""Per instrument: which slots are known, then their values."""
