"""Both transports: what arrives is delivered whole, in order, in batches stamped at the socket read, exactly once."""

from __future__ import annotations

import asyncio
import itertools

import psutil
import pytest

from ringcollect.feed.transport import Opener, Options
from tests.feed.wire import Line, Log, frame, goodbye, run, text, venue

TEXT, BINARY, PING = 1, 2, 9


def test_fragmented_binary_and_text_messages_are_delivered_whole_and_in_order(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(frame(1, b'{"a"', fin=False), frame(0, b":1", fin=False), frame(0, b"}"))
            line.write(frame(2, b"bin", fin=False), frame(9, b"in between"), frame(0, b""), frame(2, b"binary"))
            line.write(text("ünï"), frame(1, b"", fin=False), frame(0, b""), frame(1, b""))
            await line.until_gone()

        log = Log(expected=6)
        async with venue(script) as url:
            await open_connection(url, 7, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert [(p, opcode) for _, payloads, opcode, _ in log.calls for p in payloads] == [
                (b'{"a":1}', TEXT), (b"bin", BINARY), (b"binary", BINARY),
                ("ünï".encode(), TEXT), (b"", TEXT), (b"", TEXT),
            ]  # fmt: skip
            assert {conn for conn, *_ in log.calls} == {7}
            log.line.drop()

    run(main)


def test_500_frames_of_one_segment_are_one_call_with_one_stamp(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(*(text(f'{{"number":{i}}}') for i in range(500)))
            await line.until_gone()

        ticks = itertools.count(1)
        log = Log(expected=500)
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(lambda: next(ticks)), on_open=log.on_open)
            await log.enough.wait()
            [(_, payloads, opcode, stamp)] = log.calls
            assert payloads == [f'{{"number":{i}}}'.encode() for i in range(500)]
            assert opcode == TEXT and 0 < stamp <= next(ticks)
            log.line.drop()

    run(main)


def test_a_read_of_text_and_binary_is_one_call_per_run_of_equal_opcodes(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("a"), text("b"), frame(2, b"c"), frame(2, b"d"), text("e"))
            await line.until_gone()

        log = Log(expected=5)
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            calls = [(payloads, opcode) for _, payloads, opcode, _ in log.calls]
            assert calls == [([b"a", b"b"], TEXT), ([b"c", b"d"], BINARY), ([b"e"], TEXT)]
            assert len({stamp for *_, stamp in log.calls}) == 1
            log.line.drop()

    run(main)


def test_the_stamp_is_the_socket_reads_and_does_not_move_when_the_consumer_is_slow(open_connection: Opener) -> None:
    async def main() -> None:
        burst = [text(f"{i}") for i in range(50)]
        go_on = asyncio.Event()

        async def script(line: Line) -> None:
            line.write(*burst, frame(9, b"?"), *burst[:2], b"".join(burst)[:2])
            await go_on.wait()
            line.write(b"".join(burst)[2:6])  # the message is stamped by the read that completes it
            await line.until_gone()

        clock = [1_000]
        log = Log(expected=52)
        deliver = log.on_frames

        def slow(conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
            clock[0] += 5_000_000 * len(payloads)  # the consumer takes 5 ms of this clock per frame
            deliver(conn, payloads, opcode, ts_recv)

        log.on_frames = slow  # type: ignore[method-assign]
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(lambda: clock[0]), on_open=log.on_open)
            await log.enough.wait()
            assert {stamp for *_, stamp in log.calls} == {1_000} and log.alive == [1_000]
            log.enough.clear()
            log.expected, clock[0] = 54, 9_000_000_000
            go_on.set()
            await log.enough.wait()
            assert log.calls[-1][1:] == ([b"0", b"1"], TEXT, 9_000_000_000)
            log.line.drop()

    run(main)


def test_frames_behind_the_handshakes_answer_in_the_same_segment_are_not_lost(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            await line.handshake(behind=text("first") + text("second")[:3])
            line.write(text("second")[3:], text("third"))
            await line.until_gone()

        log = Log(expected=3)
        async with venue(script, greet=False) as url:
            await open_connection(url, 4, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert log.payloads == [b"first", b"second", b"third"]
            assert log.order[0] == "open" and len(log.opened) == 1
            log.line.drop()

    run(main)


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
def test_frames_cut_anywhere_by_the_network_arrive_whole(open_connection: Opener, cut: int) -> None:
    sizes = (0, 1, 125, 126, 127, 300, 65_535, 65_536, 100_000)

    async def main() -> None:
        async def script(line: Line) -> None:
            stream = b"".join(text(bytes([65 + i]) * size) for i, size in enumerate(sizes))
            head, rest = stream[:1_200], stream[1_200:]
            for at in range(0, len(head), cut):
                line.write(head[at : at + cut])
                await asyncio.sleep(0)
            for at in range(0, len(rest), 4_099 * cut):
                line.write(rest[at : at + 4_099 * cut])
                await asyncio.sleep(0)
            await line.until_gone()

        log = Log(expected=len(sizes))
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert log.payloads == [bytes([65 + i]) * size for i, size in enumerate(sizes)]
            log.line.drop()

    run(main)


def test_text_that_is_not_utf8_is_handed_over_as_it_came_for_the_decoder_to_refuse(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text(b'{"s":"\xff\xfe"}'), text("after"))
            await line.until_gone()

        log = Log(expected=2)
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert log.payloads == [b'{"s":"\xff\xfe"}', b"after"] and log.closed == []
            log.line.drop()

    run(main)


def test_a_snapshot_of_5_mb_arrives_whole_or_in_fragments(open_connection: Opener) -> None:
    snapshot = b'{"type":"snapshot","updates":[' + b'{"price_level":"1.00"},' * 230_000 + b"]}"
    assert len(snapshot) > 5 << 20

    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text(snapshot))
            pieces = [snapshot[at : at + 65_536] for at in range(0, len(snapshot), 65_536)]
            line.write(frame(1, pieces[0], fin=False), *(frame(0, piece, fin=False) for piece in pieces[1:]))
            line.write(frame(0, b""))
            await line.until_gone()

        log = Log(expected=2)
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert log.payloads == [snapshot, snapshot]
            log.line.drop()

    run(main)


@pytest.mark.parametrize(
    ("unit", "per_write", "writes"),
    [(text(b"x" * 1_400), 100, 400), (text(b"x" * 20), 5_000, 40), (frame(9, b"p" * 125), 500, 40)],
    ids=["messages", "small messages", "pings"],
)
def test_memory_stays_bounded_under_a_flood(open_connection: Opener, unit: bytes, per_write: int, writes: int) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            hearing = asyncio.create_task(line.until_gone())
            for _ in range(writes):
                line.write(unit * per_write)
                await line.writer.drain()
            line.write(text(b"end"))
            await hearing

        log = Log()

        def only_counted(conn: int, payloads: list[bytes], opcode: int, ts_recv: int) -> None:
            log.messages += len(payloads)
            if payloads[-1] == b"end":
                log.enough.set()

        log.on_frames = only_counted  # type: ignore[method-assign]
        log.on_alive = lambda conn, ts: log.alive.append(ts)  # type: ignore[method-assign]
        async with venue(script) as url:
            before = psutil.Process().memory_info().rss
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            grown = psutil.Process().memory_info().rss - before
            assert log.messages + len(log.alive) == 1 + per_write * writes
            assert grown < 32 << 20
            log.line.drop()

    run(main)


def test_a_message_in_empty_fragments_without_end_costs_no_memory(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(frame(1, b"begin", fin=False))
            for _ in range(4):
                line.write(frame(0, b"", fin=False) * 50_000)
                await line.writer.drain()
            line.write(frame(0, b"end"))
            await line.until_gone()

        log = Log()
        async with venue(script) as url:
            before = psutil.Process().memory_info().rss
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
            assert log.payloads == [b"beginend"]
            assert psutil.Process().memory_info().rss - before < 16 << 20
            log.line.drop()

    run(main)


def test_a_fragmented_message_in_compressed_frames_is_inflated_where_a_venue_demands_it() -> None:
    """websockets alone: choosing picows for such a venue is a configuration error."""
    import websockets.asyncio.server as server

    from ringcollect.feed.transport import opener

    async def main() -> None:
        async def handler(ws: server.ServerConnection) -> None:
            assert "permessage-deflate" in ws.request.headers["Sec-WebSocket-Extensions"]
            await ws.send(['{"a":' + "1" * 5_000, "}"])
            await ws.send(b"\x00" * 70_000)
            await ws.wait_closed()

        log = Log(expected=2)
        async with await server.serve(handler, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as served:
            url = f"ws://127.0.0.1:{served.sockets[0].getsockname()[1]}"
            options = Options(deflate=True)
            await opener("websockets")(url, 0, log.callbacks(), on_open=log.on_open, options=options)
            await log.enough.wait()
            assert log.payloads == [b'{"a":' + b"1" * 5_000 + b"}", b"\x00" * 70_000]
            log.line.drop()

    run(main)


def test_nothing_behind_a_close_frame_is_delivered(open_connection: Opener) -> None:
    async def main() -> None:
        async def script(line: Line) -> None:
            line.write(text("before"), goodbye(1001), text("behind"), frame(9, b"behind"))
            assert await line.hear_close() == (1001, "")

        log = Log()
        async with venue(script) as url:
            await open_connection(url, 0, log.callbacks(), on_open=log.on_open)
            await log.enough.wait()
        await log.gone.wait()
        assert log.payloads == [b"before"] and log.alive == [] and log.closed == [(0, 1001, "")]

    run(main)
