"""Crawls of one machine that ask the same host take turns, so that it is asked no faster than by
one of them.

A file of fixed size holds for each host, found by its hash, when the next request may go. Who asks
takes that time and moves it on; nothing is held while a request is under way, so that no crawl can
wait for another one that died. Two hosts of one hash wait for each other, which is rare and harms
nobody.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
from pathlib import Path

__all__ = ["Turns"]

_HOSTS = 1 << 16
_TIME = struct.Struct("<d")
_AHEAD = 86400.0  # seconds: no time is further ahead, unless the clock was set back since


class Turns:
    """``file`` is made where it is not there yet."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, host: str, delay: float) -> float:
        """Seconds until a request may go to the host; the next one goes ``delay`` seconds later."""
        digest = hashlib.blake2b(host.encode(), digest_size=4).digest()
        at = int.from_bytes(digest) % _HOSTS * _TIME.size
        fcntl.lockf(self._file, fcntl.LOCK_EX, _TIME.size, at)
        try:
            wait = self._wait(at)
            os.pwrite(self._file, _TIME.pack(time.time() + wait + delay), at)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _TIME.size, at)
        return wait

    def _wait(self, at: int) -> float:
        found = os.pread(self._file, _TIME.size, at)
        wait = _TIME.unpack(found)[0] - time.time() if len(found) == _TIME.size else 0.0
        return wait if 0 < wait <= _AHEAD else 0.0

    def close(self) -> None:
        os.close(self._file)
