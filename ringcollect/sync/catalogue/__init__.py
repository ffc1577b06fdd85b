"""The catalogue: every column a row can have, in order, and which group of kernels writes it.

What the configuration chooses from it becomes data (a bit mask, offsets, a list of columns): no choice compiles
anything. Nothing here imports a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ringcollect.errors import ConfigError
from ringcollect.sync.catalogue.feature import Feature
from ringcollect.sync.catalogue.groups import GROUPS
from ringcollect.sync.catalogue.options import Options

__all__ = ["FEATURES", "GROUPS", "SETS", "Feature", "Options", "features_with", "select"]


def features_with(options: Options) -> tuple[Feature, ...]:
    """Every column there is with these options, in catalogue order."""
    return tuple(feature for group in GROUPS for feature in group.features(options))


FEATURES = features_with(Options())
"""The columns of the default options."""


def _is_in(feature: Feature, name: str) -> bool:
    return name == "full" or (feature.core if name == "core" else feature.group == "A")


SETS = {name: tuple(f.name for f in FEATURES if _is_in(f, name)) for name in ("minimal", "core", "full")}
"""Named sets, with the default options: ``minimal`` is group A (flags are part of every row), ``full`` everything."""


def select(wanted: Sequence[str], key: str = "sync.features", options: Options | None = None) -> list[str]:
    """Column names for sets, names and wildcards (``["minimal", "ofi*", "rv_{5,60}s"]``), in catalogue order.

    Raises ConfigError naming an entry that matches nothing, and the ``key`` it stands in.
    """
    features = features_with(options) if options else FEATURES
    chosen: set[str] = set()
    for entry in wanted:
        if entry in SETS:
            found = [f.name for f in features if _is_in(f, entry)]
        else:
            patterns = _alternatives(entry)
            found = [f.name for f in features if any(fnmatchcase(f.name, pattern) for pattern in patterns)]
        if not found:
            raise ConfigError(f"{key}: {entry!r} is no set ({', '.join(SETS)}) and matches no feature")
        chosen.update(found)
    return [f.name for f in features if f.name in chosen]


def _alternatives(pattern: str) -> list[str]:
    """``a{1,2}b`` as ``a1b`` and ``a2b``; a brace without its partner stands for itself."""
    head, brace, rest = pattern.partition("{")
    inner, partner, tail = rest.partition("}")
    if not brace or not partner:
        return [pattern]
    return [head + choice + after for choice in inner.split(",") for after in _alternatives(tail)]
