"""Where a lake is: a folder or ``s3://bucket/prefix``. The only module that knows the difference.

A :class:`Lake` names its files by *keys*: relative, with ``/``, as in certificates (``raw/trades/exchange=…``). The
object store is reached through pyarrow's own S3 client. Credentials come from the environment only
(:data:`KEY_NAMES`, :data:`SECRET_NAMES`, ``AWS_SESSION_TOKEN``): no file of this host is looked at, no metadata
service asked. pyarrow is loaded when a lake is opened, not with this module.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ringcollect.errors import ConfigError, EnvironmentRefused, LakeError, NotFoundError
from ringcollect.store.durable import fsync_folder, make_folders, temporary_beside, write_all

if TYPE_CHECKING:
    from pyarrow import NativeFile
    from pyarrow.fs import FileSystem, S3FileSystem

SCHEME = "s3://"
KEY_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")
SECRET_NAMES = ("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")
ENDPOINT_NAME = "S3_ENDPOINT"
REGION_NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION")
DEFAULT_REGION = "us-east-1"
PIECE_BYTES = 10 << 20
"""So much is held in memory while a file moves; also the size of pyarrow's upload parts, which ETags depend on."""
_CONNECT_TIMEOUT_S = 5.0
_ATTEMPTS = 2  # of the client itself, within one call; callers that can wait try again on top


class Entry(NamedTuple):
    """One file of a lake. ``mtime_ns`` is when it was written, as the store tells, ns since the epoch."""

    key: str
    bytes: int
    mtime_ns: int


class Tag(NamedTuple):
    """What a store says of a content without sending it: ``etag`` is mostly a hash, and empty in a folder."""

    bytes: int
    etag: str


class Endpoint(NamedTuple):
    """An object store: ``url`` is ``http(s)://host[:port]``, empty for Amazon's own; ``region`` may be empty."""

    url: str = ""
    region: str = ""


def is_remote(uri: str | Path) -> bool:
    """Whether ``uri`` is in an object store."""
    return str(uri).startswith(SCHEME)


