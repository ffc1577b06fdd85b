"""What stood before the command: the global options, and the configuration they lead to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringcollect.config import Loaded


@dataclass(frozen=True)
class Invocation:
    """The global options; a command gets it as ``ctx.obj`` (``@click.pass_obj``)."""

    config_path: Path | None = None
    log_level: str | None = None
    log_format: str | None = None

    def load(self, *, profile: str | None = None) -> Loaded:
        """The configuration with these options on top. Raises ConfigError with every problem."""
        from ringcollect.config import load

        log = {"level": self.log_level, "format": self.log_format}
        options = {
            "log": {key: value for key, value in log.items() if value is not None},
            "collector": {} if profile is None else {"profile": profile},
        }
        return load(self.config_path, os.environ, options)
