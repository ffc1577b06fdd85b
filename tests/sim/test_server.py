"""The sockets: an independent client talks to a real port, in this process and to a child process."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import websockets
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from ringcollect.sim.faults import parse_faults
from ringcollect.sim.server import Simulator, encode_frame
from ringcollect.sim.world import Options, World
from tests.sim.book import Book
from tests.sim.desk import truth_lines

STREAMS = ["btcusdt@trade", "btcusdt@depth@100ms", "btcusdt@bookTicker"]


class _HastyWorld(World):
    """A world whose wire clock runs faster than the wall's: pings and cuts come soon."""

    haste = 100

    def wire_ns(self, now_ns: int) -> int:
        return self.start_ns + (now_ns - self.start_ns) * self.haste


@asynccontextmanager
async def serving(
    faults: str = "",
    world_type: type[World] = World,
    truth: Path | None = None,
    most_buffered: int = 4 << 20,
    **more: Any,
) -> AsyncIterator[Simulator]:
    fields: dict[str, Any] = {"spot": ("BTCUSDT",), "linear": ("BTCUSDT",), "rate": 400.0} | more
    world = world_type(Options(**fields, faults=parse_faults(faults), truth=truth), time.time_ns())
    simulator = Simulator(world, most_buffered=most_buffered)
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


def connect(url: str, **more: Any) -> websockets.connect:
    """A client whose closing is not held up by frames nobody read."""
    return websockets.connect(url, max_queue=None, **more)


async def _texts(client: websockets.ClientConnection, count: int) -> list[str]:
    return [str(await client.recv()) for _ in range(count)]


def test_it_binds_to_loopback_only_on_a_port_of_the_systems_choice() -> None:
    async def main() -> None:
        async with serving() as simulator:
            assert simulator.port > 0
            assert simulator._server is not None
            assert {sock.getsockname()[0] for sock in simulator._server.sockets} == {"127.0.0.1"}
            assert simulator.ready_line()["ws"]["spot"] == f"ws://127.0.0.1:{simulator.port}"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("market", "stream", "depth"),
    [
        ("spot", "/stream", "/api/v3/depth?symbol=BTCUSDT&limit=5000"),
        ("linear", "/public/stream", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000"),
    ],
)
def test_a_client_over_sockets_reaches_the_final_book_and_the_truth_is_what_it_got(
    tmp_path: Path, market: str, stream: str, depth: str
) -> None:
    truth = tmp_path / "truth.jsonl"
    received: list[str] = []

    async def main() -> str:
        async with serving(truth=truth) as simulator, aiohttp.ClientSession() as session:
            urls = simulator.urls(market)
            client = await connect(urls["ws"] + stream)
            await client.send(json.dumps({"method": "SUBSCRIBE", "params": STREAMS, "id": 1}))
            received.extend(await _texts(client, 60))
            async with session.get(urls["rest"] + depth) as answer:
                assert answer.status == 200
                body = await answer.text()
            received.extend(await _texts(client, 300))
            stopping = asyncio.create_task(simulator.stop())
            async for text in client:
                received.append(str(text))
            await stopping
            return body

    body = asyncio.run(main())
    assert json.loads(received[0]) == {"result": None, "id": 1}
    assert received == [row["f"] for row in truth_lines(truth, "sent")]
    book = Book(market == "linear")
    book.load(body)
    for text in received[1:]:
        frame = json.loads(text)
        if frame["stream"] == "btcusdt@depth@100ms":
            book.event(frame["data"])
    (final,) = (line for line in truth_lines(truth, "book") if line["m"] == market)
    assert final["u"] == book.last_id
    for mine, theirs in zip(book.sides(), (final["bids"], final["asks"]), strict=True):
        assert mine == [(Decimal(price), Decimal(size)) for price, size in theirs]


def test_the_venue_pings_and_a_client_that_answers_stays() -> None:
    async def main() -> None:
        async with serving(world_type=_HastyWorld, rate=1.0) as simulator, aiohttp.ClientSession() as session:
            url = simulator.urls("spot")["ws"]
            async with session.ws_connect(f"{url}/ws", autoping=False) as client:
                for _ in range(5):  # five pings are 100 s of wire time: past the deadline of the first
                    message = await client.receive(timeout=10)
                    assert message.type is aiohttp.WSMsgType.PING
                    assert message.data.isdigit()
                    await client.pong(message.data)
            async with session.ws_connect(f"{url}/ws", autoping=False) as client:
                while (message := await client.receive(timeout=10)).type is aiohttp.WSMsgType.PING:
                    pass
                assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    asyncio.run(main())


def test_a_cut_closes_the_socket() -> None:
    async def main() -> None:
        async with serving("cut=60s", world_type=_HastyWorld, rate=1.0) as simulator:
            client = await connect(simulator.urls("linear")["ws"] + "/public/ws")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(client.recv(), 10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001

    asyncio.run(main())


def test_a_half_open_connection_answers_neither_data_nor_pings() -> None:
    async def main() -> None:
        async with serving("half_open=1s", world_type=_HastyWorld, rate=10.0) as simulator:
            url = simulator.urls("spot")["ws"] + "/stream?streams=btcusdt@depth@100ms"
            dead = await connect(url, ping_interval=None, close_timeout=0.1)
            with pytest.raises(TimeoutError):
                while True:
                    await asyncio.wait_for(dead.recv(), 0.3)
            pong = await dead.ping()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(pong), 0.3)
            async with connect(url, ping_interval=None) as alive:
                await asyncio.wait_for(alive.recv(), 10)
            dead.transport.abort()

    asyncio.run(main())