@dataclass(frozen=True)
class Lake:
    """One lake. Open with :meth:`open`; picklable without its credentials, which the other process has to have.

    ``root`` is what ``filesystem`` calls it (``bucket/prefix`` or an absolute path), for pyarrow's dataset functions;
    ``folder`` is None in an object store. Every method raises NotFoundError (no such file or bucket),
    EnvironmentRefused (refused, unreachable) or LakeError (anything else the store says), each with the address.
    """

    uri: str
    root: str
    folder: Path | None
    endpoint: Endpoint
    filesystem: FileSystem = field(repr=False, compare=False)
    _secrets: tuple[str, ...] = field(repr=False, compare=False, default=())

    @classmethod
    def open(cls, uri: str | Path, endpoint: Endpoint | None = None, env: Mapping[str, str] | None = None) -> Lake:
        """The lake at ``uri``; nothing is asked or created yet.

        ``endpoint`` goes before ``S3_ENDPOINT`` and ``AWS_REGION`` of ``env`` (default: the process's environment).
        Raises ConfigError for an address that is none, and without credentials.
        """
        env = os.environ if env is None else env
        if not is_remote(uri):
            return cls._of_folder(str(uri))
        bucket, _, prefix = str(uri)[len(SCHEME) :].strip("/").partition("/")
        if not bucket:
            raise ConfigError(f"{uri} names no bucket: s3://bucket/prefix")
        prefix = prefix.strip("/")
        if prefix:
            checked_key(prefix)
        root = f"{bucket}/{prefix}" if prefix else bucket
        said = endpoint or Endpoint()
        endpoint = Endpoint(said.url or env.get(ENDPOINT_NAME, ""), said.region or _first(env, REGION_NAMES))
        secrets = credentials(env)
        return cls(f"{SCHEME}{root}", root, None, endpoint, _store(endpoint, *secrets), tuple(filter(None, secrets)))

    @classmethod
    def _of_folder(cls, text: str) -> Lake:
        if "://" in text:
            raise ConfigError(f"{text} is neither a folder nor s3://bucket/prefix")
        from pyarrow.fs import LocalFileSystem

        folder = Path(text).expanduser().absolute()
        return cls(str(folder), folder.as_posix(), folder, Endpoint(), LocalFileSystem())

    def __reduce__(self) -> tuple[object, ...]:
        return Lake.open, (self.uri, self.endpoint)

    def __str__(self) -> str:
        return self.uri

    def path(self, key: str) -> str:
        """What ``filesystem`` calls the file or folder ``key``; the lake itself for an empty one."""
        return f"{self.root}/{checked_key(key)}" if key else self.root

    def files(self, under: str = "") -> list[Entry]:
        """Every file below the folder ``under``, by key; hidden ones (being written) are left out. Missing: none."""
        from pyarrow.fs import FileSelector, FileType

        with self._asked("list", under):
            selector = FileSelector(self.path(under), recursive=True, allow_not_found=True)
            found = self.filesystem.get_file_info(selector)
        start = len(self.root) + 1
        entries = [
            Entry(info.path[start:], info.size, info.mtime_ns or 0) for info in found if info.type == FileType.File
        ]
        return sorted(entry for entry in entries if not _is_hidden(entry.key))

    def folders(self, under: str = "") -> list[str]:
        """Names of the folders directly in ``under``, sorted; hidden ones are left out. Missing: none."""
        from pyarrow.fs import FileSelector, FileType

        with self._asked("list", under):
            found = self.filesystem.get_file_info(FileSelector(self.path(under), allow_not_found=True))
        names = [info.base_name for info in found if info.type == FileType.Directory]
        return sorted(name for name in names if not name.startswith("."))

    def stat(self, key: str) -> Entry | None:
        """The file ``key``, None if there is none."""
        from pyarrow.fs import FileType

        with self._asked("look at", key):
            info = self.filesystem.get_file_info(self.path(key))
        return Entry(key, info.size, info.mtime_ns or 0) if info.type == FileType.File else None

    def exists(self, key: str) -> bool:
        """Whether there is a file ``key``."""
        return self.stat(key) is not None

    def open_file(self, key: str) -> NativeFile:
        """The file ``key`` for random access reading; close it. Its reads raise plain OSError."""
        with self._asked("open", key):
            return self.filesystem.open_input_file(self.path(key))

    def read(self, key: str) -> bytes:
        """The whole content of ``key``."""
        with self._asked("read", key), self.filesystem.open_input_file(self.path(key)) as file:
            return bytes(file.read())

    def pieces(self, key: str) -> Iterator[bytes]:
        """The content of ``key`` in pieces of :data:`PIECE_BYTES`."""
        with self._asked("read", key), self.filesystem.open_input_stream(self.path(key)) as file:
            while piece := file.read(PIECE_BYTES):
                yield bytes(piece)

    def write(self, key: str, content: bytes) -> None:
        """``key`` holds ``content`` afterwards, or what it held before; never a part."""
        self.write_pieces(key, [content] if content else [])

    def write_pieces(self, key: str, pieces: Iterable[bytes]) -> int:
        """As :meth:`write`, of consecutive pieces (of :data:`PIECE_BYTES`, all but the last); returns the length.

        In a folder: durable under a temporary name, then renamed. In a store: one request, or one multipart upload
        that nobody sees before its end. An error of ``pieces`` itself is raised as it is and leaves no new file; in
        a store it may take the old one along.
        """
        if self.folder is not None:
            with self._asked("write", key):
                return _write_folder(self.folder / checked_key(key), pieces)
        length = 0
        with self._asked("write", key):
            stream = self.filesystem.open_output_stream(self.path(key))
        try:
            for piece in pieces:
                with self._asked("write", key):
                    stream.write(piece)
                length += len(piece)
        except BaseException:
            with contextlib.suppress(OSError):
                stream.close()  # pyarrow cannot abandon an upload, only end it; after its own error this raises
                self.filesystem.delete_file(self.path(key))
            raise
        with self._asked("write", key):
            stream.close()
        return length

    def delete(self, key: str) -> None:
        """Remove ``key``; NotFoundError if it is not there (a store may not tell)."""
        with self._asked("delete", key):
            self.filesystem.delete_file(self.path(key))

    def rename(self, old: str, new: str) -> None:
        """``new`` is what ``old`` was. One step in a folder; copy, then delete in a store: then both may be there."""
        if self.folder is not None:
            with self._asked("rename", old):
                target = self.folder / checked_key(new)
                make_folders(target.parent)
                (self.folder / checked_key(old)).replace(target)
                return fsync_folder(target.parent)
        with self._asked("rename", old):
            self.filesystem.move(self.path(old), self.path(new))
        return None

    def tag(self, key: str) -> Tag | None:
        """Length and ETag of ``key`` in one request, None if it is not there."""
        try:
            with self._asked("look at", key), self.filesystem.open_input_file(self.path(key)) as file:
                length, metadata = file.size(), file.metadata()
        except NotFoundError:
            return None
        return Tag(length, bytes(metadata.get("ETag") or b"").decode(errors="replace").strip('"'))

    @contextlib.contextmanager
    def _asked(self, what: str, key: str) -> Iterator[None]:
        """Errors of the store in our own words, with the address and never with a credential."""
        try:
            yield
        except OSError as error:
            place = f"{self.uri}/{key}" if key else self.uri
            text = _without(str(error), self._secrets)
            if isinstance(error, FileNotFoundError) or _NO_BUCKET in text:
                raise NotFoundError(f"{place} is not there") from error
            reason = next((hint for sign, hint in _HINTS.items() if sign in text), "")
            if reason or self.folder is not None:
                raise EnvironmentRefused(f"cannot {what} {place}: {reason}{text}") from error
            raise LakeError(f"cannot {what} {place}: {text}") from error


