"""A real S3 server: SeaweedFS, of pinned version and content (requirements.txt), every port on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.servers.process import Server, answers, free_ports

WEED_SHA256 = {"x86_64": "8dc07b173ff9ad6068a601213174f6009cf7e66684e88d87f0fa20da3dbff876"}
KEY, SECRET, ADMIN = "testkey", "testsecret", "adminkey"
_NAMES = ("master", "master_grpc", "volume", "volume_grpc", "filer", "filer_grpc", "s3", "s3_grpc")


def weed() -> Path:
    """The binary; skips where it is not installed."""
    beside = Path(sys.executable).with_name("weed")
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        pytest.skip("SeaweedFS is not installed: `make test-servers` installs it")
    path = Path(found).resolve()
    expected = WEED_SHA256.get(os.uname().machine)
    if expected is not None:
        with path.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == expected, f"{path} is not the pinned version"
    return path


def _credential(key: str, secret: str) -> dict[str, str]:
    return {"accessKey": key, "secretKey": secret}


class Seaweed:
    """A server with one user, who may read, write and list; start and kill it as often as you like."""

    def __init__(self, binary: Path, data: Path | None = None) -> None:
        """``data`` is the folder of its volumes (default: its own), so that a small file system can be given."""
        self.home = Path(tempfile.mkdtemp(prefix="ringcollect-weed-"))
        self.home.chmod(0o755)
        own = self.home / "data"
        own.mkdir()
        self._ports = dict(zip(_NAMES, free_ports(len(_NAMES)), strict=True))
        identities = [  # for an administrator it makes every bucket that is missing: ours must not be one
            {"name": "test", "credentials": [_credential(KEY, SECRET)], "actions": ["Read", "Write", "List"]},
            {"name": "admin", "credentials": [_credential(ADMIN, SECRET)], "actions": ["Admin"]},
        ]
        config = self.home / "s3.json"
        config.write_text(json.dumps({"identities": identities}))
        command = self.home / "weed"  # nobody may not look into every folder a virtual environment is in
        shutil.copyfile(binary, command)
        command.chmod(0o755)
        p = self._ports
        self._server = Server(
            [
                str(command), "-logtostderr=true", "server", f"-dir={data or own}",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                f"-master.port={p['master']}", f"-master.port.grpc={p['master_grpc']}",
                "-master.telemetry=false", "-master.electionTimeout=1s", "-master.volumeSizeLimitMB=64",
                f"-volume.port={p['volume']}", f"-volume.port.grpc={p['volume_grpc']}",
                "-volume.max=2000", "-volume.preStopSeconds=0",
                "-filer", f"-filer.port={p['filer']}", f"-filer.port.grpc={p['filer_grpc']}",
                "-s3", f"-s3.port={p['s3']}", f"-s3.port.grpc={p['s3_grpc']}",
                "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={config}",
            ],
            self.home / "log",
            owned=[self.home, own, *([data] if data else [])],
        )  # fmt: skip

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._ports['s3']}"

    @property
    def env(self) -> dict[str, str]:
        """What a client needs in its environment."""
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "S3_ENDPOINT": self.endpoint}

    def start(self) -> None:
        """Start it; the first request for a bucket is answered when this returns."""
        home = {"HOME": str(self.home), "PATH": os.environ["PATH"], "TMPDIR": str(self.home)}
        self._server.start(self._is_ready, env=home)

    def make_bucket(self, name: str) -> None:
        """Create a bucket, through the same client as everything else."""
        self._filesystem().create_dir(name)

    def kill(self) -> None:
        """SIGKILL: what was acknowledged is on disk."""
        self._server.kill()

    def freeze(self) -> None:
        """It keeps its connections and answers nothing; ``thaw`` ends that."""
        self._server.freeze()

    def thaw(self) -> None:
        """Let it answer again."""
        self._server.thaw()

    def close(self) -> None:
        """End it and remove all it had."""
        self.kill()
        shutil.rmtree(self.home)
        for port in self._ports.values():
            for leftover in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
                leftover.unlink(missing_ok=True)

    def said(self) -> str:
        """The end of its log."""
        return self._server.said()

    def _filesystem(self) -> Any:
        from pyarrow.fs import S3FileSystem

        return S3FileSystem(
            access_key=ADMIN, secret_key=SECRET, endpoint_override=self.endpoint.removeprefix("http://"), scheme="http",
            region="us-east-1", allow_bucket_creation=True,
        )  # fmt: skip

    def _is_ready(self) -> bool:
        if not answers(self._ports["s3"]):
            return False
        try:
            self._filesystem().create_dir("is-it-ready")
            with self._filesystem().open_output_stream("is-it-ready/yes") as file:
                file.write(b"yes")
        except OSError:
            return False
        return True
