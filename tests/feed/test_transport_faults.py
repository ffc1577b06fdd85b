"""Both transports: a server that breaks the rules, refuses, hangs or lies is told once, and costs nothing lasting."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from ringcollect.feed.transport import Opener, Options, Refusal
from tests.feed.certificate import server_tls, trusting
from tests.feed.wire import Line, Log, frame, goodbye, run, text, venue

HUGE = 1 << 40


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frame(1, b"masked", mask=b"\x01\x02\x03\x04"), 1002),
        (frame(3, b"reserved opcode"), 1002),
        (frame(11, b"reserved control opcode"), 1002),
        (frame(1, b"reserved bit", rsv=4), 1002),
        (frame(2, b"reserved bit", rsv=1), 1002),
        (frame(0, b"continues nothing"), 1002),
        (frame(1, b"begun", fin=False) + text("another"), 1002),
        (frame(1, b"begun", fin=False) + frame(2, b"another", fin=False), 1002),
        (frame(9, b"ping in fragments", fin=False), 1002),
        (frame(9, b"p" * 126), 1002),
        (frame(8, b"\x03"), 1002),
        (goodbye(999), 1002),
        (frame(8, (1000).to_bytes(2, "big") + b"\xff\xfe"), 1007),
        (text("x" * 1_001), 1009),
        (frame(2, length=HUGE), 1009),
        (frame(1, b"x" * 600, fin=False) + frame(0, b"x" * 401), 1009),
        (frame(1, b"x" * 600, fin=False) + frame(0, b"x" * 300, fin=False) + frame(0, b"x" * 101, fin=False), 1009),
    ],
    ids=[
        "masked",
        "reserved opcode",
        "reserved control opcode",
        "reserved bit 1",
        "reserved bit 3",
        "lone continuation",
        "text within fragments",
        "fragments within fragments",
        "fragmented ping",
        "long ping",
        "close of one byte",
        "close code 999",
        "close reason not utf-8",
        "text too long",
        "length of a terabyte",
        "last fragment too much",
        "fragments too much",
    ],
)
def test_what_breaks_the_protocol_is_closed_with_its_code_and_not_delivered(
    open_connection: Opener, wrong: bytes, code: int
) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("well"), text("before"), wrong, text("behind"))
            told, _ = await line.hear_close()
            assert told == code
            line.write(text("much later"), b"\x00" * 3_000)
            line.writer.close()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 3, log.callbacks(), on_open=log.on_open, options=Options(max_bytes=1_000))
            await log.gone.wait()
        assert log.payloads == [b"well", b"before"]
        [(conn, told, reason)] = log.closed
        assert (conn, told) == (3, code) and reason

    run(main)


def test_a_message_of_exactly_the_limit_is_delivered_whole_or_in_fragments(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("x" * 1_000), frame(1, b"x" * 400, fin=False), frame(0, b"x" * 600))
            await line.until_gone()

        log = Log(expected=2)
        async with venue(script) as url:
            await open_connection(url, 3, log.callbacks(), on_open=log.on_open, options=Options(max_bytes=1_000))
            await log.enough.wait()
            assert log.payloads == [b"x" * 1_000] * 2
            log.line.drop()

    run(main)


def test_a_refused_connection_is_told_as_a_close(open_connection: Opener) -> None:
    async def main() -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))  # bound but not listening: connecting is refused
            log = Log()
            url = f"ws://127.0.0.1:{probe.getsockname()[1]}"
            assert await open_connection(url, 4, log.callbacks(), on_open=log.on_open) is None
        assert [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]
        assert log.closed[0][2].startswith("cannot connect: ") and log.opened == []

    run(main)


@pytest.mark.parametrize("status", [400, 403, 418, 429, 451, 503])
def test_an_http_refusal_is_told_with_its_status_and_its_retry_after(open_connection: Opener, status: int) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            await line.reader.readuntil(b"\r\n\r\n")
            line.write(b"HTTP/1.1 %d No\r\nretry-after: 7\r\nContent-Length: 4\r\n\r\nbody" % status)
            await line.until_gone()

        log = Log()
        async with venue(script, greet=False) as url:
            refusal = await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
        assert isinstance(refusal, Refusal) and refusal.status == status
        assert {name.lower(): value for name, value in refusal.headers.items()}["retry-after"] == "7"
        assert log.closed == [(4, 1006, f"cannot connect: HTTP {status}, Retry-After: 7")] and log.opened == []

    run(main)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 101 Switching Proto",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: bm90IHRoZSBrZXkgeW91IHNlbnQ=\r\n\r\n",
        b"HTTP/1.1 520 \r\n\r\n",
        b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "half an answer", "another protocol", "wrong accept key", "unlisted status", "no end"],
)
def test_a_handshake_that_fails_is_told_once(open_connection: Opener, answer: bytes) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            await line.reader.readuntil(b"\r\n\r\n")
            line.write(answer)
            if line.writer.can_write_eof():
                line.writer.write_eof()
            await line.until_gone()

        log = Log()
        async with venue(script, greet=False) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
        assert [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]
        assert log.closed[0][2].startswith("cannot connect: ") and log.opened == []

    run(main)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 101 Switching Protocols\r\n"])
def test_a_handshake_without_end_is_given_up_at_its_deadline_and_its_socket_closed(
    open_connection: Opener, said: bytes
) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(said)
            await line.until_gone()

        log = Log()
        async with venue(script, greet=False) as url:
            options = Options(open_timeout_s=0.2)
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open, options=options)
            assert [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]
        assert len(log.closed) == 1 and log.opened == []

    run(main)


def test_an_opening_that_is_cancelled_says_nothing_even_if_the_answer_comes_late(open_connection: Opener) -> None:
    async def main() -> None:
        asked, cancelled = asyncio.Event(), asyncio.Event()

        async def script(line: Line) -> None:
            request = await line.reader.readuntil(b"\r\n\r\n")
            asked.set()
            await cancelled.wait()
            line.protocol.receive_data(request)
            await line.handshake(behind=text("too late"))
            await line.until_gone()

        log = Log()
        async with venue(script, greet=False) as url:
            task = asyncio.create_task(open_connection(url, 4, log.callbacks(), on_open=log.on_open))
            await asked.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            cancelled.set()
        assert log.order == []

    run(main)


def test_a_certificate_of_an_unknown_authority_is_refused(open_connection: Opener, tmp_path: Path) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            raise AssertionError("the client went on")

        log = Log()
        async with venue(script, greet=False, tls=server_tls(tmp_path)) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
        assert log.opened == [] and [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]
        assert "certificate verify failed" in log.closed[0][2].lower()

    run(main)


def test_a_certificate_of_another_host_is_refused(open_connection: Opener, tmp_path: Path) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            raise AssertionError("the client went on")

        log = Log()
        async with venue(script, greet=False, tls=server_tls(tmp_path)) as url:
            options = Options(tls=trusting())
            await open_connection(
                url.replace("127.0.0.1", "127.0.0.2"), 4, log.callbacks(), on_open=log.on_open, options=options
            )
        assert log.opened == [] and [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]

    run(main)


def test_over_tls_frames_batches_pings_and_closes_are_the_same(open_connection: Opener, tmp_path: Path) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(*(text(f"{i}") for i in range(300)), frame(9, b"p"), frame(1, b"hal", fin=False), frame(0, b"f"))
            heard = await line.hear()
            assert heard is not None and bytes(heard.data) == b"p"
            line.write(goodbye(1001, "bye"))
            assert await line.hear_close() == (1001, "bye")
            line.writer.close()

        log = Log(expected=301)
        async with venue(script, tls=server_tls(tmp_path)) as url:
            options = Options(tls=trusting())
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open, options=options)
            await log.gone.wait()
        assert log.payloads == [*(f"{i}".encode() for i in range(300)), b"half"]
        assert [len(payloads) for _, payloads, _, _ in log.calls] == [300, 1] and len(log.alive) == 1
        assert log.closed == [(4, 1001, "bye")]

    run(main)


def test_a_half_open_tls_line_is_dropped_within_seconds(open_connection: Opener, tmp_path: Path) -> None:
    """Closing TLS politely would wait half a minute for a peer that is not there."""

    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("last words"))
            await line.writer.drain()
            line.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await dropped.wait()
            line.writer.transport.resume_reading()  # type: ignore[attr-defined]
            await line.until_gone()

        dropped = asyncio.Event()
        log = Log()
        async with venue(script, tls=server_tls(tmp_path)) as url:
            options = Options(tls=trusting())
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open, options=options)
            await log.enough.wait()
            log.line.send_ping()
            log.line.drop()
            dropped.set()
        assert log.closed == []

    run(main, seconds=15)


def test_a_proxy_is_asked_to_connect_and_then_passes_the_bytes_on(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("through"))
            await line.until_gone()

        asked: list[bytes] = []
        relays: list[asyncio.Task[None]] = []

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(4096):
                writer.write(data)
            writer.close()

        async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
            host, port = asked[-1].split()[1].decode().split(":")
            onward_reader, onward_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            relays.append(asyncio.create_task(pump(reader, onward_writer)))
            await pump(onward_reader, writer)

        log = Log()
        server = await asyncio.start_server(proxy, "127.0.0.1", 0)
        async with venue(script) as url:
            options = Options(proxy=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open, options=options)
            await log.enough.wait()
            log.line.drop()
        server.close()
        assert asked == [f"CONNECT {url.removeprefix('ws://')} HTTP/1.1".encode()]

    run(main)


def test_a_proxy_that_refuses_is_told_as_a_close(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            await line.reader.readuntil(b"\r\n\r\n")
            line.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await line.until_gone()

        log = Log()
        async with venue(script, greet=False) as url:
            options = Options(proxy=url.replace("ws:", "http:"))
            await open_connection("ws://127.0.0.1:9", 4, log.callbacks(), on_open=log.on_open, options=options)
        assert [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)] and "407" in log.closed[0][2]

    run(main)
