"""Both transports: pings, goodbyes, and an owner that wants to hear nothing more."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import psutil
import pytest
from websockets.frames import Opcode

from ringcollect.feed.transport import Opener
from tests.feed.wire import Line, Log, frame, goodbye, run, text, venue


def test_pings_are_answered_with_their_payload_in_order_and_count_as_life(open_connection: Opener) -> None:
    payloads = [b"1700000000000", b"", b"\x00\xff" * 62]

    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(*(frame(9, payload) for payload in payloads), frame(10, b"unasked"))
            for payload in payloads:
                heard = await line.hear()
                assert heard is not None and (heard.opcode, bytes(heard.data)) == (Opcode.PONG, payload)
            await line.until_gone()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(lambda: 9), on_open=log.on_open)
            while len(log.alive) < 4:
                log.sign_of_life.clear()
                await log.sign_of_life.wait()
            assert log.alive == [9] * 4 and log.calls == [] and log.closed == []
            log.line.drop()

    run(main)


def test_messages_before_a_ping_are_told_before_it_and_a_ping_ends_no_batch_of_the_next_read(
    open_connection: Opener,
) -> None:
    async def main() -> None:
        seen = asyncio.Event()

        async def script(line: Line) -> None:
            line.write(text("a"), frame(9, b"1"), text("b"), text("c"), frame(9, b"2"))
            await seen.wait()
            line.write(text("d"))
            await line.until_gone()

        log = Log(expected=3)
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            await log.sign_of_life.wait()
            log.expected = 4
            log.enough.clear()
            seen.set()
            await log.enough.wait()
            assert [payloads for _, payloads, _, _ in log.calls] == [[b"a"], [b"b", b"c"], [b"d"]]
            assert log.order == ["open", "frames", "alive", "frames", "alive", "frames"]
            log.line.drop()

    run(main)


def test_our_ping_is_masked_and_its_pong_counts_as_life(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            heard = await line.hear()  # the server's protocol refuses unmasked frames
            assert heard is not None and heard.opcode is Opcode.PING
            line.write(frame(10, bytes(heard.data)))
            await line.until_gone()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            log.line.send_ping()
            await log.sign_of_life.wait()
            log.line.drop()

    run(main)


def test_text_is_sent_as_one_masked_utf8_message_and_the_handshake_asks_for_no_extension(
    open_connection: Opener,
) -> None:
    long = '{"args":["' + "ü" * 40_000 + '"]}'

    async def main() -> None:
        async def script(line: Line) -> None:
            headers = line.request.headers
            assert "Sec-WebSocket-Extensions" not in headers and "Sec-WebSocket-Protocol" not in headers
            assert headers["User-Agent"].startswith("ringcollect/")
            for sent in ("{}", long):
                heard = await line.hear()
                assert heard is not None and (heard.opcode, heard.fin) == (Opcode.TEXT, True)
                assert bytes(heard.data) == sent.encode()
            line.write(text("seen"))
            await line.until_gone()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            log.line.send_text("{}")
            log.line.send_text(long)
            await log.enough.wait()
            log.line.drop()

    run(main)


@pytest.mark.parametrize(
    ("last", "told", "answered"),
    [
        (goodbye(1008, "24 hours are over"), (1008, "24 hours are over"), 1008),
        (goodbye(1000), (1000, ""), 1000),
        (goodbye(4001, "ünï"), (4001, "ünï"), 4001),
        (frame(8, b""), (1005, ""), None),
    ],
)
def test_a_server_close_is_answered_and_told_once_with_its_code_and_reason(
    open_connection: Opener, last: bytes, told: tuple[int, str], answered: int | None
) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(last)
            heard = await line.hear()
            assert heard is not None and heard.opcode is Opcode.CLOSE
            if answered is not None:
                assert int.from_bytes(bytes(heard.data)[:2], "big") == answered
            line.writer.close()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 2, log.callbacks(), on_open=log.on_open)
            await log.gone.wait()
            log.line.send_text("nobody is there")
            log.line.send_ping()
            log.line.drop()
        assert log.closed == [(2, *told)]

    run(main)


def test_a_peer_that_says_goodbye_and_holds_the_line_is_left_after_a_second(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(goodbye(1001, "bye"))
            await line.until_gone()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 2, log.callbacks(), on_open=log.on_open)
            begin = asyncio.get_running_loop().time()
            await log.gone.wait()
            assert asyncio.get_running_loop().time() - begin > 0.5
        assert log.closed == [(2, 1001, "bye")]

    run(main)


def test_what_is_sent_between_a_goodbye_and_the_end_goes_nowhere_and_harms_nobody(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("x"), goodbye(1001))
            assert await line.hear_close() == (1001, "")
            assert await line.hear() is None

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 2, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            log.line.send_text("too late")
            log.line.send_ping()
            await log.gone.wait()
        assert log.closed == [(2, 1001, "")]

    run(main)


def test_a_dropped_connection_never_calls_back_again(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            while not line.writer.transport.is_closing():  # a flood until the client is gone
                line.write(*(text(f"{i}") for i in range(50)), frame(9, b"?"))
                await asyncio.sleep(0)

        log = Log()
        deliver = log.on_frames

        def drop_in_the_midst(conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
            deliver(conn, payloads, opcode, ts_recv)
            log.line.drop()

        log.on_frames = drop_in_the_midst  # type: ignore[method-assign]
        async with venue(script) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
        assert log.order == ["open", "frames"]

    run(main)


def test_dropping_says_goodbye_and_the_server_may_answer(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("x"))
            assert await line.hear_close() == (1000, "")
            line.write(goodbye(1000))
            line.writer.close()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            log.line.drop()
        assert log.order == ["open", "frames"]

    run(main)


def test_dropping_a_half_open_connection_does_not_wait_for_the_peer(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("last words"))
            await line.until_gone()  # swallows everything, also the close frame, and never answers

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            log.line.drop()
        assert log.closed == []

    run(main)


def test_a_reset_by_the_peer_is_told_once_as_1006(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("x"))
            await asked.wait()
            held = line.writer.get_extra_info("socket")
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.writer.transport.abort()

        asked = asyncio.Event()
        log = Log()
        async with venue(script) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            asked.set()
            await log.gone.wait()
        assert [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]

    run(main)


def test_an_end_of_stream_without_goodbye_is_told_once_as_1006(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("x"), text("cut short")[:4])
            line.writer.close()

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await log.gone.wait()
        assert log.payloads == [b"x"] and [(conn, code) for conn, code, _ in log.closed] == [(4, 1006)]

    run(main)


def test_a_peer_that_floods_pings_and_reads_no_pongs_is_not_read_until_it_reads(open_connection: Opener) -> None:
    most = 400_000

    async def main() -> None:
        async def script(line: Line) -> None:
            transport: Any = line.writer.transport
            transport.pause_reading()
            line.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
            block = frame(9, b"p" * 100) * 200
            sent = 0
            idle = 0  # turns of the loop, which is the client's too, in which nothing of ours was taken
            while sent < most and idle < 300:
                waiting = transport.get_write_buffer_size()
                if waiting < 1 << 18:
                    line.write(block)
                    sent += 200
                    idle = 0
                await asyncio.sleep(0)
                idle = idle + 1 if transport.get_write_buffer_size() >= waiting >= 1 << 18 else 0
            assert sent < most, "the client took every ping and kept the pongs"
            grown.append(psutil.Process().memory_info().rss - before)
            transport.resume_reading()
            for _ in range(sent):
                heard = await line.hear()
                assert heard is not None and heard.opcode is Opcode.PONG
            everything.set()
            await line.until_gone()

        grown: list[int] = []
        everything = asyncio.Event()
        log = Log()
        async with venue(script) as url:
            before = psutil.Process().memory_info().rss
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await everything.wait()
            assert grown[0] < 32 << 20 and log.closed == []
            log.line.drop()

    run(main, seconds=60)


def test_a_callback_that_fails_ends_its_connection_and_is_not_swallowed(open_connection: Opener) -> None:
    async def main() -> None:
        raised: list[BaseException] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: raised.append(context["exception"]))

        async def script(line: Line) -> None:
            line.write(text("x"))
            await line.until_gone()

        def broken(conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
            raise ArithmeticError("a bug of the session")

        log = Log()
        log.on_frames = broken  # type: ignore[method-assign]
        async with venue(script) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await log.gone.wait()
        while not raised:
            await asyncio.sleep(0)
        assert [type(error) for error in raised] == [ArithmeticError] and len(log.closed) == 1

    run(main)
