"""The archive as status, metrics and the state of the collector show it, from what its process wrote."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from ringcollect.observe.archive import look
from ringcollect.observe.health import State
from ringcollect.observe.metrics import exposition
from ringcollect.observe.observer import Observer
from ringcollect.observe.process_table import ProcessRow
from ringcollect.observe.snapshot import Archive, Snapshot, encode
from ringcollect.observe.text import render
from ringcollect.records import Channel
from ringcollect.store.archive.backlog import Backlog
from ringcollect.store.archive.state import STAGES, STATE_FILE, Counts, write_state
from tests.observe.rings import producer, subscribe
from tests.observe.test_observer import table

LINE = {"files": 3, "bytes": 5000, "there": 1, "removed": 4, "seconds": 1.5, "certificate": "x"}


def written(folder: Path, *, error: str = "", failing_since_s: float = 0.0) -> None:
    """What a process that sent two segments and failed twice says."""
    counts = Counts()
    counts.sent(LINE)
    counts.sent(LINE)
    counts.retries = 7
    counts.failures["upload"] += 2
    counts.error, counts.failing_since_ns = error, int(failing_since_s * 1e9)
    write_state(folder, "s3://bucket/lake", counts, Backlog(), sending=True)


def seen(folder: Path) -> Snapshot:
    """The collector with an archive process in its table."""
    known = table(folder)
    row = ProcessRow(name="archive", pid=os.getpid(), state="running")
    return Observer(folder).look(msgspec.structs.replace(known, processes=(*known.processes, row)))


def test_what_the_process_counted_is_what_is_seen(tmp_path: Path) -> None:
    written(tmp_path, error="refused", failing_since_s=time.time() - 100)
    archive = look(tmp_path, time.time())
    assert (archive.uri, archive.segments, archive.files, archive.bytes) == ("s3://bucket/lake", 2, 6, 10_000)
    assert (archive.there, archive.removed, archive.seconds, archive.retries) == (2, 8, 3.0, 7)
    assert archive.failures == dict.fromkeys(STAGES, 0) | {"upload": 2}
    assert archive.error == "refused"
    assert 99 < archive.failing_s < 130


def test_a_process_that_does_not_report_or_writes_nonsense_is_nothing_known(tmp_path: Path) -> None:
    assert look(tmp_path, time.time()) == Archive()
    for nonsense in (b"", b"[]", b"{}", b'{"sent": 1, "waiting": 2}', b"\xff"):
        (tmp_path / STATE_FILE).write_bytes(nonsense)
        assert look(tmp_path, time.time()) == Archive()
    written(tmp_path)
    assert look(tmp_path, time.time() + 6) == Archive()
    assert json.loads((tmp_path / STATE_FILE).read_bytes())["waiting"]["files"] == 0


def test_status_and_metrics_show_it_and_only_where_there_is_an_archive(tmp_path: Path) -> None:
    ring = producer(tmp_path)
    subscribe(ring, 0, Channel.TRADE, state=3)
    written(tmp_path, error="refused", failing_since_s=time.time() - 100)
    now = seen(tmp_path)
    assert (now.state, now.reason) == (State.DEGRADED, "archive: refused")
    assert "archive: 0 files wait" in render(now)
    assert "archive has failed for 1m 4" in render(now)
    assert json.loads(encode(now))["archive"]["retries"] == 7
    samples = _samples(now)
    assert samples["ringcollect_archive_files_total", ""] == 6
    assert samples["ringcollect_archive_waiting_bytes", ""] == 0
    assert samples["ringcollect_archive_failures_total", "upload"] == 2
    assert samples["ringcollect_archive_failures_total", "timeout"] == 0, "every stage has a series from the start"
    without = Observer(tmp_path).look(table(tmp_path))
    assert (without.archive, without.state) == (None, State.READY)
    assert "archive" not in render(without)
    assert not any(name.startswith("ringcollect_archive") for name, _ in _samples(without))
    ring.close()


def _samples(now: Snapshot) -> dict[tuple[str, str], float]:
    text = exposition(lambda: (now, ())).decode()
    return {
        (sample.name, sample.labels.get("stage", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