def test_a_client_that_does_not_read_is_cut_off_and_counted_and_the_others_are_not() -> None:
    async def main() -> None:
        async with serving(most_buffered=20_000, rate=5000.0) as simulator:
            assert simulator._server is not None
            for listener in simulator._server.sockets:  # small kernel buffers, so that ours are reached soon
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            streams = "/".join(STREAMS)
            url = simulator.urls("spot")["ws"] + f"/stream?streams={streams}"
            async with connect(url) as good:
                raw = socket.socket()
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                raw.connect(("127.0.0.1", simulator.port))
                raw.sendall(
                    f"GET /stream?streams={streams} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    "Sec-WebSocket-Version: 13\r\n\r\n".encode()
                )
                while simulator.counters["slow_clients"] == 0:
                    await good.recv()
                raw.close()
                await _texts(good, 50)
            assert simulator.counters["slow_clients"] == 1

    asyncio.run(asyncio.wait_for(main(), 60))


def test_rest_and_unknown_paths_over_http() -> None:
    async def main() -> None:
        async with serving(rate=10.0, spot_weight_per_minute=100) as simulator, aiohttp.ClientSession() as session:
            url = simulator.urls("spot")["rest"]
            statuses = []
            for _ in range(22):
                async with session.get(f"{url}/api/v3/depth?symbol=BTCUSDT&limit=10") as answer:
                    statuses.append(answer.status)
                    last = answer.headers
            if statuses.count(429) == 0:  # a minute ended in between: the budget was refilled
                return
            assert statuses.index(429) >= 2
            assert int(last.get("Retry-After", "1")) >= 1
            async with session.get(f"{url}/nothing/here") as answer:
                assert answer.status == 404
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{simulator.urls('spot')['ws']}/elsewhere")
            assert refused.value.status == 404

    asyncio.run(main())


def test_too_many_connection_attempts_are_refused() -> None:
    async def main() -> None:
        world = World(Options(rate=1.0), time.time_ns())
        simulator = Simulator(world, connections_per_5min=3)
        await simulator.start()
        url = simulator.urls("spot")["ws"] + "/ws"
        for _ in range(3):
            async with connect(url):
                pass
        with pytest.raises(websockets.InvalidStatus) as refused:
            await connect(url)
        assert refused.value.response.status_code == 429
        await simulator.stop()

    asyncio.run(main())


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_frame_headers_of_every_length_are_understood(size: int) -> None:
    protocol = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    protocol.receive_data(b"".join(encode_frame(("text", b"x" * size))))
    (event,) = protocol.events_received()
    assert isinstance(event, Frame)
    assert (event.fin, bytes(event.data)) == (True, b"x" * size)


def test_the_command_serves_until_sigterm_and_tells_what_it_did(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    child = subprocess.Popen(
        [sys.executable, "-m", "ringcollect", "sim", "--rate", "300", "--seed", "9", "--truth", str(truth)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    ready = json.loads(child.stdout.readline())
    assert ready["ready"]

    async def listen() -> list[str]:
        async with connect(f"{ready['ws']['spot']}/ws/btcusdt@trade") as client:
            return await _texts(client, 20)

    received = asyncio.run(listen())
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=20)
    assert child.returncode == 0
    assert json.loads(out)["stopped"] is True
    told = {(row["id"], row["p"], row["q"]) for row in truth_lines(truth, "trade") if row["m"] == "spot"}
    assert {(f["t"], f["p"], f["q"]) for f in map(json.loads, received)} <= told
    assert {(row["m"], row["s"]) for row in truth_lines(truth, "book")} == {
        (market, symbol) for market in ("spot", "linear") for symbol in ("BTCUSDT", "ETHUSDT")
    }
    assert truth_lines(truth, "start")[0]["seed"] == 9


def test_the_command_ends_by_itself_and_refuses_bad_faults() -> None:
    command = [sys.executable, "-m", "ringcollect", "sim"]
    done = subprocess.run([*command, "--for", "300ms"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0
    assert [set(json.loads(line)) & {"ready", "stopped"} for line in done.stdout.splitlines()] == [
        {"ready"},
        {"stopped"},
    ]
    bad = subprocess.run([*command, "--faults", "drop=7"], capture_output=True, text=True, timeout=30)
    assert bad.returncode == 2
    assert "drop=7" in bad.stderr


@pytest.mark.parametrize("pieces", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [0, 1, 3, 125, 400, 70_000])
def test_a_text_in_fragments_is_the_same_message_to_a_client(size: int, pieces: int) -> None:
    payload = bytes(i % 251 for i in range(size))
    protocol = ClientProtocol(parse_uri("ws://127.0.0.1/"), state=State.OPEN)
    protocol.receive_data(b"".join(encode_frame(("text", payload), pieces)))
    frames = protocol.events_received()
    assert [frame.opcode for frame in frames] == [Opcode.TEXT] + [Opcode.CONT] * (pieces - 1)
    assert [frame.fin for frame in frames] == [False] * (pieces - 1) + [True]
    assert b"".join(frame.data for frame in frames) == payload
