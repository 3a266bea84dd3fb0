"""The other end of :mod:`ris_jobs.fingerprint.decoder`: a process that only decodes.

It is given no secrets: of the parent's environment, which holds passwords, only what an interpreter
needs. It opens nothing but a file of certificates, and imports neither torch nor a database. It is
no sandbox: whoever takes it over may read what its user may, the parent's environment under /proc
too. A message is the number of bytes of a file that lies in the shared memory; the answer is JSON,
never a pickle: whoever takes over a decoder must not get at its parent.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import socket
from pathlib import Path
from typing import Any

from ris_jobs.errors import ImageRejected
from ris_jobs.fingerprint import as_json
from ris_jobs.fingerprint.allocator import keep_freed_memory
from ris_jobs.fingerprint.decode import decode
from ris_jobs.fingerprint.manifest import context_of, read_anchors

__all__ = ["serve"]


def serve(
    shared: int,
    memory: int,
    seconds: float,
    max_pixels: int,
    truncated: str,
    anchors: str | None,
) -> None:
    """Decode until the parent, at the socket that is descriptor 0, hangs up.

    ``shared`` is the descriptor of the shared memory, ``anchors`` a file of certificates. SIGPROF
    ends the process ``seconds`` of CPU time into an image.
    """
    keep_freed_memory()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    trusted = None if anchors is None else read_anchors(Path(anchors))
    if trusted is not None:
        context_of(trusted)  # who to trust is known before the first image, or no image is decoded
    with socket.socket(fileno=0) as parent:
        parent.send(b"ready")
        while size := parent.recv(32):
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = _answer(shared, int(size), max_pixels, truncated, trusted)
            signal.setitimer(signal.ITIMER_PROF, 0)
            parent.send(json.dumps(answer).encode())


def _answer(
    shared: int, size: int, max_pixels: int, truncated: str, anchors: str | None
) -> dict[str, Any]:
    """What is known of the picture; its pixels replace the file in the shared memory."""
    try:
        data = os.pread(shared, size, 0)
        decoded = decode(data, max_pixels=max_pixels, truncated=truncated, anchors=anchors)
    except ImageRejected as rejection:
        return {"reason": rejection.reason, "detail": rejection.detail}
    os.pwrite(shared, decoded.rgb.data, 0)
    return {
        "shape": decoded.rgb.shape,
        "format": decoded.format,
        "frames": decoded.frames,
        "exif_orientation": decoded.exif_orientation,
        "traces": as_json(decoded.traces),
        "sample": base64.b64encode(decoded.sample).decode(),
        "lacking": [(one.trace, one.why) for one in decoded.lacking],
    }
