"""Peers: what we are measured against, each in an environment of its own under ``benchmarks/.peers``.

Versions are pinned, so that two runs measure the same peers. A peer that does not install on this Python is skipped
with its name and the reason; nothing is skipped silently.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Skip
from benchmarks.harness import last_line
from benchmarks.workers import ROOT

HOME = ROOT / "benchmarks" / ".peers"
INSTALL_S = 300


@dataclass(frozen=True)
class Peer:
    """``pins``: what pip or npm installs, exactly. ``tool``: ``pip`` or ``npm``."""

    name: str
    pins: tuple[str, ...]
    tool: str = "pip"

    @property
    def folder(self) -> Path:
        return HOME / self.name

    @property
    def command(self) -> list[str]:
        """The interpreter of the peer's environment."""
        return [str(self.folder / "bin" / "python")] if self.tool == "pip" else ["node", "--expose-gc"]


FRAMES = ("polars==2.1.0", "duckdb==2.0.0", "pandas==3.1.1", "pyarrow==26.0.1", "sortedcontainers==2.4.0")
PEERS = {
    peer.name: peer
    for peer in (
        Peer("cryptofeed", ("cryptofeed==2.4.1",)),
        Peer("ccxt", ("ccxt==4.5.90",)),
        Peer("faster-fifo", ("faster-fifo==1.5.2",)),
        Peer("pyzmq", ("pyzmq==27.3.0",)),
        Peer("iceoryx2", ("iceoryx2==0.10.0",)),
        Peer("picows", ("picows==2.3.1", "uvloop==0.23.0")),
        Peer("tardis", ("tardis-dev@13.35.3",), "npm"),
        Peer("hftbacktest", ("hftbacktest==2.4.4",)),
        Peer("books", ("sortedcontainers==2.4.0",)),
        Peer("frames", FRAMES),
    )
}


@dataclass(frozen=True)
class Installed:
    """A peer ready to run; ``seconds`` is what installing took now, 0 if it was there."""

    peer: Peer
    seconds: float


def install(names: Iterable[str]) -> tuple[dict[str, Installed], list[Skip]]:
    """Have the named peers ready; those that do not install come back with the last line of the reason."""
    ready: dict[str, Installed] = {}
    skipped: list[Skip] = []
    for name in names:
        peer = PEERS[name]
        start = time.monotonic()
        reason = _install(peer)
        took = time.monotonic() - start
        if reason:
            skipped.append(Skip(name, reason))
            print(f"  peer {name} skipped: {reason}", flush=True)
        else:
            ready[name] = Installed(peer, took if took > 1 else 0.0)
            if took > 1:
                print(f"  peer {name} installed in {took:.0f} s", flush=True)
    return ready, skipped


def _install(peer: Peer) -> str:
    """Empty when the peer is there, else the reason why not."""
    stamp = peer.folder / ".installed"
    wanted = f"{sys.version_info[:2]} {' '.join(peer.pins)}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return ""
    shutil.rmtree(peer.folder, ignore_errors=True)
    peer.folder.mkdir(parents=True)
    try:
        for command in _steps(peer):
            done = subprocess.run(
                command, cwd=peer.folder, capture_output=True, text=True, timeout=INSTALL_S, check=False
            )
            if done.returncode:
                return f"{Path(command[0]).name} {' '.join(peer.pins)}: {_reason(done.stderr or done.stdout)}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    stamp.write_text(wanted)
    return ""


def _steps(peer: Peer) -> list[list[str]]:
    if peer.tool == "npm":
        return [
            ["node", "--version"],
            ["npm", "install", "--prefix", ".", "--no-audit", "--no-fund", "--no-save", *peer.pins],
        ]
    pip = [*peer.command, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return [[sys.executable, "-m", "venv", "."], [*pip, *peer.pins]]


def _reason(output: str) -> str:
    """The last error line; tools like to end with advice."""
    errors = [line for line in output.splitlines() if "error" in line.lower() and "warn" not in line.lower()]
    return last_line("\n".join(errors) or output)
