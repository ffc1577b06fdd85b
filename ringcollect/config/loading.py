"""Find the file, lay profile, file, environment and command line over the defaults, check the whole."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

import msgspec

from ringcollect.config.build import build
from ringcollect.config.check import check, warnings
from ringcollect.config.environment import apply_environment
from ringcollect.config.locate import line_numbers
from ringcollect.config.problems import Path, Problems, spell
from ringcollect.config.profiles import PROFILE_VALUES
from ringcollect.config.schema import Config
from ringcollect.errors import ConfigError

SYSTEM_FILE = FilePath("/etc/ringcollect/config.toml")
_MAX_FILE_BYTES = 4 << 20


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A checked configuration, and where each of its values came from."""

    config: Config
    sources: dict[str, str]
    """Key path to origin: ``default``, ``profile low-power``, ``config.toml:12``, a variable, ``command line``."""
    file: FilePath | None
    """The file that was read; None when there was none and the defaults stand."""
    warnings: tuple[str, ...]

    def require_markets(self) -> Config:
        """The config, for commands that collect; raises ConfigError when it names no market."""
        if self.config.markets:
            return self.config
        if self.file is None:
            raise ConfigError(
                f"no configuration: there is no ./config.toml and no {SYSTEM_FILE}; "
                "`ringcollect config init` writes a commented one, --config PATH or RINGCOLLECT_CONFIG name another"
            )
        raise ConfigError(f"{self.file} has no [[markets]]: nothing to collect")


Options = Mapping[str, Mapping[str, Any]]
"""Values from the command line: ``{"log": {"level": "debug"}}``."""


def load(path: FilePath | None, env: Mapping[str, str], options: Options | None = None) -> Loaded:
    """The configuration of this run.

    ``path`` is ``--config``; without it ``RINGCOLLECT_CONFIG``, ``./config.toml`` and ``/etc/ringcollect/config.toml``
    are tried, and without any the defaults stand (no markets). ``options`` win over everything.
    Raises ConfigError that lists every problem.
    """
    file = find_file(path, env)
    text = _read(file) if file is not None else ""
    return parse(text, str(file) if file is not None else "", env=env, options=options, file=file)


def parse(
    text: str,
    name: str = "config.toml",
    *,
    env: Mapping[str, str] | None = None,
    options: Options | None = None,
    file: FilePath | None = None,
) -> Loaded:
    """As :func:`load`, of a TOML text; ``name`` stands for it in messages."""
    raw = _parse_toml(text, name)
    problems = Problems()
    problems.places = {path: f"{name}:{line}" for path, line in line_numbers(text).items()}
    for path in _leaves(raw):
        problems.origins[path] = problems.places.get(path, name)
    apply_environment(raw, env or {}, problems)
    for section, values in (options or {}).items():
        for key, value in values.items():
            raw.setdefault(section, {})
            if isinstance(raw[section], dict):
                raw[section][key] = value
                problems.origins[section, key] = "command line"
    _apply_profile(raw, problems)
    config = build(Config, raw, (), problems)
    check(config, problems)
    problems.raise_if_any()
    sources = {spell(path): problems.origin(path) for path in _leaves(msgspec.to_builtins(config))}
    return Loaded(config=config, sources=sources, file=file, warnings=warnings(config))


def find_file(path: FilePath | None, env: Mapping[str, str]) -> FilePath | None:
    """The first of ``--config``, ``RINGCOLLECT_CONFIG``, ``./config.toml``, ``/etc/ringcollect/config.toml``.

    A file that was named must exist: raises ConfigError.
    """
    named = path if path is not None else FilePath(env["RINGCOLLECT_CONFIG"]) if env.get("RINGCOLLECT_CONFIG") else None
    if named is None:
        return next((file for file in (FilePath("config.toml"), SYSTEM_FILE) if file.is_file()), None)
    named = named.expanduser()
    if not named.is_file():
        by = "--config" if path is not None else "RINGCOLLECT_CONFIG"
        raise ConfigError(f"{by} names {named}, which is not a file; `ringcollect config init PATH` writes one")
    return named


def _read(file: FilePath) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from error
    if len(content) > _MAX_FILE_BYTES:
        raise ConfigError(f"{file} is longer than {_MAX_FILE_BYTES >> 20} MiB: not a configuration")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{file}:{line}: byte {content[error.start]:#04x} is not UTF-8, which TOML must be"
        ) from error


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and integers of thousands of digits
        raise ConfigError(f"{name} is not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{name} is not a configuration: values nested hundreds of levels deep") from error


def _apply_profile(raw: dict[str, Any], problems: Problems) -> None:
    """Put the profile's values under what is already set."""
    collector = raw.get("collector")
    profile = collector.get("profile", "default") if isinstance(collector, dict) else "default"
    if not isinstance(profile, str):
        return
    for section, values in PROFILE_VALUES.get(profile, {}).items():
        table = raw.setdefault(section, {})
        for key, value in values.items():
            if isinstance(table, dict) and key not in table:
                table[key] = copy.copy(value)
                problems.origins[section, key] = f"profile {profile}"


def _leaves(node: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of all values; an array of plain values is one value."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, (*path, key))
    elif isinstance(node, list | tuple) and node and all(isinstance(item, dict) for item in node):
        for number, item in enumerate(node):
            yield from _leaves(item, (*path, number))
    else:
        yield path
