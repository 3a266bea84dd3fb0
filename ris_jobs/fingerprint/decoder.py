"""Decoding where it can hurt nobody: in child processes with limits.

Image decoders are C code that reads what strangers wrote. A crash, a hang or a hunger for
memory ends a child and costs one image, which is quarantined; another child takes over. A child
is an interpreter of its own in a session of its own, so that neither torch nor a terminal's
Ctrl-C reaches it. File and pixels pass through shared memory that the parent copies from, so
that a child can change nothing that its parent has begun to use.
"""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_jobs.errors import DecoderUnavailable, ImageRejected, Reason
from ris_jobs.fingerprint import Decoded, Lacking, Rgb, Trace, from_json
from ris_jobs.fingerprint.allocator import keep_freed_memory

__all__ = ["Decoder", "Limits"]

_PROGRAM = """
import json, sys
path, *arguments = json.loads(sys.argv[1])
sys.path[:] = path
from ris_jobs.fingerprint.decode_child import serve
serve(*arguments)
"""
# What an interpreter may need of its parent's environment; passwords and keys stay out of it.
_PASSED = re.compile(r"PATH|LANG|LC_\w+|LD_LIBRARY_PATH|TZ|(PYTHON|OPENBLAS|OMP|MALLOC)\w*")
_START_S = 60
_END_S = 5
_ANSWER = 1 << 17

# Bytes of shared memory that stay from one image to the next: the kernel need not clear them again.
_KEPT = 64 << 20

# Seconds on the clock for each second of CPU time: other work may keep a child waiting.
_PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What one image may take of its decoder: bytes of private memory, seconds of CPU time."""

    memory: int = 4 << 30
    seconds: float = 120


class Decoder:
    """:func:`ris_jobs.fingerprint.decode.decode` in a child process, with its arguments;
    ``anchors`` is a file of certificates.

    Threads may share it: each call has a child of its own. Children start with the first
    calls and are kept; a fork leaves them to the process that started them.
    """

    def __init__(
        self,
        *,
        max_pixels: int,
        truncated: str,
        limits: Limits | None = None,
        anchors: Path | None = None,
    ) -> None:
        self._arguments = (max_pixels, truncated, None if anchors is None else str(anchors))
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        weakref.finalize(self, _end, self._idle)
        keep_freed_memory()

    def __call__(self, data: bytes) -> Decoded:
        """The picture; :class:`ImageRejected` if there is none or its decoder dies of it.

        A child that crashes is given a second chance: when a machine runs out of memory, it is
        not always the guilty that is killed. :class:`DecoderUnavailable` if none can be started.
        """
        with suppress(_Crashed):
            return self._decode(data)
        try:
            return self._decode(data)
        except _Crashed as crash:
            detail = f"its decoder died of it twice: {crash}"
            raise ImageRejected(Reason.DECODER_CRASHED, detail) from crash

    def _decode(self, data: bytes) -> Decoded:
        with self._child() as child:
            return child.decode(data)

    @contextmanager
    def _child(self) -> Iterator[_Child]:
        """A child of this process and this thread alone, kept if it gave an answer."""
        with self._lock:
            if self._idle and self._idle[0].parent != os.getpid():
                self._idle.clear()
            child = self._idle.pop() if self._idle else None
        child = child or _Child(self._limits, *self._arguments)
        try:
            yield child
        finally:
            if child.is_idle:
                with self._lock:
                    self._idle.append(child)
            else:
                child.end()


class _Crashed(Exception):
    """A child ended, and not by a limit of time; says how."""


class _Child:
    """One process, and the socket and the memory shared with it."""

    def __init__(
        self, limits: Limits, max_pixels: int, truncated: str, anchors: str | None
    ) -> None:
        self.parent = os.getpid()
        self._seconds = limits.seconds
        self._max_pixels = max_pixels
        self._shared = os.memfd_create("ris-decode")
        weakref.finalize(self, os.close, self._shared)
        arguments = (
            *(self._shared, limits.memory, limits.seconds),
            *(max_pixels, truncated, anchors),
        )
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = _start(theirs, self._shared, arguments)
        self._socket.settimeout(_START_S)
        self.is_idle = self._receive() == b"ready"
        if not self.is_idle:
            raise DecoderUnavailable(f"it ended with {self._ending()} before it was ready")

    def decode(self, data: bytes) -> Decoded:
        """As :meth:`Decoder.__call__`, but for :class:`_Crashed`."""
        self.is_idle = False
        if os.fstat(self._shared).st_size > _KEPT:
            os.ftruncate(self._shared, _KEPT)
        os.pwrite(self._shared, data, 0)
        self._socket.settimeout(self._seconds * _PATIENCE)
        with suppress(BrokenPipeError):  # it died while it was idle
            self._socket.send(b"%d" % len(data))
        answer = self._receive()
        if not answer:
            raise self._death()
        try:
            return self._understood(json.loads(answer))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise _Crashed("it gave an answer that means nothing") from error

    def _understood(self, answer: dict[str, Any]) -> Decoded:
        if "reason" in answer:
            self.is_idle = True
            raise ImageRejected(Reason(answer["reason"]), answer["detail"])
        rgb = self._pixels(*answer["shape"][:2])
        self.is_idle = True
        return Decoded(
            rgb,
            answer["format"],
            answer["frames"],
            answer["exif_orientation"],
            from_json(answer["traces"]),
            base64.b64decode(answer["sample"], validate=True),
            tuple(Lacking(Trace(trace), str(why)) for trace, why in answer["lacking"]),
        )

    def _pixels(self, height: int, width: int) -> Rgb:
        if height * width > self._max_pixels:
            raise ValueError("more pixels than it may give")
        rgb = np.empty((height, width, 3), np.uint8)
        if os.preadv(self._shared, [rgb.data], 0) != rgb.nbytes:
            raise ValueError("fewer pixels than it says")
        rgb.flags.writeable = False
        return rgb

    def _receive(self) -> bytes:
        """The next message; none when the child has died, as it does when the clock runs out."""
        try:
            return self._socket.recv(_ANSWER)
        except ConnectionError:
            return b""
        except TimeoutError:
            self._process.send_signal(signal.SIGPROF)
            return b""

    def _death(self) -> Exception:
        if (how := self._ending()) == "SIGPROF":
            detail = f"it was not decoded in {self._seconds:g} s of CPU time"
            return ImageRejected(Reason.DECODER_TOO_SLOW, detail)
        return _Crashed(how)

    def _ending(self) -> str:
        """How a child ended that hung up: by a signal or with an exit status."""
        try:
            status = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"

    def end(self) -> None:
        """End the process, whatever it does."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


def _start(
    theirs: socket.socket, shared: int, arguments: tuple[Any, ...]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, json.dumps([sys.path, *arguments])],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[shared],
            start_new_session=True,
            env=_environment() | {"OPENBLAS_NUM_THREADS": "1"},
        )
    except OSError as error:
        raise DecoderUnavailable(str(error)) from error


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)}


def _end(children: list[_Child]) -> None:
    """End idle children, but not those of another process that this one was forked from."""
    for child in children:
        if child.parent == os.getpid():
            child.end()
