"""What one value may be: each rule says what is allowed, in words, and finds what is wrong.

Rules hang on the fields of the schema as ``Annotated[str, Duration(...)]``; a rule sees a value of the right
type already and returns True when the value is fine.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from ringcollect.bar_kinds import bar_of_size
from ringcollect.config.secrets import is_secret_name
from ringcollect.config.unified import is_unified
from ringcollect.durations import format_duration, parse_duration

MAX_SYMBOL_BYTES = 63
"""What fits into the symbol field of an instrument row with its closing zero."""


class Rule(Protocol):
    """A constraint on one value."""

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""

    def holds(self, value: object) -> bool:
        """Whether ``value``, of the field's type, is allowed."""


@dataclass(frozen=True)
class Range:
    """A number between two bounds, both included; NaN is outside every range."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        return f"{self.low} to {self.high}"

    def holds(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True)
class PowerOfTwo:
    """A power of two between two bounds, both included."""

    low: int
    high: int

    @property
    def allowed(self) -> str:
        return f"a power of two from {self.low} to {self.high}"

    def holds(self, value: object) -> bool:
        return isinstance(value, int) and self.low <= value <= self.high and value.bit_count() == 1


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return " | ".join(f'"{word}"' for word in self.words)

    def holds(self, value: object) -> bool:
        return value in self.words


@dataclass(frozen=True)
class Duration:
    """A duration between two bounds, both included; with ``optional`` the empty text is allowed too."""

    low: str
    high: str
    optional: bool = False

    @property
    def allowed(self) -> str:
        empty = ', or "" for the default' if self.optional else ""
        return f"a duration from {self.low} to {self.high} (a number and ns us ms s m h d){empty}"

    def holds(self, value: object) -> bool:
        if value == "":
            return self.optional
        try:
            ns = parse_duration(str(value))
        except ValueError:
            return False
        return parse_duration(self.low) <= ns <= parse_duration(self.high)

    def canonical(self, value: str) -> str:
        """``value`` in its shortest spelling: grids of equal length must give rings of equal name."""
        return format_duration(parse_duration(value)) if value else value


@dataclass(frozen=True)
class BarSize:
    """How much a bar holds that is not one of time."""

    allowed: str = "a number of ticks (trades), base or quote units a bar ends with: 500ticks, 10base, 1000000quote"

    def holds(self, value: object) -> bool:
        try:
            bar_of_size(str(value))
        except ValueError:
            return False
        return True

    def canonical(self, value: str) -> str:
        """``value`` in its shortest spelling, which names rings and folders."""
        return bar_of_size(value).name


@dataclass(frozen=True)
class Name:
    """A short word that may stand in file names, metrics and process titles."""

    allowed: str = "1 to 40 letters, digits, '-', '_' or '.', starting with a letter or digit"

    def holds(self, value: object) -> bool:
        return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", str(value)) is not None


@dataclass(frozen=True)
class FeatureChoice:
    """A set, a feature or a wildcard; whether the catalogue has it is asked where the catalogue is known."""

    allowed: str = "a feature set (minimal, core, full), a feature's name, or one with wildcards (trade_*, rv_{5,60}s)"

    def holds(self, value: object) -> bool:
        return re.fullmatch(r"[a-zL0-9_*?{},]{1,60}", str(value)) is not None


@dataclass(frozen=True)
class StreamChoice:
    """The exchange's own name of a stream; which ones a market has is asked where markets are known."""

    allowed: str = 'a stream of the market, or "" for the usual one'

    def holds(self, value: object) -> bool:
        return re.fullmatch(r"[A-Za-z0-9@._-]{0,40}", str(value)) is not None


@dataclass(frozen=True)
class FolderOrFile:
    """A path of this host; with ``optional`` the empty text is allowed too."""

    optional: bool = False

    @property
    def allowed(self) -> str:
        return "a path without control characters" + (', or "" for the default' if self.optional else "")

    def holds(self, value: object) -> bool:
        text = str(value)
        return (bool(text.strip()) or (self.optional and not text)) and len(text) <= 1000 and _printable(text)


