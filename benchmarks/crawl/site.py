"""The site that is crawled: a folder of images, and pages that show them."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web

__all__ = ["served"]

HOST = "127.0.0.1"


@contextmanager
def served(folder: Path, per_page: int) -> Iterator[int]:
    """The port where another process serves the files of ``folder``, until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder, per_page, theirs), daemon=True)
    process.start()
    theirs.close()  # so that its death is heard
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(folder: Path, per_page: int, told: Connection) -> None:
    asyncio.run(_run(folder, per_page, told))


async def _run(folder: Path, per_page: int, told: Connection) -> None:
    bodies = {f"/{path.name}": path.read_bytes() for path in folder.iterdir() if path.is_file()}
    pages = _pages(sorted(bodies), per_page)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        tag = f'"{request.path}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        if body := bodies.get(request.path):
            return web.Response(body=body, content_type="image/jpeg", headers={"ETag": tag})
        if page := pages.get(request.path):
            return web.Response(text=page, content_type="text/html")
        return web.Response(status=404)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    told.send(runner.addresses[0][1])
    await asyncio.Event().wait()


def _pages(names: list[str], per_page: int) -> dict[str, str]:
    shown = [names[at : at + per_page] for at in range(0, len(names), per_page)]
    pages = {
        f"/page/{number}": "".join(f'<img src="{name}">' for name in some)
        for number, some in enumerate(shown)
    }
    return pages | {"/": "".join(f'<a href="{path}">{path}</a>' for path in pages)}
