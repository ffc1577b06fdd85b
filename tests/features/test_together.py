"""Groups do not get in each other's way: a column is the same number whoever else runs."""

from __future__ import annotations

import numpy as np
import pytest

from ringcollect.sync import catalogue
from ringcollect.sync.catalogue import GROUPS, Options
from ringcollect.sync.catalogue.feature import Group

from ..sync.streams import engine, run
from .invented import SECOND, invented

OPTIONS = Options(vpin_bucket_volume=0.5)
ALL = tuple(f.name for f in catalogue.FEATURES)


def rows(columns: tuple[str, ...]) -> np.ndarray:
    made = engine(grid=SECOND, hold_back=SECOND // 4, max_future_skew_ns=0, columns=columns, options=OPTIONS)
    return run(made, invented(90))


@pytest.fixture(scope="module")
def together() -> np.ndarray:
    """Every column."""
    return rows(ALL)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.module)
def test_a_group_alone_writes_what_it_writes_beside_the_others(together: np.ndarray, group: Group) -> None:
    names = tuple(f.name for f in catalogue.FEATURES if f.group == group.letter)
    alone = rows(names)
    assert len(alone) == len(together) > 80
    for name in names:
        assert alone[name].tobytes() == together[name].tobytes(), name


@pytest.mark.parametrize("seed", range(5))
def test_any_choice_of_columns_gives_the_same_numbers(together: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = tuple(name for name in ALL if rng.random() < 0.02)
    some = rows(names)
    for name in names:
        assert some[name].tobytes() == together[name].tobytes(), name
