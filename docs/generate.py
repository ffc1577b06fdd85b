"""Write the generated pages: ``python docs/generate.py``; a test compares them with what is committed."""

from __future__ import annotations

from pathlib import Path

from ringcollect.records import FIELD_MEANING, KIND_MEANING, RECORD, RECORD_BYTES, Channel, Flag, Status, TickerField

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
    Status.CLOCK: "price = offset, size = dispersion, in seconds",
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


PAGES = {"records.md": records_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (Path(__file__).parent / name).write_text(page())
