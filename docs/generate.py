"""Write the generated pages: ``python docs/generate.py``; a test compares them with what is committed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ringcollect.config import SyncFeatures
from ringcollect.durations import parse_duration
from ringcollect.records import FIELD_MEANING, KIND_MEANING, RECORD, RECORD_BYTES, Channel, Flag, Status, TickerField
from ringcollect.sync.catalogue import Options, select
from ringcollect.sync.catalogue.groups import GROUPS
from ringcollect.sync.catalogue.plan import plan

if TYPE_CHECKING:
    from ringcollect.store.schema import Column

FLAG_MEANING = {
    Flag.LAST: "last record of its batch (the records of one frame that share instrument and kind family)",
    Flag.CLEAR: "drop this instrument's book, then apply",
    Flag.SNAPSHOT: "state or history re-sent by the venue, no news: never drives a clock, never enters flows",
    Flag.GAP: "something of this instrument and channel before this record is missing",
    Flag.UNSYNCED: "published while the book had no valid base: applied by nobody",
    Flag.REPLAYED: "a held delta again, behind its snapshot: books apply it, flows and counts skip it",
    Flag.BACKFILLED: "fetched later to fill a hole",
    Flag.REST: "came from REST, not from the WebSocket",
    Flag.DUPLICATE: "the venue sent it twice on one connection",
    Flag.BAD_TS: "ts_event outside [ts_recv - 1 day, ts_recv + max_future_skew]",
    Flag.UUID: "id and aux are the two halves of a UUID",
    Flag.DERIVED: "computed by us",
}
STATUS_MEANING = {
    Status.TICK: "nothing was published for 100 ms",
    Status.START: "a producer started: every book is void",
    Status.STOP: "the producer stopped in order",
    Status.CONNECTED: "the connection conn is up",
    Status.DISCONNECTED: "one per affected instrument and channel; ts_event = last data",
    Status.REQUESTED: "the subscription was sent",
    Status.ACKED: "the exchange acknowledged it",
    Status.FLOWING: "first data arrived",
    Status.STALE: "no data within the deadline",
    Status.SEQ_GAP: "from = expected id, to = id that came",
    Status.RESYNC_BEGIN: "this instrument's book is fetched anew",
    Status.RESYNC_DONE: "its book is whole again",
    Status.RESYNC_FAILED: "attempts used up; a cool-down follows",
    Status.CLOCK_STEP: "price = step of the host clock in seconds",
    Status.CLOCK: "price = offset of the host clock (NaN: nobody disciplines it), size = dispersion, in seconds",
    Status.INSTRUMENT_NEW: "first use of this instrument number",
    Status.INSTRUMENT_CHANGED: "its metadata has a new version",
    Status.INSTRUMENT_GONE: "the exchange no longer lists it; to = the instrument it is called now, -1 if none",
    Status.COUNTERS: "from = frames, to = records, price = duplicates, size = gaps; all since START",
    Status.LOST: "seq range [from, to) a consumer lost",
    Status.REJECTED: "price = frames rejected since the last such record",
    Status.CONFIG_CHANGED: "a changed configuration is in force; from = streams added, to = streams ended",
    Status.CLOSED: "the subscription was ended: price = why (ledger reason)",
    Status.BOOKS_WANTED: "somebody asked for whole books as of here",
}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def records_page() -> str:
    """docs/records.md."""
    fields = RECORD.fields
    assert fields is not None and RECORD.names is not None
    layout = [[str(fields[n][1]), f"`{n}`", fields[n][0].str.lstrip("<|"), FIELD_MEANING[n]] for n in RECORD.names]
    kinds = [[str(int(k)), f"`{k.name.lower()}`", *KIND_MEANING[k]] for k in KIND_MEANING]
    flags = [[str(f.bit_length() - 1), f.name or "", FLAG_MEANING[f]] for f in Flag]
    statuses = [[str(int(s)), s.name, STATUS_MEANING[s]] for s in Status]
    channels = ", ".join(f"{int(c)} `{c.name.lower()}`" for c in Channel if c)
    fields_of_day = ", ".join(f"{int(f)} {f.name.lower().replace('_', ' ')}" for f in TickerField)
    return f"""# The record

