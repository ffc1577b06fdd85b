"""Where things stand for the feature kernels: the event they are called with, options, series, the core's state.

Plain integers: kernels freeze them at compile time, the catalogue lays arrays out by them without a compiler.
"""

from __future__ import annotations

# What a kernel is called for.
ON_UPDATE, ON_TRADE, ON_LIQUIDATION, ON_STATE, ON_ROW = range(5)

# The event: int64 words, with a float64 view of the same.
(E_PARAMS, E_SLAB, E_WIDE, E_CORE) = range(4)  # address of params; where this group's state and columns start
(E_TIME, E_RECV, E_SIDE, E_KIND) = range(4, 8)  # of the record: effective time, ts_recv (ns), +1/-1/0, its kind
(E_NEWS, E_FRESH, E_VALID, E_HELD) = range(8, 12)
# E_NEWS      update: 1 if it counts as flow (not re-sent, replayed, doubled or late)
# E_FRESH     update: 1 if nothing is known of the book before it (CLEAR of a resync, or the first one)
# E_VALID     1 if the book is trusted, has both sides and bid < ask
# E_HELD      ns for which the mid before (C_MID) stood within the open row until now; 0 if it was not valid
(E_NUMBER, E_CLOSE, E_GRID, E_FLAGS, E_REBUILD, E_RESTART) = range(12, 18)
# row number k, its closing time and the period (ns), row_flags; 1 if windows must be summed anew; 1 if what was
# known before is too old to be compared with (no book for O_ROWS_RESET rows): decays and the like begin anew
(E_STAMP, E_LOST) = (18, 19)  # ts_event of the record as sent; records this reader lost so far, of any instrument
(E_BARS, E_KERNELS, E_CORE_KERNEL, E_SELF, E_WIDE_AT) = range(25, 30)
# addresses: the words of bar_writing.py, the groups' kernels, core.py's kernel, the event, the row being written
(E_PRICE, E_SIZE, E_MID, E_SPREAD, E_MID_BEFORE) = range(20, 25)
# floats: of the trade or liquidation (size in base units); of the book now; mid just before the trade (NaN: none)
(E_BIDS, E_ASKS) = (30, 31)  # levels below that are filled
TOP = 50  # most levels of a side that a row looks at
E_BID_PRICE = 32
E_BID_SIZE, E_ASK_PRICE, E_ASK_SIZE = E_BID_PRICE + TOP, E_BID_PRICE + 2 * TOP, E_BID_PRICE + 3 * TOP
# Of the whole book, when a row closes and a group that looks deep runs (near.py):
E_NEAR = E_BID_PRICE + 4 * TOP
(E_BID_LEVELS, E_ASK_LEVELS) = (E_NEAR + 1, E_NEAR + 2)  # levels held
(E_BID_WORST, E_ASK_WORST) = range(E_NEAR + 3, E_NEAR + 5)  # floats: prices of the deepest levels held
(NEAR_FIRST, NEAR_MIDDLE, NEAR_LAST) = (5.0, 10.0, 50.0)  # bps from mid that columns name whatever the bands are
(E_BID_WITHIN, E_ASK_WITHIN) = (E_NEAR + 5, E_NEAR + 8)  # floats: base units nearer to mid than each of these three
E_NOTIONAL_WITHIN = E_NEAR + 11  # float: quote units nearer than NEAR_MIDDLE, both sides
(E_BID_BAND, E_ASK_BAND) = (E_NEAR + 12, E_NEAR + 20)  # floats: base units in each band
(E_BOOKS, E_HAS_BOOK) = (E_NEAR + 28, E_NEAR + 29)
# address of all books' rest; row: 1 if it embeds a book whose chain is whole, valid or not
E_LIST = E_NEAR + 30  # indices of levels in a book's window, for near.py alone
LIST = 320
EVENT = E_LIST + LIST

