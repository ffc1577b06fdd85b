"""The commented default ``config.toml``: one file at the top of the repository, a copy of it in every wheel."""

from __future__ import annotations

from pathlib import Path

from ringcollect.errors import EnvironmentRefused


def default_text() -> str:
    """The text of the default configuration. Raises EnvironmentRefused when the installation lacks it."""
    packaged = Path(__file__).with_name("default.toml")  # put there by the wheel's build
    checkout = Path(__file__).parents[2] / "config.toml"
    for file in (packaged, checkout):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise EnvironmentRefused(f"the default configuration is missing from this installation: no {packaged}")
