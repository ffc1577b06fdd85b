"""What is wrong with a configuration: every problem with the key's path, what was found, what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from ringcollect.config.secrets import mask
from ringcollect.errors import ConfigError

Path = tuple[str | int, ...]
"""A key: names and array positions from the top."""

_LONGEST_FOUND = 80
_MOST_NAMES = 12


def spell(path: Path) -> str:
    """``("markets", 1, "symbols", 0)`` as ``markets[1].symbols[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def found(path: Path, value: object) -> str:
    """``value`` for a message: short, on one line, secrets masked."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, int) and value.bit_length() > 128:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    text = json.dumps(mask(path, value)) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_FOUND else f"{text[:_LONGEST_FOUND]}... ({len(text)} characters)"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for a word that is not known: the nearest known one, or all of them."""
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower()[:60], by_lower, n=1, cutoff=0.5)
    if close:
        return f'did you mean "{by_lower[close[0]]}"?'
    names = list(by_lower.values())
    return f"known here: {', '.join(names[:_MOST_NAMES])}{', ...' if len(names) > _MOST_NAMES else ''}"


@dataclass
class Problems:
    """The problems found so far, and where each key came from."""

    origins: dict[Path, str] = field(default_factory=dict)
    """Key to the file and line, variable or option that set it; keys that nothing set are not in here."""
    places: dict[Path, str] = field(default_factory=dict)
    """Table or key to the line where it stands, for messages about what is missing in it."""
    _lines: list[tuple[Path, str]] = field(default_factory=list)

    def add(self, path: Path, what: str) -> None:
        """Note that ``path`` is wrong, in words."""
        self._lines.append((path, what))

    def mismatch(self, path: Path, value: object, allowed: str) -> None:
        """Note that ``value`` is not among what is allowed."""
        self.add(path, f"found {found(path, value)}; allowed: {allowed}")

    def touches(self, *paths: Path) -> bool:
        """Whether one of ``paths``, or a key below or above it, is already known to be wrong."""
        return any(
            path[: len(bad)] == bad or bad[: len(path)] == path for path in paths for bad, _ in self._lines if bad
        )

    def origin(self, path: Path) -> str:
        """Where ``path`` (or the array it is in) was set, "default" if nowhere."""
        return _innermost(path, self.origins) or "default"

    def raise_if_any(self) -> None:
        """Raise one ConfigError that lists every problem, in the order of the keys' origins."""
        if not self._lines:
            return
        listed = dict.fromkeys(self._line(path, what) for path, what in self._lines)
        count = "1 problem" if len(listed) == 1 else f"{len(listed)} problems"
        raise ConfigError(f"the configuration has {count}:\n" + "\n".join(f"  {line}" for line in listed))

    def _line(self, path: Path, what: str) -> str:
        where = _innermost(path, self.origins) or _innermost(path, self.places)
        parts = (where, spell(path), what)
        return ": ".join(part for part in parts if part)


def _innermost(path: Path, known: dict[Path, str]) -> str | None:
    """What is known of ``path``, else of the nearest table or array around it."""
    return next((known[path[:end]] for end in range(len(path), 0, -1) if path[:end] in known), None)
