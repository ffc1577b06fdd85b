"""The way to the venue: a proxy for sockets and REST alike, and no certificate believed that nobody vouches for."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ringcollect.config import Websocket
from ringcollect.errors import ConfigError
from ringcollect.feed.actions import Rest
from ringcollect.feed.rest import RestClient
from ringcollect.feed.route import DIRECT, Route, route
from ringcollect.feed.transport import Opener, Options
from tests.feed.certificate import CERTIFICATE, server_tls
from tests.feed.wire import Log, run, venue


def test_without_settings_the_way_is_direct_and_the_systems_authorities_count():
    assert route(Websocket(), {}) == DIRECT


def test_credentials_come_from_the_environment_and_are_never_shown():
    way = route(Websocket(proxy="http://10.0.0.1:3128"), {"RINGCOLLECT_PROXY_AUTH": "me:p@ss/word"})
    assert way.proxy == "http://me:p%40ss%2Fword@10.0.0.1:3128" and "ss" not in repr(way)
    assert route(Websocket(proxy="socks5://10.0.0.1:1080"), {}).proxy == "socks5://10.0.0.1:1080"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_of_authorities_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"websocket\.ca_file: .*ca\.pem"):
        route(Websocket(ca_file=str(path)), {})


def vouched(tmp_path: Path) -> Route:
    path = tmp_path / "ca.pem"
    path.write_text(CERTIFICATE)
    return route(Websocket(ca_file=str(path)), {})


async def got(url: str, way: Route) -> tuple[int, bytes]:
    """Status and body of one REST answer."""
    answered: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
    client = RestClient(
        lambda request, status, headers, body, ts: answered.set_result((status, body)), tls=way.tls, proxy=way.proxy
    )
    client.get(Rest(1, url, 1, "w", "instruments", "spot", -1))
    found = await asyncio.wait_for(answered, 10)
    await client.close()
    return found


@asynccontextmanager
async def rest_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    yield server.sockets[0].getsockname()[1]
    server.close()


def test_a_server_nobody_vouches_for_is_refused_by_sockets_and_rest_and_taken_with_its_authority(
    open_connection: Opener, tmp_path: Path
) -> None:
    async def main() -> None:
        async def script(line) -> None:
            await line.until_gone()

        refused, taken = Log(), Log()
        async with venue(script, tls=server_tls(tmp_path)) as url:
            await open_connection(
                url, 1, taken.callbacks(), on_open=taken.on_open, options=Options(tls=vouched(tmp_path).tls)
            )
            assert len(taken.opened) == 1
            taken.line.drop()
        async with venue(script, greet=False, tls=server_tls(tmp_path)) as url:
            await open_connection(url, 2, refused.callbacks(), on_open=refused.on_open, options=Options(tls=DIRECT.tls))
            assert refused.opened == [] and "certificate" in refused.closed[0][2].lower()
        async with rest_server(server_tls(tmp_path)) as port:
            status, why = await got(f"https://127.0.0.1:{port}/", DIRECT)
            assert status == 0 and b"certificate" in why.lower()
            assert await got(f"https://127.0.0.1:{port}/", vouched(tmp_path)) == (200, b"[]")

    run(main)


def test_the_environments_authorities_count_too(tmp_path, monkeypatch) -> None:
    path = tmp_path / "env.pem"
    path.write_text(CERTIFICATE)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = route(Websocket(ca_file=str(path)), {}).tls
    assert context is not None and context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    assert len(ssl.create_default_context().get_ca_certs()) == 1


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


def test_rest_goes_through_an_http_proxy_with_the_credentials_of_the_environment() -> None:
    async def main() -> None:
        asked: list[bytes] = []

        async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(proxy, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        way = route(Websocket(proxy=f"http://127.0.0.1:{port}"), {"RINGCOLLECT_PROXY_AUTH": "me:secret"})
        assert await got("http://venue.example/list", way) == (200, b"{}")
        server.close()
        head = asked[0].decode().lower()
        assert head.startswith("get http://venue.example/list")
        assert base64.b64encode(b"me:secret").decode().lower() in head

    run(main)


def test_rest_goes_through_a_socks_proxy() -> None:
    pytest.importorskip("python_socks")

    async def main() -> None:
        asked: list[tuple[str, int]] = []

        async def socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            methods = (await reader.readexactly(2))[1]
            await reader.readexactly(methods)
            writer.write(b"\x05\x00")  # no authentication
            _, _, _, kind = await reader.readexactly(4)
            assert kind == 1  # an IPv4 address
            host = ".".join(map(str, await reader.readexactly(4)))
            port = int.from_bytes(await reader.readexactly(2), "big")
            asked.append((host, port))
            onward_reader, onward_writer = await asyncio.open_connection(host, port)
            writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            await asyncio.gather(relay(reader, onward_writer), relay(onward_reader, writer))

        server = await asyncio.start_server(socks, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with rest_server() as there:
            way = route(Websocket(proxy=f"socks5://127.0.0.1:{port}"), {})
            found = await got(f"http://127.0.0.1:{there}/", way)
            assert found == (200, b"[]"), found
            assert asked == [("127.0.0.1", there)]
        server.close()

    run(main)
