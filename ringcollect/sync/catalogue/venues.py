"""Group O: across venues, made of the rows of several exchanges (``ringcollect/sync/across.py``)."""

from __future__ import annotations

from ringcollect.sync.catalogue.feature import Family

FAMILIES = (
    Family(
        ("xv_mid_dev_bps",),
        "1e4·(own mid − median mid)/median",
        "bps",
        "R",
        "row close",
        "NaN if <2 venues",
        "Hasbrouck 1995 setting",
        core=False,
    ),
    Family(("xv_dispersion_bps",), "1e4·(max−min)/median", "bps", "R", "row close", "NaN", "same", core=False),
    Family(
        ("xv_lead_return_1s",),
        "mean of other venues' log_return_1s − own",
        "–",
        "R",
        "1 s",
        "NaN",
        "lead-lag",
        core=False,
    ),
    Family(
        ("xv_ofi_norm_5s",),
        "mean of other venues' ofi_norm_5s",
        "–",
        "R",
        "5 s",
        "NaN",
        "Cont-Cucuringu-Zhang 2023 (cross-impact)",
        core=False,
    ),
)
MID, RETURN, FLOW = "mid_price", "log_return_1s", "ofi_norm_5s"
MADE_OF = {"xv_mid_dev_bps": MID, "xv_dispersion_bps": MID, "xv_lead_return_1s": RETURN, "xv_ofi_norm_5s": FLOW}
"""The column of the rows each is made of; without that (other horizons) there is no such column."""
