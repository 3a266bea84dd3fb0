"""The site that is crawled: a folder of images, pages that show them, and a log of what it sent."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

__all__ = ["Sent", "Site", "served"]

HOST = "127.0.0.1"
SECTION = 100
"""Pages that a section links to, or a sitemap names."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the site says of all requests since it was asked last: how many, the bytes of bodies
    that it sent, and those of images among them."""

    requests: int = 0
    bytes: int = 0
    image_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """``pages`` of all kinds are at ``port``."""

    port: int
    pages: int
    _asked: Connection

    def sent(self) -> Sent:
        self._asked.send(None)
        found: Sent = self._asked.recv()
        return found


@contextmanager
def served(folder: Path, per_page: int) -> Iterator[Site]:
    """Another process serves the files of ``folder``, until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder, per_page, theirs), daemon=True)
    process.start()
    theirs.close()  # so that its death is heard
    try:
        port, pages = ours.recv()
        yield Site(port, pages, ours)
    finally:
        process.terminate()
        process.join()


def _serve(folder: Path, per_page: int, told: Connection) -> None:
    asyncio.run(_run(folder, per_page, told))


async def _run(folder: Path, per_page: int, told: Connection) -> None:
    bodies = {f"/{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()}
    pages = _pages(sorted(bodies), per_page)
    log: list[tuple[int, bool]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = _answer(request, bodies, pages)
        log.append((response.content_length or 0, request.path in bodies))
        return response

    def tell() -> None:
        told.recv()
        sizes, of_images = [n for n, _ in log], [n for n, is_image in log if is_image]
        told.send(Sent(len(log), sum(sizes), sum(of_images)))
        log.clear()

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    asyncio.get_running_loop().add_reader(told.fileno(), tell)
    told.send((runner.addresses[0][1], len(pages)))
    await asyncio.Event().wait()


def _answer(
    request: web.BaseRequest, bodies: Mapping[str, bytes], pages: Mapping[str, str]
) -> web.Response:
    tag = f'"{request.path}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(body=b"", status=304, headers={"ETag": tag})
    if body := bodies.get(request.path):
        return web.Response(body=body, content_type="image/jpeg", headers={"ETag": tag})
    if page := pages.get(request.path):
        kind = "application/xml" if page.startswith("<?xml") else "text/html"
        return web.Response(body=page.encode(), content_type=kind)
    return web.Response(body=b"", status=404)


def _pages(names: list[str], per_page: int) -> dict[str, str]:
    """Every other section of them is linked, the others are named by sitemaps."""
    shown = [names[at : at + per_page] for at in range(0, len(names), per_page)]
    pages = {
        f"/page/{number}": "".join(f'<img src="{name}">' for name in some)
        for number, some in enumerate(shown)
    }
    paths = [*pages]
    parts = [paths[at : at + SECTION] for at in range(0, len(paths), SECTION)]
    sections = {f"/section/{number}": _links(some) for number, some in enumerate(parts[::2])}
    sitemaps = {f"/sitemap/{number}.xml": some for number, some in enumerate(parts[1::2])}
    return pages | sections | {"/": _links([*sections])} | _sitemaps(sitemaps)


def _links(paths: Sequence[str]) -> str:
    return "".join(f'<a href="{path}">{path}</a>' for path in paths)


def _sitemaps(of: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Each with its pages, and an index, which robots.txt names."""
    made = {path: _xml("url", some) for path, some in of.items()}
    robots = "User-agent: *\nDisallow:\nSitemap: /sitemaps.xml\n"
    return made | {"/sitemaps.xml": _xml("sitemap", [*of]), "/robots.txt": robots}


def _xml(entry: str, paths: Sequence[str]) -> str:
    root = "urlset" if entry == "url" else "sitemapindex"
    entries = "".join(f"<{entry}><loc>{path}</loc></{entry}>" for path in paths)
    head = f'<?xml version="1.0"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return f"{head}{entries}</{root}>"
