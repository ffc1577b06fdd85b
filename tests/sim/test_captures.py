"""Captures: served over the socket as recorded, and written from a simulated market without one."""

from __future__ import annotations

import asyncio
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import websockets
from click.testing import CliRunner

from ringcollect.cli.sim import command
from ringcollect.errors import ConfigError, RingcollectError
from ringcollect.sim.capture import CaptureStage, read_lines
from ringcollect.sim.faults import parse_faults
from ringcollect.sim.server import Simulator
from ringcollect.sim.world import Options
from ringcollect.sim.write import write_capture
from tests.sim.book import Book, Gap
from tests.sim.desk import SECOND, START, truth_lines


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.open(path, "rt", encoding="utf-8")]


def _write(folder: Path, faults: str = "", seconds: int = 10, **options: Any) -> list[dict[str, Any]]:
    fields: dict[str, Any] = {"rate": 300.0, "start_ns": START, "faults": parse_faults(faults)} | options
    written = write_capture(Options(**fields), folder, seconds * SECOND, 0)
    lines = _lines(Path(written["capture"]))
    assert {d: sum(line["d"] == d for line in lines) for d in ("in", "out", "rest")} == {
        d: written[d] for d in ("in", "out", "rest")
    }
    return lines


def _serve(stage: CaptureStage, target: str, subscribe: list[str]) -> list[str]:
    """What a client that subscribes gets until the capture is played out."""

    async def main() -> list[str]:
        simulator = Simulator(stage)
        await simulator.start()
        received: list[str] = []
        async with websockets.connect(f"ws://127.0.0.1:{simulator.port}{target}", max_queue=None) as client:
            if subscribe:
                await client.send(json.dumps({"method": "SUBSCRIBE", "params": subscribe, "id": 1}))
            while not stage.finished():
                await asyncio.sleep(0.01)
            stopping = asyncio.create_task(simulator.stop())
            async for text in client:
                received.append(str(text))
            await stopping
        return received

    return asyncio.run(asyncio.wait_for(main(), 60))