Generated from `ringcollect/records.py` by `python docs/generate.py`. {RECORD_BYTES} bytes, one cache line,
little-endian. Times are int64 nanoseconds since the Unix epoch, UTC. Prices and sizes are the venue's own numbers, the
correctly rounded float64 of its text; the instrument table says what a size is, `to_base` converts it.

{table(["offset", "field", "type", "meaning"], layout)}
## Kinds

{table(["code", "kind", "price", "size", "id", "aux", "sub"], kinds)}
A frame without levels still gives one book record with side 0, price NaN and size 0, so that the chain and the frame
counts close. **The chain**: a book consumer has missed something of an instrument exactly when `aux` differs from the
last `id` it applied. **The book**: apply records in ring order, skip UNSYNCED, honour CLEAR, and after each batch
forget levels beyond the instrument's `book_depth` (0 = no limit).
**Field codes** of `ticker`, add-only: {fields_of_day}.

## Flags

{table(["bit", "flag", "meaning"], flags)}
## Status codes

Codes are add-only. In a status record `sub` is the code, `side` the channel ({channels}; 0 none), `id` from, `aux` to.

{table(["code", "status", "meaning"], statuses)}"""


def reading(window: str) -> int:
    """How many series are kept as long as an option says."""
    return len({series for group in GROUPS for series, chosen in group.reads if chosen == window})


def state_of_full(longest: str) -> str:
    """What the set ``full`` keeps of an instrument on 100 ms."""
    options = Options(horizons_ns=(parse_duration("1s"), parse_duration(longest)))
    return f"{8 * plan(select(['full'], 'docs', options), parse_duration('100ms'), options).floats / 1e6:.2f} MB"


OPTION_MEANING = {
    "select": ("sets, names, wildcards", "8 bytes a column and row in ring and file; the kernels of its groups"),
    "horizons": (
        "windows of the columns that have several: multiples of the grid, up to 4h",
        f"{reading('horizons_ns')} series of 8 bytes a row: `full` on 100 ms takes {state_of_full('1m')} an "
        f"instrument, with a horizon of 4 h {state_of_full('4h')}",
    ),
    "hf_emit_interval": (
        'with one grid and `core` or `full`: group A on that grid, everything on this one; "": everything on the grid',
        "a second grid reads every record once more",
    ),
    "price_levels": ("levels whose price and size are columns", "4 columns a level"),
    "max_levels": ("levels that totals and shapes look at", "some ns a level and row"),
    "ofi_levels": ("levels of order flow", "some ns a level and update"),
    "ofi_decay_alpha": ("weight exp(-alpha * level) of `mlofi_decay`", "nothing"),
    "ofi_weights": ("weights of `ofi_integrated`, one a level; none: equal ones", "nothing"),
    "bands_bps": (
        "edges of the depth bands around the mid",
        "the whole book within the last edge is walked at each row",
    ),
    "keep_raw_arrays": ("books of every row, as `[sync.output] orderbooks`", "64 bytes a level and row"),
    "use_dynamic_spread_regime": (
        "regimes by rank in the window, else by `tight_spread_threshold`",
        "a scan of the window",
    ),
    "tight_spread_threshold": ("relative spread below which it is tight, without ranks", "nothing"),
    "spread_regime_window": (
        "window of ranks and shares",
        f"{reading('spread_regime_window_ns')} series of 8 bytes a row, a scan of it at each row",
    ),
    "tight_percentile": ("rank up to which it is tight", "nothing"),
    "wide_percentile": ("rank from which it is wide", "nothing"),
    "kyle_lambda_window": (
        "window of the regressions on order flow",
        f"{reading('kyle_lambda_window_ns')} series of 8 bytes a row",
    ),
    "vpin_bucket_count": ("buckets a day's volume is divided into", "nothing"),
    "vpin_window_buckets": ("buckets of the mean", "nothing"),
    "vpin_bucket_volume": ("base units in a bucket; 0: a day's volume divided", "nothing"),
    "state_reset": ("longer without a book and every window begins anew", "nothing"),
    "bar_durations": (
        "bars of time, if `[sync.output] bars`: multiples of the grid they are made on",
        "264 bytes an instrument and a ring of 3 MiB each; all of them a fifth of what a record costs with `minimal`",
    ),
    "bar_sizes": (
        "bars that end with the trade that fills them: `500ticks` (trades), `10base`, `1000000quote`",
        "the same",
    ),
    "venue_wait": (
        "group O: how long behind `hold_back` a row of another exchange may come and still count",
        "columns of group O come so much later; their rows take 24 bytes and 8 a column, 0.3 to 2 µs each",
    ),
}


def features_page() -> str:
    """docs/features.md."""
    from ringcollect.sync.bar_record import COLUMNS as BAR_COLUMNS
    from ringcollect.sync.catalogue import ACROSS, COLUMNS, GROUPS, SETS, Options, bars

    groups_of_rows = (*GROUPS, ACROSS)
    titles = {group.letter: group.module.replace("_", " ") for group in groups_of_rows}
    parts = []
    for group in groups_of_rows:
        rows = []
        for family in group.families:
            names = " ".join(f"`{name}`" for name in family.columns(Options()))
            text = [family.formula, family.unit, family.inputs, family.window, family.undefined]
            rows.append([names, *text, "core" if family.core else "full", family.source])
        head = ["columns", "formula", "unit", "inputs", "window", "undefined", "set", "source"]
        parts.append(f"## {group.letter}. {titles[group.letter].capitalize()}\n\n{table(head, escaped(rows))}")
    bar_rows = [
        [" ".join(f"`{name}`" for name in family.columns(Options())), family.formula, family.unit, family.undefined]
        for family in bars.FAMILIES
    ]
    defaults = msgspec.to_builtins(SyncFeatures())
    options = [
        [f"`{key}`", f"`{msgspec.json.encode(defaults[key]).decode()}`", *OPTION_MEANING[key]] for key in defaults
    ]
    groups = "\n".join(parts)
    return f"""# Features

