"""Where everything stands in the engine's flat arrays.

All state of the synchronizer lives in a few numpy arrays, so that a checkpoint is a dump of them, kernels take few
arguments, and what the configuration chooses is data, never part of a compiled type:

* ``params``  int64[P_SELECT + columns]    what the configuration chose; never changes while the engine lives
* ``shared``  int64[SHARED]                state and counters of the whole ring
* ``ints``    int64[instruments, INTS]     state of each instrument
* ``floats``  float64[instruments, F_GROUPS + group slabs]
* ``pool``    int64[slots, POOL_WORDS]     records that wait for their row, in linked lists
* ``books``   float64[levels, 2]           (key, size) of the sorted part of every book side, see sorted_levels.py
* ``wide``    float64[columns of all groups]  the row being written

Plain integers instead of enums: kernels freeze them at compile time.
"""

from __future__ import annotations

from ringcollect.records import Channel, Flag, Kind, Status, TradeSub

# Clock modes.
MODE_ORDERBOOK, MODE_TRADE, MODE_LIQUIDATION, MODE_EXTERNAL = range(4)
MODES = {
    "orderbook": MODE_ORDERBOOK,
    "trade": MODE_TRADE,
    "liquidation": MODE_LIQUIDATION,
    "external": MODE_EXTERNAL,
}

# params
P_GRID, P_HOLD_BACK, P_MODE, P_MAX_GAP, P_MAX_SKEW, P_MAX_HELD, P_BOOK_LEVELS, P_MAX_LATENCY = range(8)
P_GROUPS = 8  # bit mask of feature groups; a group whose bit is off is not called
P_COLUMNS = 9  # columns in a row
P_HEARS = 10  # four masks: the groups to be called for updates, trades, liquidations, states
P_DEEP = 14  # mask: the groups that look below the best level when a row closes
P_CORE = 15  # where the state several groups share starts in a row of ``floats``; 0 = none of them runs
MAX_GROUPS = 16
P_SLAB = 16  # per group: where its state starts in a row of ``floats``
P_WIDE = P_SLAB + MAX_GROUPS  # per group: where its columns start in ``wide``
P_OPTIONS = P_WIDE + MAX_GROUPS  # features/places.py
P_SERIES = P_OPTIONS + 64  # per series: where its ring starts in a row of ``floats``, rows it keeps
P_SELECT = P_SERIES + 112  # the columns of ``wide`` a row takes, in order
UNLIMITED = 2**62

# Feature group bits.
GROUP_A, GROUP_N, GROUP_P = 1 << 0, 1 << 13, 1 << 15
GROUP_A_SLAB = 13  # floats of state per instrument; aggregate.py names them

# shared: how a kernel call ended
G_CODE, G_ARGUMENT, G_CONSUMED, G_ROWS = range(4)
# shared: state
G_INSTRUMENTS, G_NOW, G_ANCHORED, G_PERIOD, G_SWEEP, G_FREE_HEAD, G_FREE, G_TORN, G_FINAL, G_FRESH, G_FLOOR = range(
    4, 15
)
# shared: counters of the ring
(
    G_RECORDS,
    G_ROWS_TOTAL,
    G_LATE_EVENTS,
    G_LATE_UPDATES,
    G_CLOCK_OUTLIERS,
    G_OVERRUNS,
    G_SKIPPED_ROWS,
    G_LEVELS_DROPPED,
    G_CHAIN_BREAKS,
    G_LOST,
    G_WANTED,
    G_REFUSED,
    G_CHECKSUMS,
    G_CHECKSUMS_BAD,
    G_CHECKSUMS_UNKNOWN,
) = range(16, 31)
G_SNAPSHOTS = 31  # shared: address of the words of snapshot.py, 0 = nobody wants snapshot records
SHARED = 32
# shared: addresses of the event (features/places.py) and of the words of bar_writing.py (0 = nobody wants bars); never
# part of a checkpoint
G_EVENT, G_BARS = range(32, 34)
SHARED_AND_LINKS = 40

# How a kernel call ends: all consumed, or what it needs before it can go on with the same record.
DONE, OUT_FULL, GROW_POOL, GROW_BOOK, NEED_INSTRUMENT = range(5)

