"""``clean`` takes away what the dead left, and nothing of the living."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from ringcollect.ring.attach import Reader
from ringcollect.ring.paths import undrained_rings
from ringcollect.supervise.cleaning import clean
from ringcollect.supervise.lock import SupervisorLock
from tests.cli.running import ringcollect
from tests.observe.rings import producer, trades


def test_rings_of_dead_producers_go_with_their_control_files_and_a_living_one_stays(tmp_path: Path) -> None:
    dead, living = producer(tmp_path, "dead.rec"), producer(tmp_path, "living.rec")
    dead.close()
    living.publish(trades(4))
    done = ringcollect("clean", "--json", cwd=tmp_path, env={"RINGCOLLECT_RUNTIME": str(tmp_path)})
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert sorted(report["removed"]) == ["dead.rec.ctl", "dead.rec.ring"]
    assert report["kept"] == ["living.rec.ring"]
    assert report["bytes"] > 1_000_000
    assert {path.name for path in tmp_path.glob("*.ring")} == {"living.rec.ring"}
    living.publish(trades(4))
    assert living.head == 8
    living.close()


def test_a_dry_run_says_the_same_and_removes_nothing(tmp_path: Path) -> None:
    producer(tmp_path, "dead.rec").close()
    wanted = clean(tmp_path, dry_run=True)
    assert (tmp_path / "dead.rec.ring").exists()
    assert clean(tmp_path).removed == wanted.removed
    assert not (tmp_path / "dead.rec.ring").exists()


def test_a_producer_killed_with_minus_9_is_dead_whatever_its_header_says(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from tests.observe.rings import producer;"
        "producer(Path(sys.argv[1]), 'killed.rec'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -signal.SIGKILL
    assert "killed.rec.ring" in clean(tmp_path).removed


def test_leftovers_of_a_dead_supervisor_go_once_no_ring_lives(tmp_path: Path) -> None:
    for name in ("processes.json", "state.json", "journal.state.json", "binance.100ms.ckpt.0", "binance.100ms.ckpt.1"):
        (tmp_path / name).write_text("{}")
    living = producer(tmp_path)
    assert clean(tmp_path).removed == ()
    living.close()
    assert clean(tmp_path).kept == ()
    assert {path.name for path in tmp_path.iterdir()} <= {".open.lock", "supervisor.lock"}, "locks stay"


def test_while_a_supervisor_runs_even_the_ring_of_a_dead_feed_stays(tmp_path: Path) -> None:
    producer(tmp_path, "restarting.rec").close()
    lock = SupervisorLock(tmp_path)
    report = clean(tmp_path)
    assert (report.removed, report.kept) == ((), ("restarting.rec.ring",))
    lock.release()
    assert "restarting.rec.ring" in clean(tmp_path).removed


def test_rings_that_wait_for_a_writer_go_too(tmp_path: Path) -> None:
    old = producer(tmp_path)
    old.publish(trades(4))
    Reader(old.path, register="journal", cursor=0)
    old.close()
    producer(tmp_path, capacity=1 << 11).close()
    (kept,) = undrained_rings(tmp_path)
    assert {"binance.rec.ring", kept.name} <= set(clean(tmp_path).removed)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".ring", ".ctl")]


def test_files_that_are_not_ours_stay(tmp_path: Path) -> None:
    foreign = ("notes.txt", "wedding.ring", "my.own.ring", "my.own.ctl", "draft.new", "a.b.ring.new", "x.state.json")
    for name in foreign:
        (tmp_path / name).write_text("mine")
    (tmp_path / "a.folder.ring").mkdir()
    producer(tmp_path).close()
    assert clean(tmp_path).removed == ("binance.rec.ctl", "binance.rec.ring")
    assert {(tmp_path / name).read_text() for name in foreign} == {"mine"}
    assert (tmp_path / "a.folder.ring").is_dir()


def test_what_a_producer_killed_while_building_left_goes_also_beside_a_living_ring(tmp_path: Path) -> None:
    living = producer(tmp_path, "living.rec")
    for point in ("ring.before_rename", "ring.between_renames"):
        program = (
            "import sys; from pathlib import Path; from tests.observe.rings import producer;"
            "producer(Path(sys.argv[1]), 'half.rec')"
        )
        environment = os.environ | {"RINGCOLLECT_FAIL": point}
        command = [sys.executable, "-c", program, str(tmp_path)]
        done = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, check=False)
        assert done.returncode == -signal.SIGKILL
        assert not (tmp_path / "half.rec.ring").exists()
        report = clean(tmp_path)
        assert len(report.removed) == 2 and all(name.startswith("half.rec.") for name in report.removed)
        assert report.kept == ("living.rec.ring",)
        assert {path.name for path in tmp_path.glob("[!.]*.r*")} == {"living.rec.ring", "living.rec.ctl"}
    living.close()


def test_the_next_producer_removes_the_half_built_ring_itself(tmp_path: Path) -> None:
    (tmp_path / "binance.rec.ring.4194303.new").write_bytes(bytes(4096))
    (tmp_path / "binance.rec.ctl.4194303.new").write_bytes(bytes(4096))
    producer(tmp_path).close()
    assert not list(tmp_path.glob("*.new"))


def test_no_folder_is_nothing_to_clean(tmp_path: Path) -> None:
    done = ringcollect("clean", cwd=tmp_path, env={"RINGCOLLECT_RUNTIME": str(tmp_path / "none")})
    assert done.returncode == 0
    assert not (tmp_path / "none").exists()
    assert list(tmp_path.iterdir()) == []
