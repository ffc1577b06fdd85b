"""An older S3 store: OpenStack Swift with s3api, from Debian (`apt-get install swift-proxy swift-account …`).

It knows none of the checksum trailers that today's clients send, and refuses them with HTTP 501. One proxy, one of
each backend server, one device, every port on loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.servers.process import Server, answers, free_ports

KEY, SECRET = "test:tester", "testing"
PYTHON = "/usr/bin/python3"  # the one whose packages Debian's are
KINDS = ("account", "container", "object")
PROGRAMS = (
    "swift-proxy-server",
    "swift-ring-builder",
    "swift-account-server",
    "swift-container-server",
    "swift-object-server",
)
_START = (  # as Debian's own scripts do it, but for the folder of swift.conf
    "import sys; from swift.common import utils; utils.set_swift_dir({home!r}); from swift.common.wsgi import run_wsgi;"
    "from swift.obj import server; more = {{'global_conf_callback': server.global_conf_callback}};"
    "sys.exit(run_wsgi(sys.argv[1], '{kind}-server', **(more if '{kind}' == 'object' else {{}})))"
)


def make(endpoint: str, bucket: str) -> None:
    """Create a bucket, through the same client as everything else, as soon as the store can."""
    from pyarrow.fs import S3FileSystem

    client = S3FileSystem(
        access_key=KEY, secret_key=SECRET, endpoint_override=endpoint.removeprefix("http://"), scheme="http",
        region="us-east-1", allow_bucket_creation=True,
    )  # fmt: skip
    end_s = time.monotonic() + 30
    while True:
        try:
            client.create_dir(bucket)
            return
        except OSError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.2)


def require_swift() -> None:
    """Skip where it is not installed."""
    missing = [name for name in (*PROGRAMS, "memcached") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"Swift is not installed ({', '.join(missing)}): apt-get install swift-proxy swift-account "
                    "swift-container swift-object memcached")  # fmt: skip


class Swift:
    """One account with one user, who may do everything in it."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="ringcollect-swift-"))
        self.home.chmod(0o755)
        ports = free_ports(len(KINDS) + 2)
        self._ports = dict(zip((*KINDS, "proxy", "memcached"), ports, strict=True))
        (self.home / "devices" / "sdb1").mkdir(parents=True)
        (self.home / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = test\n")
        for kind in KINDS:
            self._build_ring(kind)
            self._write(
                kind, f"[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n"
            )
        self._write(
            "proxy",
            "[pipeline:main]\npipeline = catch_errors cache s3api tempauth slo dlo proxy-server\n"
            "[app:proxy-server]\nuse = egg:swift#proxy\nallow_account_management = true\naccount_autocreate = true\n"
            f"[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:{self._ports['memcached']}\n"
            "[filter:catch_errors]\nuse = egg:swift#catch_errors\n[filter:slo]\nuse = egg:swift#slo\n"
            "[filter:dlo]\nuse = egg:swift#dlo\n"
            "[filter:s3api]\nuse = egg:swift#s3api\nlocation = us-east-1\nauto_storage_policy = false\n"
            "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = testing .admin\n",
        )
        owned = [self.home, *self.home.rglob("*")]
        memcached = ["memcached", "-l", "127.0.0.1", "-p", str(self._ports["memcached"]), "-U", "0"]
        self._servers = {"memcached": Server(memcached, self.home / "memcached.log", owned=owned)}
        for kind in (*KINDS, "proxy"):
            code = _START.format(home=str(self.home), kind=kind)
            command = [PYTHON, "-c", code, str(self.home / f"{kind}.conf")]
            self._servers[kind] = Server(command, self.home / f"{kind}.log")

    @property
    def endpoint(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._ports['proxy']}"

    @property
    def env(self) -> dict[str, str]:
        """What a client needs in its environment."""
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "S3_ENDPOINT": self.endpoint}

    def start(self) -> None:
        """Start all of it; a bucket can be made when this returns."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home)}
        for server in self._servers.values():
            server.start(lambda: True, env=env)
        for name, server in self._servers.items():
            server.wait(lambda port=self._ports[name]: answers(port))  # type: ignore[misc]

    def close(self) -> None:
        """End it and remove all it had."""
        for server in self._servers.values():
            server.kill()
        shutil.rmtree(self.home)

    def said(self) -> str:
        """The ends of its logs."""
        return "\n".join(server.said() for server in self._servers.values())

    def _build_ring(self, kind: str) -> None:
        builder = str(self.home / f"{kind}.builder")
        place = f"r1z1-127.0.0.1:{self._ports[kind]}/sdb1"
        for step in (["create", "1", "1", "0"], ["add", place, "1"], ["rebalance"]):
            done = subprocess.run(["swift-ring-builder", builder, *step], check=False, capture_output=True, text=True)
            assert done.returncode < 2, done.stdout + done.stderr

    def _write(self, kind: str, text: str) -> None:
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "")
        common = (
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self._ports[kind]}\nworkers = 0\nuser = {user}\n"
            f"swift_dir = {self.home}\ndevices = {self.home / 'devices'}\nmount_check = false\n"
            "log_name = swift\nlog_level = INFO\nlog_address = /nowhere\n"
        )
        (self.home / f"{kind}.conf").write_text(common + text)