# ints: metadata of the instrument
(I_BOOK_DEPTH, I_SIZE_UNIT, I_INVERSE, I_FUNDING_INTERVAL) = range(4)
# ints: clock
(I_SEEN, I_ANCHORED, I_PERIOD, I_STEP_LEFT, I_JUMPED) = range(4, 9)
# ints: book as it arrives in ring order
(I_EFFECTIVE, I_LAST_ID, I_CHAINED, I_BROKEN, I_IN_BATCH, I_DOUBT, I_WANT_RESYNC, I_STALE) = range(9, 17)
# ints: book as applied
(I_TRUSTED, I_APPLIED, I_SEEDED_REST) = range(17, 20)
# ints: records that wait (heads and tails of lists in ``pool``, -1 = empty)
(I_UPDATES_HEAD, I_UPDATES_TAIL, I_EVENTS_HEAD, I_EVENTS_TAIL, I_EVENTS_MIN, I_HELD) = range(28, 34)
# ints: what fell into the open row
(I_BIN_UPDATES, I_BIN_TRADES, I_BIN_LIQUIDATIONS, I_BIN_STATES, I_BIN_FLAGS) = range(34, 39)
(I_FIRST_TRADE, I_LAST_TRADE) = (39, 40)
# ints: rows up to which an input gap or a loss is marked; loss not yet bounded
(I_GAP_UNTIL, I_LOST_UNTIL, I_LOST_OPEN) = (41, 42, 43)
# ints: times of the latest states; 0 = none yet
(I_FUNDING_TS, I_FUNDING_NEXT, I_FUNDING_EVERY, I_INTEREST_TS, I_MARK_TS, I_INDEX_TS) = range(44, 50)
# ints: tick rule; previous open interest known
(I_TICK_SIGN, I_PREVIOUS_INTEREST) = (50, 51)
(I_LATE_EVENTS, I_LATE_UPDATES) = (52, 53)
# ints: last row of finalize, fixed when it starts
I_FINAL_ROW = 54
# ints: the rows of this instrument are on another grid; its records only move stream time here
I_EXCLUDED = 55
# ints: checksum rule and decimals of the instrument; the applied book was found wrong and nobody acted on it yet
(I_CHECKSUM, I_PRICE_DIGITS, I_SIZE_DIGITS, I_CHECK_FAILED) = range(20, 24)
# ints: the book began anew: nothing of what is known of it before can be compared with it
I_RENEWED = 25
# ints: the book's window should be laid out anew (engine, between kernel calls)
I_LAY_OUT = 24
# ints: the two sides of the book, eight words each (book.py): a sorted region of ``books``, a window of ticks
(I_BID, I_ASK) = (56, 64)
BOOK_OFFSET, BOOK_CAPACITY, BOOK_LOW, BOOK_HIGH, BOOK_WINDOW, BOOK_BASE, BOOK_NEAR, BOOK_BEST = range(8)
# ints: counted since the stream began: gaps the feed told of, silences, books that began anew after the first
(I_SEQ_GAPS, I_SILENCES, I_RENEWALS) = range(72, 75)
# ints: records of the open row's time that no row is made of (best prices, tickers), as they came
I_BIN_OTHER = 75
# ints: receive time of the last record of each channel (silence.py), seven of them
I_HEARD = 76
# ints: the instrument itself
I_NUMBER = 83
# ints: snapshot records of rows before this one are not written: another ring has them, or nobody has all of them
I_SNAPSHOTS_FROM = 84
# ints: flags of the open row's inputs; latest receive time; marks of rows to come (provenance.py): how many, then
# (row, flags) each
(I_INPUT_FLAGS, I_RECV, I_ASIDE) = range(85, 88)
I_ASIDE_MARKS, ASIDE_MARKS = 88, 4
INTS = 96
CHECKSUM_NONE, CHECKSUM_KRAKEN, CHECKSUM_OKX = range(3)

# floats: core state, then the slabs of the groups
(F_MULTIPLIER, F_BID_TOTAL, F_BID_REST, F_ASK_TOTAL, F_ASK_REST, F_TRADE_PRICE) = range(6)
(F_FUNDING_RATE, F_FUNDING_PREDICTED, F_INTEREST, F_INTEREST_VALUE, F_MARK, F_INDEX) = range(6, 12)
F_PREVIOUS_INTEREST = 12
# floats: ticks in one unit of price, and the tick as a fraction of whole numbers; 0 = not known
(F_TICKS, F_TICK_NUMERATOR, F_TICK_DENOMINATOR) = range(13, 16)
F_LOT = 16  # smallest size, in the venue's unit; 0 = not known
F_GROUPS = 17

# pool: the record's eight words, its time, the next slot of its list
POOL_TIME, POOL_NEXT, POOL_WORDS = 8, 9, 10

# A row: seq, ts_ns, ts_book_ns, ts_recv, (instrument u2, input_flags u2, row_flags u4), then the columns.
ROW_TS, ROW_TS_BOOK, ROW_TS_RECV, ROW_TAIL, ROW_COLUMNS = range(1, 6)

UNIT_BASE, UNIT_QUOTE, UNIT_CONTRACT = range(3)

# Record codes as plain integers.
K_SNAPSHOT, K_DELTA, K_TRADE, K_LIQUIDATION = (
    int(Kind.BOOK_SNAPSHOT),
    int(Kind.BOOK_DELTA),
    int(Kind.TRADE),
    int(Kind.LIQUIDATION),
)
K_CHECK = int(Kind.BOOK_CHECK)
K_FUNDING, K_INTEREST, K_MARK, K_INDEX, K_STATUS = (
    int(Kind.FUNDING),
    int(Kind.OPEN_INTEREST),
    int(Kind.MARK_PRICE),
    int(Kind.INDEX_PRICE),
    int(Kind.STATUS),
)
S_TICK, S_START, S_DISCONNECTED, S_STALE = (
    int(Status.TICK),
    int(Status.START),
    int(Status.DISCONNECTED),
    int(Status.STALE),
)
S_SEQ_GAP = int(Status.SEQ_GAP)
S_INSTRUMENT_NEW, S_INSTRUMENT_CHANGED = int(Status.INSTRUMENT_NEW), int(Status.INSTRUMENT_CHANGED)
C_BOOK = int(Channel.BOOK)
B_LAST, B_CLEAR, B_GAP, B_REST = int(Flag.LAST), int(Flag.CLEAR), int(Flag.GAP), int(Flag.REST)
B_UNSYNCED, B_SNAPSHOT = int(Flag.UNSYNCED), int(Flag.SNAPSHOT)
NO_STATE = int(Flag.UNSYNCED | Flag.DUPLICATE)  # an older state once more would undo a newer one
NO_FLOW = int(Flag.SNAPSHOT | Flag.REPLAYED | Flag.UNSYNCED | Flag.DUPLICATE)
NO_CLOCK = NO_FLOW | int(Flag.BACKFILLED)
T_BLOCK, T_ADL = int(TradeSub.BLOCK), int(TradeSub.ADL_INSURANCE)
T_AGGREGATED = int(TradeSub.AGGREGATED)
EIGHT_HOURS_NS = 8 * 3600 * 10**9
YEAR_NS = 8760 * 3600 * 10**9
