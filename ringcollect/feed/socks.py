"""REST through a socks proxy: what aiohttp does not do by itself, with the library the sockets use for it too."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp


class SocksConnector(aiohttp.TCPConnector):
    """Connects through ``proxy`` (``socks5://[user:password@]host:port``); TLS and the rest stay aiohttp's."""

    def __init__(self, proxy: str, **options: Any) -> None:
        super().__init__(**options)
        self._proxy = proxy

    async def _wrap_create_connection(  # aiohttp's own way to a new TCP connection
        self, *args: Any, addr_infos: Any, req: Any, timeout: Any, client_error: Any = None, **kwargs: Any
    ) -> Any:
        from python_socks import ProxyError
        from python_socks.async_.asyncio import Proxy

        host, port = addr_infos[0][4][:2]
        try:
            connected = await Proxy.from_url(self._proxy).connect(host, port, timeout=timeout.sock_connect)
        except ProxyError as error:
            raise OSError(f"the proxy refused: {error}") from error
        return await asyncio.get_running_loop().create_connection(*args, **kwargs, sock=connected)
