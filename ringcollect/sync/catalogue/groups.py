"""The groups in catalogue order: which kernels there are, what they keep, what they hear."""

from __future__ import annotations

from ringcollect.sync.catalogue import (
    aggregate,
    bands,
    depth,
    derivatives,
    impact,
    order_flow,
    price,
    quality,
    trade_flow,
    volatility,
)
from ringcollect.sync.catalogue.feature import Group
from ringcollect.sync.features import places as at

GROUPS = (
    Group("A", "aggregate", aggregate.FAMILIES, slab=13, hears="TL"),
    Group("B", "price", price.FAMILIES, slab=5, hears="U", deep=True),
    Group("C", "depth", depth.FAMILIES, slab=5, hears="U", deep=True, reads=((at.S_NEAR_BALANCE, 300),)),
    Group("D", "bands", bands.FAMILIES, slab=3, deep=True, reads=((at.S_FIRST_BAND, 300),)),
    Group("F", "impact", impact.FAMILIES, slab=0, deep=True),
    Group(
        "G",
        "order_flow",
        order_flow.FAMILIES,
        slab=88,
        hears="U",
        deep=True,
        reads=(
            (at.S_OFI, "horizons_ns"),
            (at.S_DECAYED_OFI, "horizons_ns"),
            (at.S_OFI, 60),
            (at.S_BEST_DEPTH, 60),
            (at.S_BEST_DEPTH_COUNT, 60),
        ),
    ),
    Group(
        "H",
        "trade_flow",
        trade_flow.FAMILIES,
        slab=365,
        hears="T",
        reads=(
            (at.S_BUY, "horizons_ns"),
            (at.S_SELL, "horizons_ns"),
            (at.S_COUNT, "horizons_ns"),
            (at.S_NOTIONAL, 60),
            (at.S_SIGN_PRODUCTS, 60),
            (at.S_SIGN_PAIRS, 60),
            (at.S_VOLUME, 300),
            (at.S_COUNT, 300),
        ),
    ),
    Group(
        "I",
        "volatility",
        volatility.FAMILIES,
        slab=110,
        reads=(
            (at.S_MID, "horizons_ns"),
            (at.S_RETURN, "horizons_ns"),
            (at.S_MID, 60),
            (at.S_RETURN, 60),
            (at.S_MID_HIGH, 60),
            (at.S_MID_LOW, 60),
            (at.S_HIGHS_5S, 5),
            (at.S_LOWS_5S, 5),
            (at.S_HIGHS_60S, 60),
            (at.S_LOWS_60S, 60),
        ),
    ),
    Group(
        "L",
        "derivatives",
        derivatives.FAMILIES,
        slab=25,
        hears="LS",
        reads=(
            (at.S_BASIS, 300),
            (at.S_INTEREST, 300),
            (at.S_LIQUIDATED, 300),
            (at.S_LIQUIDATED_LONG, 60),
            (at.S_LIQUIDATED_SHORT, 60),
            (at.S_NOTIONAL, 60),
            (at.S_MID, 60),
        ),
    ),
    Group("N", "quality", quality.FAMILIES, slab=12, hears="UT"),
)
"""Every group whose columns are in a row."""