@dataclass(frozen=True)
class Symbol:
    """An instrument in the exchange's own, lower-case or unified spelling."""

    allowed: str = f"1 to {MAX_SYMBOL_BYTES} bytes of UTF-8 without blanks or control characters"

    def holds(self, value: object) -> bool:
        text = str(value)
        try:
            size = len(text.encode())
        except UnicodeEncodeError:  # a lone surrogate, which an environment variable can bring in
            return False
        return 0 < size <= MAX_SYMBOL_BYTES and _printable(text) and not any(c.isspace() for c in text)


@dataclass(frozen=True)
class Url:
    """An address with one of the given schemes and a host; the empty text means the exchange's own."""

    schemes: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return " or ".join(f"{scheme}://host[:port][/path]" for scheme in self.schemes) + ', or "" for the default'

    def holds(self, value: object) -> bool:
        text = str(value)
        if not text:
            return True
        try:
            parts = urlsplit(text)
            port_is_a_number = parts.port is None or parts.port > 0
        except ValueError:
            return False
        return (
            parts.scheme in self.schemes
            and bool(parts.hostname)
            and port_is_a_number
            and len(text) <= 1000
            and _printable(text)
            and " " not in text
        )


@dataclass(frozen=True)
class ExchangeName:
    """One of ours, or one that ccxt reaches; whether ccxt has it is asked where it is installed."""

    own: tuple[str, ...]

    @property
    def allowed(self) -> str:
        return " | ".join(f'"{name}"' for name in self.own) + ' | "ccxt_" and the name of a ccxt class ("ccxt_kucoin")'

    def holds(self, value: object) -> bool:
        return value in self.own or is_unified(str(value))


@dataclass(frozen=True)
class LowerName:
    """A name of lower-case letters and digits."""

    allowed: str = "2 to 30 lower-case letters and digits"

    def holds(self, value: object) -> bool:
        return re.fullmatch(r"[a-z0-9]{2,30}", str(value)) is not None


@dataclass(frozen=True)
class Passed:
    """A table that is handed to another library as it is: plain values, no secrets."""

    allowed: str = "a table of plain values without keys named like secrets, which come from the environment only"

    def holds(self, value: object) -> bool:
        return _is_plain(value, 8)


@dataclass(frozen=True)
class Addresses:
    """A tree of tables whose leaves are addresses, as ccxt's ``urls``."""

    allowed: str = "tables of addresses (wss://, ws://, https:// or http://)"

    def holds(self, value: object) -> bool:
        if isinstance(value, dict):
            return all(self.holds(one) for one in value.values())
        return isinstance(value, str) and bool(value) and Url(("wss", "ws", "https", "http")).holds(value)


@dataclass(frozen=True)
class Proxy:
    """An address as :class:`Url`, with a port and without credentials: those are secrets, and come otherwise."""

    schemes: tuple[str, ...]

    @property
    def allowed(self) -> str:
        words = " or ".join(f"{scheme}://host:port" for scheme in self.schemes)
        return f'{words}, user and password in RINGCOLLECT_PROXY_AUTH, or "" for none'

    def holds(self, value: object) -> bool:
        text = str(value)
        if not text:
            return True
        if not Url(self.schemes).holds(text):
            return False
        parts = urlsplit(text)
        return parts.port is not None and "@" not in parts.netloc and parts.path in ("", "/") and not parts.query


@dataclass(frozen=True)
class Host:
    """An address to listen on."""

    allowed: str = "an IP address or host name, as in 127.0.0.1"

    def holds(self, value: object) -> bool:
        return re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", str(value)) is not None


def _is_plain(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(not is_secret_name(key) and _is_plain(one, depth - 1) for key, one in value.items())
    if isinstance(value, list):
        return depth > 0 and all(_is_plain(one, depth - 1) for one in value)
    return isinstance(value, str | bool | int | float)


def _printable(text: str) -> bool:
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
