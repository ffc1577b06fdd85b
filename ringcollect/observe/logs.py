"""Logging of one process: structlog, JSON or pretty, to standard error or to a file that changes at midnight UTC.

Everything goes through here, what libraries log through the standard library too, and nothing leaves with a secret
in it. Loggers are taken with ``structlog.get_logger()``.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from ringcollect.config import Log
from ringcollect.config.secrets import MASK, is_secret_name, mask_text
from ringcollect.observe.logfile import DailyFile

NOISY_LIBRARIES = ("asyncio", "websockets", "picows", "aiohttp", "urllib3")
"""They log every frame and request at debug level, which would be the log of the frames, not of the collector."""

_DEEPEST = 5

EventDict = MutableMapping[str, Any]


def configure(log: Log, process: str) -> None:
    """Set up logging for this process; ``process`` stands in every line (``feed binance``, ``sync``).

    May be called again, as a forked child must. Raises EnvironmentRefused when the log file cannot be opened.
    """
    level = logging.getLevelName(log.level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _Stamp(process),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        masked,
    ]
    handler = _handler(log)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(log)],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level)
    for name in NOISY_LIBRARIES:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # a child configures again after the fork
    )


def masked(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """structlog processor: mask fields named like secrets and credentials in addresses, at any depth."""
    for key, value in event.items():
        if not key.startswith("_"):
            event[key] = _masked(key, value, _DEEPEST)
    return event


def _masked(key: str, value: Any, depth: int) -> Any:
    if value is not None and is_secret_name(key):
        return MASK
    if isinstance(value, str):
        return mask_text(value)
    if depth and isinstance(value, dict):
        return {inner: _masked(str(inner), item, depth - 1) for inner, item in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_masked("", item, depth - 1) for item in value]
    if isinstance(value, BaseException):
        return mask_text(f"{type(value).__name__}: {value}")
    return value


class _Stamp:
    """structlog processor: which process speaks."""

    def __init__(self, process: str) -> None:
        self._process = process

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        event["process"] = self._process
        event["pid"] = os.getpid()
        return event


def _handler(log: Log) -> logging.Handler:
    if log.file:
        return DailyFile(Path(log.file).expanduser(), log.retention_days)
    return logging.StreamHandler(sys.stderr)


def _renderer(log: Log) -> Any:
    if log.format == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(timestamp_key="time", colors=not log.file and sys.stderr.isatty())
