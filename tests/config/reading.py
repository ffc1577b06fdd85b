"""How these tests read a configuration: the problems as a list, one valid market to build on."""

from __future__ import annotations

import pytest

from ringcollect.config import Loaded, parse
from ringcollect.errors import ConfigError

SPOT = '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\n'
LINEAR = '[[markets]]\nexchange = "binance"\nmarket = "linear"\nsymbols = ["BTCUSDT"]\n'


def problems(text: str, env: dict[str, str] | None = None) -> list[str]:
    """The lines of the one error that ``text`` gives."""
    with pytest.raises(ConfigError) as caught:
        parse(text, env=env)
    head, *lines = str(caught.value).splitlines()
    assert head.startswith("the configuration has ")
    return [line.removeprefix("  ") for line in lines]


def fine(text: str, env: dict[str, str] | None = None) -> Loaded:
    """The loaded configuration of a text without problems."""
    return parse(text, env=env)
