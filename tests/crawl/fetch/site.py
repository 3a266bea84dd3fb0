"""A site on loopback that answers as it likes, byte by byte, and keeps a log."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from PIL import Image

from ris_jobs.crawl.fetch import Outcome, Policy
from ris_jobs.crawl.fetch.fetcher import Fetcher

HOST = "127.0.0.77"
"""Where the site is: an address of its own, so that it may be allowed and 127.0.0.1 is not."""

Write = Callable[[bytes], Awaitable[None]]
Page = bytes | Callable[[Write], Awaitable[None]]


@dataclass
class Site:
    """``pages`` are answered whole if they are bytes; a function may write what it likes. ``*`` is
    any other path."""

    pages: dict[str, Page]
    port: int = 0
    log: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str, host: str = HOST, scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def policy(self, **more: Any) -> Policy:
        return Policy(**{
            "contact": "crawl@example.org", "allowed": (ip_network(HOST),),
            "ports": frozenset({self.port}), "seconds": 20, "idle_seconds": 5, **more,
        })  # fmt: skip

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            while lines := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n"):
                path = lines[0].split(" ")[1]
                self.log.append((path, dict(line.split(": ", 1) for line in lines[1:] if line)))
                page = self.pages.get(path) or self.pages["*"]
                if not isinstance(page, bytes):
                    await page(write)
                    break
                await write(page)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def served(pages: dict[str, Page], tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    site = Site({"*": response(b"", "404 Not Found")} | pages)
    server = await asyncio.start_server(site.answer, HOST, 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()


def fetch(page: Page, *, policy: dict[str, Any] | None = None, **how: Any) -> tuple[Outcome, bytes]:
    """What becomes of the URL that shows ``page``."""

    async def run() -> tuple[Outcome, bytes]:
        into = io.BytesIO()
        async with served({"/": page}) as site, Fetcher(site.policy(**policy or {})) as fetcher:
            return await fetcher.fetch(site.url("/"), into, **how), into.getvalue()

    return asyncio.run(run())


def response(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """An answer whose headers are right unless they are given, with ``_`` for ``-``."""
    named = {"Content-Length": str(len(body))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    return response(b"", status, Location=to)


def start(**headers: str) -> bytes:
    """The head of an answer without a length: it ends with the connection."""
    return response(b"", **headers).replace(b"Content-Length: 0\r\n", b"")


def again(data: bytes, seconds: float = 0.0) -> Callable[[Write], Awaitable[None]]:
    """A page that says the same for ever, pausing in between."""

    async def page(write: Write) -> None:
        while True:
            await write(data)
            await asyncio.sleep(seconds)

    return page


def then(first: bytes, page: Callable[[Write], Awaitable[None]]) -> Page:
    async def both(write: Write) -> None:
        await write(first)
        await page(write)

    return both


def picture() -> bytes:
    """A PNG of some hundred bytes."""
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "PNG")
    return file.getvalue()


def chunked(pieces: Iterator[bytes] | list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
