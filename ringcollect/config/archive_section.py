"""``[archive]``: sealed segments into an object store. Keys of the store come from the environment only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from ringcollect.config.rules import Duration, Name, OneOf, Url
from ringcollect.durations import parse_duration

MODES = ("off", "s3", "both")
LAYOUTS = ("hive", "flat")


@dataclass(frozen=True)
class Endpoint:
    """The address of an object store, without a path or credentials."""

    allowed: str = 'https://host[:port] or http://host[:port], or "" for S3_ENDPOINT, else Amazon\'s own'

    def holds(self, value: object) -> bool:
        if not Url(("https", "http")).holds(value):
            return False
        parts = urlsplit(str(value))
        return "@" not in parts.netloc and parts.path in ("", "/") and not (parts.query or parts.fragment)


@dataclass(frozen=True)
class Region:
    """The name of a region."""

    allowed: str = 'lower-case letters, digits and "-", or "" for AWS_REGION, else us-east-1'

    def holds(self, value: object) -> bool:
        return re.fullmatch(r"[a-z0-9-]{0,40}", str(value)) is not None


@dataclass(frozen=True)
class Bucket:
    """The name of a bucket, by the rules of S3."""

    allowed: str = '3 to 63 lower-case letters, digits, "-" and ".", or "" for S3_BUCKET'

    def holds(self, value: object) -> bool:
        return value == "" or re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", str(value)) is not None


@dataclass(frozen=True)
class Prefix:
    """The folder of a bucket that holds the lake."""

    allowed: str = 'names of letters, digits and "-._" with "/" between them, or "" for the whole bucket'

    def holds(self, value: object) -> bool:
        return re.fullmatch(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/(?!$)|/?$)){0,20}", str(value)) is not None


@dataclass(frozen=True)
class ServerName(Name):
    """As :class:`Name`, or nothing."""

    allowed: str = f'{Name.allowed}, or "" for none'

    def holds(self, value: object) -> bool:
        return value == "" or super().holds(value)


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """``[archive]``: ``s3`` keeps files there only, ``both`` in both places."""

    mode: Annotated[str, OneOf(MODES)] = "off"
    endpoint: Annotated[str, Endpoint()] = ""
    region: Annotated[str, Region()] = ""
    bucket: Annotated[str, Bucket()] = ""
    prefix: Annotated[str, Prefix()] = ""
    server_name: Annotated[str, ServerName()] = ""
    layout: Annotated[str, OneOf(LAYOUTS)] = "hive"
    interval: Annotated[str, Duration("0s", "1d")] = "0s"

    @property
    def interval_ns(self) -> int:
        """Between two rounds; 0: each segment as soon as it is sealed."""
        return parse_duration(self.interval)