_NO_BUCKET = "AWS Error NO_SUCH_BUCKET"
_OLDER = (
    "an older store, which knows no checksum trailers: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required in the "
    "environment; "
)
_HINTS = {
    "AWS Error INVALID_ACCESS_KEY_ID": "the store does not know this access key; ",
    "AWS Error SIGNATURE_DOES_NOT_MATCH": "the secret key is wrong; ",
    "AWS Error ACCESS_DENIED": "refused: wrong secret key, or no permission; ",
    "AWS Error INVALID_SIGNATURE": "refused: wrong secret key; ",
    "RequestTimeTooSkewed": "the clocks of this host and of the store differ too much; ",
    "AWS Error REQUEST_TIME_TOO_SKEWED": "the clocks of this host and of the store differ too much; ",
    "AWS Error NETWORK_CONNECTION": "the store does not answer; ",
    "aws-chunked": _OLDER,
    "MissingContentLength": _OLDER,
    "HTTP status 411": _OLDER,
}


def checked_key(key: str) -> str:
    """``key`` itself. Raises LakeError for one that would leave the lake, or that a folder would call otherwise."""
    if not key or key.startswith("/") or "\0" in key or "\\" in key or str(PurePosixPath(key)) != key.rstrip("/"):
        raise LakeError(f"{key!r} is no name within a lake")
    if ".." in PurePosixPath(key).parts:
        raise LakeError(f"{key!r} would leave the lake")
    return key.rstrip("/")


def _is_hidden(key: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(key).parts)


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((env[name] for name in names if env.get(name)), "")


def _without(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "********")
    return text


def credentials(env: Mapping[str, str]) -> tuple[str, str, str]:
    """Access key, secret key and session token (empty if there is none). ConfigError without the first two."""
    key, secret = _first(env, KEY_NAMES), _first(env, SECRET_NAMES)
    if not (key and secret):
        raise ConfigError(f"no credentials: set {KEY_NAMES[0]} and {SECRET_NAMES[0]} in the environment")
    return key, secret, env.get("AWS_SESSION_TOKEN", "")


def _store(endpoint: Endpoint, key: str, secret: str, token: str) -> S3FileSystem:
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")  # read when the client library starts
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    url = endpoint.url if "://" in endpoint.url or not endpoint.url else f"https://{endpoint.url}"
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.path.strip("/")):
        raise ConfigError("the endpoint of an object store is http(s)://host or http(s)://host:port, nothing more")
    return S3FileSystem(
        access_key=key,
        secret_key=secret,
        session_token=token or None,
        region=endpoint.region or DEFAULT_REGION,
        scheme=parts.scheme or "https",
        endpoint_override=parts.netloc or None,
        connect_timeout=_CONNECT_TIMEOUT_S,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        allow_delayed_open=True,  # one request, not three, for what is smaller than a part
    )


def _write_folder(path: Path, pieces: Iterable[bytes]) -> int:
    make_folders(path.parent)
    temporary = temporary_beside(path)
    length = 0
    try:
        with open(temporary, "wb", buffering=0) as file:
            for piece in pieces:
                write_all(file.fileno(), piece, length)
                length += len(piece)
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_folder(path.parent)
    return length
