"""Where the archive is and how, from ``[archive]`` and the environment."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import NamedTuple

from ringcollect.config import Config
from ringcollect.errors import ConfigError
from ringcollect.store.archive.keys import Keys
from ringcollect.store.location import ENDPOINT_NAME, REGION_NAMES, SCHEME, Endpoint, Lake, is_remote

BUCKET_NAME = "S3_BUCKET"


class Target(NamedTuple):
    """One archive. ``uri`` is mostly ``s3://bucket/prefix``; a folder (another disk) works the same."""

    uri: str
    endpoint: Endpoint = Endpoint()
    keys: Keys = Keys()

    @property
    def mark(self) -> str:
        """Eight characters that stand for this archive in the names of marks: another archive has other ones."""
        return hashlib.sha256(repr((self.uri, self.endpoint.url, tuple(self.keys))).encode()).hexdigest()[:8]

    def open(self) -> Lake:
        """The archive as a lake. Raises ConfigError without credentials."""
        return Lake.open(self.uri, self.endpoint if is_remote(self.uri) else None)


def target_of(config: Config, env: Mapping[str, str] | None = None) -> Target | None:
    """The archive of ``config``, None if it is off. ConfigError if it is on and no bucket is named anywhere."""
    return None if config.archive.mode == "off" else named_target(config, env)


def named_target(config: Config, env: Mapping[str, str] | None = None) -> Target:
    """The archive that ``config`` and ``env`` name, also while its mode is off. ConfigError if no bucket is named."""
    archive = config.archive
    env = os.environ if env is None else env
    bucket = archive.bucket or env.get(BUCKET_NAME, "")
    if not bucket:
        raise ConfigError(
            f"archive.bucket: is not set, nor is {BUCKET_NAME} in the environment; mode is {archive.mode}"
        )
    region = archive.region or next((env[name] for name in REGION_NAMES if env.get(name)), "")
    endpoint = Endpoint(archive.endpoint or env.get(ENDPOINT_NAME, ""), region)
    prefix = archive.prefix.strip("/")
    uri = f"{SCHEME}{bucket}/{prefix}" if prefix else f"{SCHEME}{bucket}"
    return Target(uri, endpoint, Keys(archive.layout, archive.server_name))
