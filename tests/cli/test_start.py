"""``start`` as a user runs it: a demo from end to end, and every refusal before anything is started."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from ringcollect.kernel_cache import cache_dir
from tests.cli.running import ringcollect
from tests.supervise.test_real_processes import alive

MEMORY_BUDGET_MB = 250
"""PSS of all processes of the demo without ring pages; 203 MB when first measured."""

PATIENCE_S = 120.0
ONE_DEMO = pytest.mark.xdist_group("demo")
"""All who look at the same run do so in one worker: no second one runs it again."""


def start(*args: str, cwd: Path, **env: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RINGCOLLECT__")}
    return subprocess.Popen(
        [sys.executable, "-m", "ringcollect", "start", *args],
        cwd=cwd, env=clean | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"{pattern} not in:\n{text}"
    return float(found[1].replace(",", ""))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, Path]:
    """(exit code, output, folder) of one demo of four seconds, with a warm kernel cache of its own in ``cache``."""
    folder = tmp_path_factory.mktemp("demo")
    cache = {name: os.environ[name] for name in ("RINGCOLLECT_CACHE",) if name in os.environ}
    assert ringcollect("warm", cwd=folder, env=cache, timeout_s=180).returncode == 0
    shutil.copytree(cache_dir(), folder / "cache" / cache_dir().name)
    with start("--demo", "--for", "4s", cwd=folder, RINGCOLLECT_CACHE=str(folder / "cache")) as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, folder


@pytest.mark.timeout(300)
@ONE_DEMO
def test_the_demo_loses_nothing_and_says_so(demo: tuple[int, str, Path]) -> None:
    code, out, _ = demo
    assert code == 0, out
    assert out.rstrip().endswith("nothing was lost"), out
    frames = number(r"^frames in +([\d,]+) =", out)
    assert frames > 2000
    assert sum(number(rf"([\d,]+) {fate}", out) for fate in ("decoded", "control", "ignored", "rejected")) == frames
    assert set(re.findall(r"^lost +([\d,]+) of", out, re.MULTILINE)) == {"0"}
    assert number(r"^gaps +(\d+)", out) == 0


@ONE_DEMO
def test_the_demos_rows_are_the_records_that_were_published_and_verify_agrees(demo: tuple[int, str, Path]) -> None:
    _, out, _ = demo
    published = sum(float(n.replace(",", "")) for n in re.findall(r"^published +([\d,]+) in", out, re.MULTILINE))
    assert number(r"^written +([\d,]+) rows", out) == published
    assert number(r"certificates, \d+ files, (\d+) records", out) == published
    assert "0 problems" in out


@ONE_DEMO
def test_the_demo_shows_progress_as_plain_lines_where_there_is_no_terminal(demo: tuple[int, str, Path]) -> None:
    _, out, _ = demo
    lines = [line for line in out.splitlines() if re.match(r" +\d+ s  (READY|OFFLINE|DEGRADED)", line)]
    assert len(lines) >= 4
    assert any("READY" in line for line in lines)
    assert "\x1b" not in out


@ONE_DEMO
def test_a_run_compiles_nothing(demo: tuple[int, str, Path]) -> None:
    """Every kernel the run used was in its copy of the warm cache: nothing was added or written again."""
    _, out, folder = demo
    assert "compiling" not in out
    began = (folder / "demo-data").stat().st_mtime_ns
    written = [path.name for path in (folder / "cache").rglob("*.nb*") if path.stat().st_mtime_ns > began]
    assert written == []


@ONE_DEMO
def test_the_demo_stays_within_its_memory_budget(demo: tuple[int, str, Path]) -> None:
    assert 50 < number(r"^sum +([\d.]+)", demo[1]) < MEMORY_BUDGET_MB


@ONE_DEMO
def test_the_demo_leaves_its_data_and_nothing_in_memory(demo: tuple[int, str, Path]) -> None:
    _, out, folder = demo
    (data,) = (folder / "demo-data").iterdir()
    assert f"data in {data}" in out
    assert list(data.glob("raw/trades/exchange=binance/market=spot/symbol=BTCUSDT/date=*/*.parquet"))
    runtime = re.search(r"rings in (\S+)", out)
    assert runtime
    assert not Path(runtime[1]).exists()


class Running:
    """A demo without an end, and its runtime folder."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.process = start("--demo", cwd=folder, **env)
        assert self.process.stdout is not None
        self.lines: list[str] = []
        runtime = None
        while runtime is None:
            line = self.process.stdout.readline()
            assert line, "".join(self.lines)
            self.lines.append(line)
            runtime = re.search(r"rings in (\S+)", line)
        self.runtime = Path(runtime[1])

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline
            assert self.process.poll() is None, self.process.stdout.read() if self.process.stdout else ""
            time.sleep(0.05)

    def state(self) -> str:
        try:
            return str(json.loads((self.runtime / "state.json").read_text())["state"])
        except FileNotFoundError:
            return ""

    def journaled(self) -> int:
        """Records of the feed's ring that the journal process has dealt with."""
        rings = json.loads((self.runtime / "state.json").read_text())["rings"]
        readers = [reader for ring in rings if ring["name"] == "binance.rec" for reader in ring["consumers"]]
        return sum(int(reader["committed"]) for reader in readers if reader["name"] == "journal")

    def table(self) -> dict[str, dict[str, object]]:
        table = json.loads((self.runtime / "processes.json").read_text())
        return {row["name"]: row for row in table["processes"]}

    def end(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return "".join(self.lines) + out


class Systemd:
    """The other end of ``NOTIFY_SOCKET``, always listening: the queue of such a socket holds ten messages."""

    def __init__(self, path: Path) -> None:
        self.heard: list[str] = []
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while (message := self._socket.recv(4096)) != b"END":
            self.heard.append(message.decode())

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"END", str(self._path))
        self._thread.join(10)
        self._socket.close()