def test_a_written_capture_is_the_same_bytes_for_the_same_seed_and_start(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _write(tmp_path / name, "drop=0.01,dup=0.01,garbage=0.01,cut=4s")
    _write(tmp_path / "c", "drop=0.01,dup=0.01,garbage=0.01,cut=4s", seed=2)
    for file in ("sim_binance.jsonl.gz", "truth.jsonl"):
        one, same, other = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert one == same != other


def test_a_written_capture_is_in_time_order_and_names_its_urls(tmp_path: Path) -> None:
    lines = _write(tmp_path)
    times = [line["t"] for line in lines]
    assert times == sorted(set(times))
    urls = {line["u"] for line in lines if line["d"] == "out"}
    assert urls == {
        "wss://stream.binance.com:9443/stream",
        "wss://fstream.binance.com/public/stream",
        "wss://fstream.binance.com/market/stream",
    }
    assert {line["c"] for line in lines if line["d"] == "rest"} == {-1}
    opened = [line for line in lines if line["d"] == "out" and line["f"] == ""]
    assert [line["c"] for line in opened] == [0, 1, 2]


@pytest.mark.parametrize("faults", ["", "gap=0.03,drop=0.002", "cut=5s"])
def test_a_reader_of_a_written_capture_reaches_the_final_book(tmp_path: Path, faults: str) -> None:
    lines = _write(tmp_path, faults, seconds=15)
    books: dict[tuple[str, str], Book] = {}
    held: dict[tuple[str, str], list[dict[str, Any]]] = {}
    gaps = 0
    for line in lines:
        market = "linear" if "fapi" in line["u"] or "fstream" in line["u"] else "spot"
        if line["d"] == "rest" and "/depth" in line["u"]:
            key = (market, line["u"].partition("symbol=")[2].partition("&")[0])
            book = Book(market == "linear")
            book.load(line["f"])
            try:
                for event in held.setdefault(key, []):
                    book.event(event)
            except Gap:
                continue  # another snapshot follows
            books[key], held[key] = book, []
        elif line["d"] == "in" and "@depth@100ms" in line["f"][:60]:
            data = json.loads(line["f"])["data"]
            key = (market, data["s"])
            if key in books:
                try:
                    books[key].event(data)
                    held[key] = [*held[key], data][-30:]
                    continue
                except Gap:
                    gaps += 1
                    del books[key]
                    held[key] = []
            held.setdefault(key, []).append(data)
    assert (gaps > 0) == (faults != "")
    finals = {(row["m"], row["s"]): row for row in truth_lines(tmp_path / "truth.jsonl", "book")}
    whole = [key for key in finals if key in books]
    assert len(whole) == 4 or faults
    assert whole
    for key in whole:
        if books[key].last_id == finals[key]["u"]:
            for mine, theirs in zip(books[key].sides(), (finals[key]["bids"], finals[key]["asks"]), strict=True):
                assert mine == [(Decimal(price), Decimal(size)) for price, size in theirs]
    assert any(books[key].last_id == finals[key]["u"] for key in whole)


def test_a_capture_is_served_frame_by_frame_as_it_was_recorded(tmp_path: Path) -> None:
    lines = _write(tmp_path, seconds=5)
    stage = CaptureStage(tmp_path / "sim_binance.jsonl.gz", 0, speed=10.0, settled_ns=0)
    streams = ["btcusdt@trade", "ethusdt@depth@100ms"]
    received = _serve(stage, "/stream", streams)
    recorded = [
        line["f"]
        for line in lines
        if line["d"] == "in" and line["u"].startswith("wss://stream") and json.loads(line["f"]).get("stream") in streams
    ]
    assert len(recorded) > 50
    assert received == ['{"result":null,"id":1}', *recorded]


def test_the_two_markets_of_one_capture_are_told_apart(tmp_path: Path) -> None:
    lines = _write(tmp_path, seconds=5)
    stage = CaptureStage(tmp_path / "sim_binance.jsonl.gz", 0, speed=10.0, settled_ns=0)
    received = _serve(stage, "/public/ws", ["btcusdt@depth@100ms"])
    recorded = [
        json.loads(line["f"])["data"]
        for line in lines
        if line["c"] == 1 and '"btcusdt@depth@100ms"' in line["f"][:60] and line["d"] == "in"
    ]
    assert [json.loads(text) for text in received[1:]] == recorded


def test_rest_requests_are_answered_from_the_capture(tmp_path: Path) -> None:
    lines = _write(tmp_path, seconds=2)
    stage = CaptureStage(tmp_path / "sim_binance.jsonl.gz", 0)
    answer = stage.get("/api/v3/depth?symbol=BTCUSDT&limit=1000", 0)
    assert answer is not None
    (body,) = (line["f"] for line in lines if "api.binance.com/api/v3/depth?symbol=BTCUSDT" in line["u"])
    assert (answer.status, answer.body) == (200, body)
    missing = stage.get("/api/v3/depth?symbol=NOSUCH", 0)
    assert missing is not None
    assert missing.status == 404
    elsewhere = stage.get("/elsewhere", 0)
    assert elsewhere is not None
    assert elsewhere.status == 404
    assert stage.get("/stream?streams=btcusdt@trade", 0) is None


def test_a_real_capture_arrives_byte_for_byte(captures: Path) -> None:
    path = captures / "binance_spot_2021.jsonl.gz"
    recorded = [line["f"] for line in _lines(path) if line["d"] == "in"]
    streams = sorted({json.loads(text)["stream"] for text in recorded})
    assert (
        _serve(CaptureStage(path, 0, speed=0.0, settled_ns=0), f"/stream?streams={'/'.join(streams)}", []) == recorded
    )


def test_a_bad_capture_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"t":1,"c":0,"d":"in","f":"{}"}\nnonsense\n', encoding="utf-8")
    with pytest.raises(RingcollectError, match=r"bad\.jsonl:2"):
        list(read_lines(path))
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(RingcollectError, match="empty"):
        CaptureStage(tmp_path / "empty.jsonl", 0)


def test_the_command_writes_a_capture(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        command, ["--write", str(tmp_path), "--for", "2s", "--rate", "100", "--symbols", "solusdt"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["in"] > 50
    assert {row["s"] for row in truth_lines(Path(told["truth"]), "book")} == {"SOLUSDT"}
    both = CliRunner().invoke(command, ["--write", str(tmp_path), "--capture", "x"])
    assert both.exit_code == 2


def test_a_capture_is_of_one_exchange_that_can_be_served(tmp_path: Path) -> None:
    path = tmp_path / "any.jsonl"
    path.write_text('{"t":1,"c":0,"d":"in","f":"{}"}\n', encoding="utf-8")
    two = CliRunner().invoke(command, ["--capture", str(path), "--exchange", "okx", "--exchange", "upbit"])
    assert two.exit_code == 2 and "one --exchange" in two.output
    with pytest.raises(ConfigError, match="only of binance, bybit"):
        CaptureStage(path, 0, exchange="deribit")
    slower = CliRunner().invoke(command, ["--capture", str(path), "--speed", "-1"])
    assert slower.exit_code == 2
    written = CliRunner().invoke(command, ["--write", str(tmp_path), "--exchange", "okx"])
    assert written.exit_code == 2 and "Binance only" in written.output
