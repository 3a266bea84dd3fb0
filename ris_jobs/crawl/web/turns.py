"""Crawls of one machine that ask the same host take turns, so that it is asked no faster than by
one of them, and leave it alone when it told one of them so.

A file of fixed size holds for each host, found by its hash, when the next request may go, until
when none may, and when that was written: what was written later than now is of a clock that was
set back since, and is passed over. Who asks takes that time and moves it on; nothing is held while
a request is under way, so that no crawl can wait for another one that died. Two hosts of one hash
wait for each other, which is rare and harms nobody.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Turns"]

_HOSTS = 1 << 16
_TIMES = struct.Struct("<ddd")
_AHEAD = 86400.0  # seconds: no time is further ahead
_STEP = 60.0  # seconds by which clocks are set right now and then: so much longer is waited


class Turns:
    """``file`` is made where it is not there yet."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, host: str, delay: float) -> float:
        """Seconds until a request may go to the host; the next one goes ``delay`` seconds later."""
        with self._held(host) as at:
            now = time.time()
            turn, rest = self._read(at, now)
            os.pwrite(self._file, _TIMES.pack(turn + delay, rest, now), at)
        return turn - now

    def rests(self, host: str, seconds: float) -> None:
        """The host asks to be left alone for so long; that is kept for a day at most."""
        with self._held(host) as at:
            now = time.time()
            turn, rest = self._read(at, now)
            until = max(rest, now + min(seconds, _AHEAD))
            os.pwrite(self._file, _TIMES.pack(turn, until, now), at)

    def rest(self, host: str) -> float:
        """Seconds for which the host is still to be left alone."""
        with self._held(host) as at:
            now = time.time()
            return self._read(at, now)[1] - now

    @contextmanager
    def _held(self, host: str) -> Iterator[int]:
        """Where the times of a host stand, which nobody else reads or writes meanwhile."""
        digest = hashlib.blake2b(host.encode(), digest_size=4).digest()
        at = int.from_bytes(digest) % _HOSTS * _TIMES.size
        fcntl.lockf(self._file, fcntl.LOCK_EX, _TIMES.size, at)
        try:
            yield at
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _TIMES.size, at)

    def _read(self, at: int, now: float) -> tuple[float, float]:
        """The next turn, and the end of the rest: now, if it has come."""
        found = os.pread(self._file, _TIMES.size, at)
        turn, rest, written = _TIMES.unpack(found.ljust(_TIMES.size, b"\0"))
        if not written <= now + _STEP:
            return now, now
        ends = now + _AHEAD
        return turn if now < turn <= ends else now, rest if now < rest <= ends else now

    def close(self) -> None:
        os.close(self._file)
