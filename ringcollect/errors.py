"""What can go wrong, for people: each message says what happened, where, and what to do."""

from __future__ import annotations


class RingcollectError(Exception):
    """Base of every error this package raises on purpose. ``exit_code`` is the CLI's (docs: cli.md)."""

    exit_code = 1


class ConfigError(RingcollectError):
    """A configuration that cannot be used; the message lists every problem with its key path."""

    exit_code = 2


class NotFoundError(RingcollectError):
    """A ring, file or process that is not there."""

    exit_code = 3


class EnvironmentRefused(RingcollectError):
    """The host refuses: permission, tmpfs size, disk, lock held by another process."""

    exit_code = 4


class RingError(RingcollectError):
    """A ring file that is not one of ours, of another version, truncated, or misused."""


class RingReset(RingError):
    """The ring under this reader was replaced by a new generation: attach again."""


class LakeError(RingcollectError):
    """A journal, segment or sidecar that is not what it claims to be."""


class RejectedFrame(RingcollectError):
    """A frame that is not what the exchange's documentation says; ``reason`` is one short line."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
