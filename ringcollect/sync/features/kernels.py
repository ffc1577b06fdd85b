"""From the catalogue's groups to their compiled kernels: only those that run are compiled or loaded."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

import numpy as np

from ringcollect.sync.catalogue.feature import Group
from ringcollect.sync.catalogue.plan import Plan
from ringcollect.sync.features import core
from ringcollect.sync.features import places as at
from ringcollect.sync.layout import MAX_GROUPS, P_CORE, P_GROUPS


def kernel_addresses(groups: Sequence[Group]) -> np.ndarray:
    """Where each group's kernel begins, int64[MAX_GROUPS]; 0 for those that do not run.

    Group A is called directly, since every row has it; in its place stands the core's kernel.
    """
    addresses = np.zeros(MAX_GROUPS, np.int64)
    for group in groups:
        if group.letter != "A":
            module = import_module(f"ringcollect.sync.features.{group.module}")
            addresses[group.index] = module.KERNEL.address
            addresses[0] = core.KERNEL.address
    return addresses


def begin_features(floats: np.ndarray, plan: Plan) -> None:
    """Put the state of new instruments (rows of ``floats``) where "nothing known yet" is not 0."""
    core = plan.words[P_CORE - P_GROUPS]
    if core:
        floats[:, plan.nan_from :] = np.nan
        names = (at.C_MID, at.C_SPREAD, at.C_ROW_MID, at.C_OPEN, at.C_HIGH, at.C_LOW, at.C_LAST_PRICE)
        floats[:, [core + name for name in names]] = np.nan