Generated from the catalogue and the configuration by `python docs/generate.py`; `ringcollect features list` and
`ringcollect features describe NAME` say the same. {len(COLUMNS)} columns of rows: `minimal` has {len(SETS["minimal"])}
(group A), `core` {len(SETS["core"])}, `full` all. Level 0 is the best. Sizes are base units. A row closes at its stamp
and owns the period before it; a window of 60 s is the rows of 60 s up to and with the one that closes.

**Inputs**: B book at the row's close, U book updates of the bin, T trades, L liquidations, F funding, O open interest,
M mark and index price, R earlier rows, C the clock.

{groups}
These four are not in the row ring but in a ring and a table of their own, beside every exchange's rows
(`binance.100ms.xv`, `sync/venues/`): see [synchronizer.md](synchronizer.md). Choosing one puts the column it is made of
(`mid_price`, `log_return_1s`, `ofi_norm_5s`) into the rows.

## P. Bars

{len(BAR_COLUMNS)} columns behind both stamps, for each of `bar_durations` and `bar_sizes` below. `[sync.output]
bars` turns them on; [synchronizer.md](synchronizer.md) says what a bar is, [lake.md](lake.md) where it lies.

{table(["columns", "formula", "unit", "undefined"], escaped(bar_rows))}
## Options

Keys of `[sync.features]`.

