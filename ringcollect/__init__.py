"""ringcollect: a market-data collector with shared-memory rings and certified Parquet."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from ringcollect.ring.attach import attach as attach
    from ringcollect.ring.requests import request_books as request_books
    from ringcollect.store.book_at import book_at as book_at
    from ringcollect.store.datasets import datasets as datasets
    from ringcollect.store.market_snapshot import MarketAggregate as MarketAggregate
    from ringcollect.store.market_snapshot import MarketSnapshot as MarketSnapshot
    from ringcollect.store.scan import scan as scan
    from ringcollect.store.snapshots import snapshots as snapshots
    from ringcollect.store.write import write as write

_PUBLIC = {
    "attach": "ringcollect.ring.attach",
    "request_books": "ringcollect.ring.requests",
    "book_at": "ringcollect.store.book_at",
    "datasets": "ringcollect.store.datasets",
    "MarketAggregate": "ringcollect.store.market_snapshot",
    "MarketSnapshot": "ringcollect.store.market_snapshot",
    "scan": "ringcollect.store.scan",
    "snapshots": "ringcollect.store.snapshots",
    "write": "ringcollect.store.write",
}
"""Public name -> the module that has it, loaded when first asked for: ``import ringcollect`` costs nothing."""


def __getattr__(name: str) -> object:
    """The public functions and types. AttributeError for any other name."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ringcollect' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """What there is to be asked for."""
    return ["__version__", *_PUBLIC]
