"""The process that crawls, from its parent's side: started, listened to, and ended.

Scrapy runs in a process of its own because its reactor starts once a process, and so that what a
site does to it costs one crawl.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from ris_jobs.crawl.web import wire
from ris_jobs.crawl.web.values import Ended, Event, Order
from ris_jobs.errors import CrawlFailed

__all__ = ["crawl"]

# Secrets and proxies stay behind; these say where programs, libraries and certificates are.
_ENVIRONMENT = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "HOME", "TMPDIR",
    "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip
_LAST_WORDS = 12  # lines


def crawl(order: Order) -> Generator[Event, None, None]:
    """Crawl a source, and tell what is found as it comes, :class:`Ended` last.

    Closing the iterator ends the crawl at once, and so does the end of this process. Raises
    :class:`CrawlFailed` when the process that crawls dies.
    """
    with _child() as child:
        assert child.stdin and child.stdout and child.stderr
        words = _listen(child.stderr)
        with suppress(BrokenPipeError):  # if it died, its stdout says so below
            child.stdin.write(wire.dump(order))
            child.stdin.flush()  # and stays open: its end tells the child that we are gone
        for line in child.stdout:
            event = wire.event(line)
            yield event
            if isinstance(event, Ended):
                return
        how = _death(child.wait())
        words.join()
        raise CrawlFailed(order.source.name, how, words.text)


@contextmanager
def _child() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "ris_jobs.crawl.web"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in filter(None, (child.stdin, child.stdout)):
            with suppress(BrokenPipeError):
                pipe.close()


class _Words(threading.Thread):
    """Reads what the child says of trouble, so that it never waits for us to; keeps the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._lines: deque[bytes] = deque(maxlen=_LAST_WORDS)

    def run(self) -> None:
        with self._stream as stream:
            while line := stream.readline(2000):
                self._lines.append(line)

    @property
    def text(self) -> str:
        return b"".join(self._lines).decode("utf-8", "replace").strip()


def _listen(stream: IO[bytes]) -> _Words:
    words = _Words(stream)
    words.start()
    return words


def _death(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended early with status {status}"
