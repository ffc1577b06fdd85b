"""The groups in catalogue order: which kernels there are, what they keep, what they hear."""

from __future__ import annotations

from ringcollect.sync.catalogue import aggregate, price
from ringcollect.sync.catalogue.feature import Group

GROUPS = (
    Group("A", "aggregate", aggregate.FAMILIES, slab=13, hears="TL"),
    Group("B", "price", price.FAMILIES, slab=5, hears="U", deep=True),
)
"""Every group whose columns are in a row."""
