"""There is no continuity to test: every order book message is complete, and nothing numbers them."""

from __future__ import annotations

from ringcollect.exchanges.unnumbered import follows

__all__ = ["follows"]