# The core's state: what several groups need.
(C_MID, C_SPREAD, C_IMBALANCE, C_SINCE) = range(4)  # after the last update; C_SINCE (word): its effective time
(C_ROW_MID, C_OPEN, C_HIGH, C_LOW) = range(4, 8)  # mid at the last row's close (NaN: none); mids of the open row
(C_BUY, C_SELL, C_VOLUME, C_NOTIONAL) = range(8, 12)  # trades of the open row: base units with a side, all; quote
(C_LAST_PRICE, C_LAST_TRADE) = (12, 13)  # latest trade by (time, sequence): price (NaN: none), time (word)
(C_ROW, C_BOOK_ROW, C_LOGGED) = range(14, 17)  # words: the last row, the last with a valid book, mids logged so far
FLOW_LEVELS = 10
(C_BIDS, C_ASKS) = (17, 18)  # words: levels known of the book before the update; 0, 0: nothing
C_BID_PRICE = 19
C_BID_SIZE, C_ASK_PRICE, C_ASK_SIZE = C_BID_PRICE + FLOW_LEVELS, C_BID_PRICE + 20, C_BID_PRICE + 30
C_LOG = C_BID_PRICE + 40
LOG = 256  # (time, mid) pairs: where a trade looks up the mid just before it
CORE_SLAB = C_LOG + 2 * LOG

# Options, from params[P_OPTIONS] on; a window the grid does not divide has 0 rows and its columns are undefined.
(O_HORIZONS, O_EDGES, O_LEVELS, O_PRICE_LEVELS, O_FLOW_LEVELS) = range(5)
(O_ROWS_1S, O_ROWS_5S, O_ROWS_30S, O_ROWS_60S, O_ROWS_300S, O_ROWS_900S) = range(5, 11)
(O_ROWS_KYLE, O_ROWS_REGIME, O_ROWS_RESET, O_DYNAMIC, O_BUCKETS, O_BUCKET_WINDOW) = range(11, 17)
(O_ALPHA, O_TIGHT_SPREAD, O_TIGHT, O_WIDE, O_BUCKET_VOLUME) = range(17, 22)  # floats
O_HORIZON_ROWS = 24
O_EDGE = 32  # floats
O_WEIGHT = 44  # floats
O_SILENCE = 54  # ns per channel (sync/silence.py)
OPTIONS = 61
FIXED_WINDOWS = {O_ROWS_1S: 1, O_ROWS_5S: 5, O_ROWS_30S: 30, O_ROWS_60S: 60, O_ROWS_300S: 300, O_ROWS_900S: 900}
"""Option word -> seconds."""

# Series: one value a row, kept as long as some window reaches.
(S_MID, S_RETURN, S_MID_HIGH, S_MID_LOW, S_BUY, S_SELL, S_NOTIONAL, S_COUNT) = range(8)  # the core's
S_VOLUME = 42  # the core's too
(S_NEAR_BALANCE, S_FIRST_BAND, S_NEAR_NOTIONAL, S_GRAVITY, S_BID_SLOPE, S_ASK_SLOPE) = range(8, 14)  # C, D, D, E, E, E
(S_OFI, S_DECAYED_OFI, S_BEST_DEPTH, S_BEST_DEPTH_COUNT) = range(14, 18)  # G
(S_SIGN_PRODUCTS, S_SIGN_PAIRS) = range(18, 20)  # H
(S_RELATIVE_SPREAD, S_REGIME, S_VOLATILITY, S_ACTIVITY) = range(20, 24)  # J
(S_SIGNED_ROOT, S_SIGNED_VOLUME, S_EFFECTIVE, S_REALIZED_1, S_REALIZED_2) = range(24, 29)  # K
(S_CHANGES, S_CHANGE_SUM, S_CHANGE_LAGGED_SUM, S_CHANGE_PRODUCTS) = range(29, 33)  # K
(S_BASIS, S_INTEREST, S_LIQUIDATED, S_LIQUIDATED_LONG, S_LIQUIDATED_SHORT) = range(33, 38)  # L
(S_GAPS, S_GAP_SUM, S_GAP_SQUARES, S_UPDATES) = range(38, 42)  # M
(S_AMIHUD, S_MID_CHANGE) = range(43, 45)  # K
(S_HIGHS_5S, S_LOWS_5S, S_HIGHS_60S, S_LOWS_60S) = range(45, 49)  # I: extremes from the row to its block's end
SERIES = 56
