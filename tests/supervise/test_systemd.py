"""What systemd hears, on a real datagram socket; and whether it would take our unit."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringcollect.supervise.systemd import Notifier

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNIT = SYSTEMD / "ringcollect.service"


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        listener.settimeout(5)
        yield listener, path


def test_ready_status_watchdog_and_stopping_arrive_as_systemd_spells_them(systemd: tuple[socket.socket, str]) -> None:
    listener, path = systemd
    notifier = Notifier({"NOTIFY_SOCKET": path})
    notifier.ready()
    notifier.status("READY\n2 feeds")
    notifier.watchdog()
    notifier.stopping()
    assert [listener.recv(1000) for _ in range(4)] == [
        f"READY=1\nMAINPID={os.getpid()}".encode(),
        b"STATUS=READY 2 feeds",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]
    notifier.close()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
def test_an_abstract_socket_is_spoken_to() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"ringcollect-test-{os.getpid()}"
        listener.bind("\0" + name)
        notifier = Notifier({"NOTIFY_SOCKET": "@" + name})
        notifier.watchdog()
        listener.settimeout(5)
        assert listener.recv(100) == b"WATCHDOG=1"
        notifier.close()


def test_without_systemd_nothing_happens_and_a_dead_systemd_is_counted_not_raised(tmp_path: Path) -> None:
    Notifier({}).ready()
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notifier.ready()
    assert notifier.failed == 1
    notifier.close()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", sorted(path.name for path in SYSTEMD.iterdir()))
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    program = tmp_path / "ringcollect"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for path in SYSTEMD.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/ringcollect/bin/ringcollect", str(program)))
    command = ["systemd-analyze", "verify", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert name not in done.stderr, done.stderr


def settings_of(name: str) -> dict[str, str]:
    lines = (SYSTEMD / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def test_compaction_comes_behind_the_collector_for_everything_and_finds_its_lake() -> None:
    night, collector = settings_of("ringcollect-compact.service"), settings_of("ringcollect.service")
    assert (night["Nice"], night["IOSchedulingClass"]) == ("19", "idle")
    assert int(night["OOMScoreAdjust"]) > 0
    assert night["User"] == "ringcollect", "DynamicUser=yes names the user of ringcollect.service after the unit"
    assert night["StateDirectory"] == collector["StateDirectory"]
    assert settings_of("ringcollect-compact.timer")["OnCalendar"].endswith(" UTC"), "days of the lake are UTC"


def test_the_unit_leaves_the_compiler_its_pages_and_the_kernels_their_cache() -> None:
    settings = settings_of(UNIT.name)
    assert "MemoryDenyWriteExecute" not in settings, "it breaks numba"
    assert settings["Type"] == "notify"
    assert settings["RuntimeDirectory"]
    assert settings["CacheDirectory"]
    assert float(settings["TimeoutStopSec"]) >= 10 + 5 + 15 + 30, "systemd must not cut the stop budgets short"
