"""ringcollect: a market-data collector with shared-memory rings and certified Parquet."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Public functions are loaded when first asked for, so that ``import ringcollect`` costs nothing."""
    if name == "attach":
        from ringcollect.ring.attach import attach

        return attach
    if name == "request_books":
        from ringcollect.ring.requests import request_books

        return request_books
    if name == "snapshots":
        from ringcollect.store.snapshots import snapshots

        return snapshots
    if name == "scan":
        from ringcollect.store.scan import scan

        return scan
    if name == "write":
        from ringcollect.store.write import write

        return write
    if name == "book_at":
        from ringcollect.store.book_at import book_at

        return book_at
    if name in ("MarketSnapshot", "MarketAggregate"):
        from ringcollect.store import market_snapshot

        return getattr(market_snapshot, name)
    raise AttributeError(f"module 'ringcollect' has no attribute {name!r}")
