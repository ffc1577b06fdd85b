"""The published examples of features.md Q."""

from __future__ import annotations

B0 = [(1, p, q) for p, q in ((100.0, 2.0), (99.9, 1.0), (99.8, 3.0), (99.5, 4.0), (99.0, 10.0))] + [
    (-1, p, q) for p, q in ((100.2, 1.0), (100.3, 2.0), (100.5, 1.0), (100.9, 5.0), (101.5, 8.0))
]
"""The book B0 as (side, price, size)."""