@pytest.mark.timeout(300)
def test_a_feed_killed_in_a_run_comes_back_and_status_http_and_a_second_start_see_the_run(tmp_path: Path) -> None:
    systemd = Systemd(tmp_path / "notify")
    run = Running(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify"))
    run.until(lambda: run.state() == "READY")
    run.until(lambda: f"READY=1\nMAINPID={run.process.pid}" in systemd.heard)
    env = {"RINGCOLLECT_RUNTIME": str(run.runtime)}
    check = ringcollect("status", "--check", cwd=tmp_path, env=env)
    assert (check.returncode, check.stdout[:6]) == (0, "READY ")

    address = json.loads((run.runtime / "processes.json").read_text())["http"]
    for path in ("/health", "/ready", "/status", "/subscriptions", "/metrics"):
        with urllib.request.urlopen(address + path, timeout=10) as answer:
            assert answer.status == 200

    config = tmp_path / "config.toml"
    config.write_text(
        f'[collector]\nruntime_dir = "{run.runtime}"\n'
        '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\nurl = "ws://127.0.0.1:9"\n'
    )
    second = ringcollect("start", cwd=tmp_path)
    assert second.returncode == 4
    assert f"supervisor pid {run.process.pid}" in second.stderr

    before = run.table()
    os.kill(int(str(before["feed-binance"]["pid"])), signal.SIGKILL)
    run.until(lambda: run.table()["feed-binance"]["restarts"] == 1)
    run.until(lambda: run.state() == "READY")
    after = run.table()
    assert after["feed-binance"]["last_exit"] == "signal 9"
    assert after["sync"]["pid"] == before["sync"]["pid"]
    assert after["journal"]["pid"] == before["journal"]["pid"]
    out = run.end()
    assert run.process.returncode == 1, "a restart is not nothing"
    assert "PROBLEM: feed-binance was restarted 1 times" in out
    assert "0 problems" in out, "yet the lake is whole"
    systemd.close()
    assert "WATCHDOG=1" in systemd.heard
    assert "STOPPING=1" in systemd.heard


def test_a_feature_nobody_has_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[collector]\nruntime_dir = "{tmp_path / "runtime"}"\n[sync]\nfeatures = ["minimal", "vipn*"]\n'
        '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\nurl = "ws://127.0.0.1:9"\n'
    )
    done = ringcollect("start", cwd=tmp_path)
    assert done.returncode == 2
    assert "sync.features: 'vipn*' is no set" in done.stderr
    assert not (tmp_path / "runtime").exists() and not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_supervisor_killed_in_a_run_takes_everybody_along_and_clean_takes_the_rest(tmp_path: Path) -> None:
    run = Running(tmp_path)
    run.until(lambda: run.state() == "READY" and run.journaled() > 0)
    pids = [int(str(row["pid"])) for row in run.table().values()]
    run.process.kill()
    run.process.wait()
    deadline = time.monotonic() + 5
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "children must be gone within 5 s"
        time.sleep(0.05)
    env = {"RINGCOLLECT_RUNTIME": str(run.runtime)}
    assert ringcollect("status", "--check", cwd=tmp_path, env=env).returncode == 3
    cleaned = ringcollect("clean", "--json", cwd=tmp_path, env=env)
    assert "binance.rec.ring" in json.loads(cleaned.stdout)["removed"]
    (data,) = (tmp_path / "demo-data").iterdir()
    assert "0 problems" in ringcollect("verify", str(data), cwd=tmp_path).stdout
    shutil.rmtree(run.runtime)


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "no configuration"),
        (("--for", "soon"), 2, "--for"),
        (("--profile", "huge"), 2, "huge"),
    ],
)
def test_usage_errors_are_exit_2(args: tuple[str, ...], code: int, message: str, tmp_path: Path) -> None:
    done = ringcollect("start", *args, cwd=tmp_path)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_a_data_folder_that_cannot_be_written_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    (tmp_path / "config.toml").write_text(
        f'[collector]\nruntime_dir = "{tmp_path}/run"\n'
        '[[markets]]\nexchange = "binance"\nmarket = "spot"\nsymbols = ["BTCUSDT"]\nurl = "ws://127.0.0.1:9"\n'
    )
    done = ringcollect("start", cwd=tmp_path)
    assert done.returncode == 4
    assert f"cannot write to the data folder {tmp_path}/data" in done.stderr
    assert list((tmp_path / "run").iterdir()) == []
