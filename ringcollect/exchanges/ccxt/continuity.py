"""There is no continuity to test: every book is whole, and what ccxt checks itself it answers by ending the stream."""

from __future__ import annotations

from ringcollect.exchanges.unnumbered import follows

__all__ = ["follows"]
