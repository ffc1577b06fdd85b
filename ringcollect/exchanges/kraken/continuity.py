"""Nothing numbers Kraken's books: what is missing shows in the checksum, which the synchronizer compares."""

from __future__ import annotations

from ringcollect.exchanges.unnumbered import follows

__all__ = ["follows"]
