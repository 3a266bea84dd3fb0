"""Names to addresses, by the system's resolver in threads of its own.

A name server may take half a minute for no answer, and a thread that waits for it cannot be
stopped. In the event loop's own threads a few such names would keep files from being written.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

__all__ = ["Resolver"]

_NAMES = 64
"""That are looked up at a time."""

_Infos = list[tuple[Any, ...]]


class Resolver(AbstractResolver):
    """All addresses of a name or none: ``judge`` raises for a bad one, and a name that has one is
    a bad name. Whoever asks for a name that is being looked up gets the same answer, so that a slow
    one takes one thread."""

    def __init__(self, judge: Callable[[str], None]) -> None:
        self._judge = judge
        self._threads = ThreadPoolExecutor(_NAMES, "names")
        self._asked: dict[tuple[str, int], asyncio.Future[_Infos]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await asyncio.shield(self._asked.get((host, family)) or self._ask(host, family))
        for *_, address in found:
            self._judge(address[0])
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(
                hostname=host, host=address[0], port=port, family=kind, proto=proto, flags=flags
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, host: str, family: int) -> asyncio.Future[_Infos]:
        look = partial(
            socket.getaddrinfo, host, 0, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        asked = asyncio.get_running_loop().run_in_executor(self._threads, look)
        self._asked[host, family] = asked
        asked.add_done_callback(lambda _: self._asked.pop((host, family)))
        # Perhaps nobody waits any more for what went wrong.
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())
        return asked