{table(["key", "default", "meaning", "costs"], options)}"""


def escaped(rows: list[list[str]]) -> list[list[str]]:
    """Cells with a bar in them, as Markdown tables want them."""
    return [[cell.replace("|", "\\|") for cell in row] for row in rows]


LAKE_HEADING = "## Tables and columns"
LAKE_NOTES = {
    "tickers": "One row holds the fields of one frame.",
    "others": "What no other table can give back exactly: unknown kinds, secondary quote streams.",
    "sync/orderbooks": "Of the row's books, if `[sync.output]` wants them; `sync/books` has columns as `orderbooks`.",
    "sync/bars": "One table for each kind of bars: `duration=1s`, `duration=500ticks`.",
    "sync/snapshots": "One row per grid row: what the other tables of the grid hold beside it.",
}


def columns_table(columns: Sequence[Column]) -> str:
    """A line per column."""
    from ringcollect.store.schema import is_nullable

    rows = [[f"`{c.name}`", c.type, "yes" if is_nullable(c) else "", str(c.since), c.text] for c in columns]
    return table(["column", "type", "null", "since", "meaning"], rows)


def lake_table(name: str, columns: Sequence[Column]) -> str:
    """Heading, note and columns of one table."""
    note = f"{LAKE_NOTES[name]}\n\n" if name in LAKE_NOTES else ""
    return f"### {name}\n\n{note}{columns_table(columns)}"


def lake_page() -> str:
    """docs/lake.md: what is written by hand up to the heading, and the columns behind it."""
    from ringcollect.store.bar_table import BAR_COLUMNS
    from ringcollect.store.naming import TABLES_OF_CHANNEL, TOKENS
    from ringcollect.store.row_table import columns_of
    from ringcollect.store.schema import COMMON, FRAME_COLUMNS, NATIVE_SYMBOL, SCHEMA_VERSION, TABLES
    from ringcollect.store.snapshot_table import SNAPSHOT_TABLES
    from ringcollect.sync.across import across_dtype
    from ringcollect.sync.catalogue.venues import MADE_OF
    from ringcollect.sync.rows import row_dtype

    by_hand = (Path(__file__).parent / "lake.md").read_text(encoding="utf-8").partition(LAKE_HEADING)[0]
    channels = {table: channel for channel, table in TABLES_OF_CHANNEL.items()}
    names = "\n".join(f"| `{t}` | `{token}` | {channels.get(t, '')} |" for t, token in TOKENS.items())
    tables = [lake_table(table.name, table.columns[len(COMMON) : -1]) for table in TABLES]
    tables.append(lake_table("frames, rejects", FRAME_COLUMNS))
    tables += [lake_table(f"sync/{name}", columns) for name, columns in SNAPSHOT_TABLES.items()]
    tables.append(lake_table("sync/bars", [c._replace(text=escaped([[c.text]])[0][0]) for c in BAR_COLUMNS]))
    rows = columns_of(row_dtype([]))
    return f"""{by_hand}{LAKE_HEADING}

From here on generated from `ringcollect/store/schema.py` by `python docs/generate.py`. This is schema version
{SCHEMA_VERSION}; *since* is the first version that has the column. Times are int64 ns since the epoch, UTC. A
column that may be *null* is absent there, which differs from every value; all others have a value in every row.

| table | token in file names | channel |
|---|---|---|
{names}

Every table of `raw/` and `rest/` begins with these columns and ends with `native_symbol`:

{columns_table([*COMMON, NATIVE_SYMBOL])}
{chr(10).join(tables)}
### sync/features

Before `native_symbol` come the features of the set in catalogue order, float64 ([features.md](features.md)). Counts are
uint64, `fr_next_settlement_delta` is int64; a value that is not defined is null there.

{columns_table(rows)}
### sync/venues

What rows of several exchanges say of each other, a line for each row that was in time; `ts_ns` joins it to
`sync/features` ([decision](decisions/0025-rows-of-several-exchanges.md)). `row_flags` are those of all rows compared.

{columns_table(columns_of(across_dtype(list(MADE_OF))))}"""


PAGES = {"records.md": records_page, "features.md": features_page, "lake.md": lake_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (Path(__file__).parent / name).write_text(page())
