"""Run a Milvus server that only 127.0.0.1 reaches: ``milvus_alone.py PACKAGE DATA``.

Milvus listens on every address, at a dozen ports that others may hold. So it gets a network of its
own, where nothing but a loopback is, and one port of ours leads into it; that port is printed once
Milvus is healthy. It dies with whoever started it. Exit status 3: no such network can be had here.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

_NEWNS, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x10000000, 0x20000000, 0x40000000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000
_PR_SET_PDEATHSIG = 1
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1
_LIBC = ctypes.CDLL(None, use_errno=True)
# What it looks after now and then it does at once: tests make and drop many small collections.
_QUICK = {
    "QUERYCOORD_CHECKCHANNELINTERVAL": "50",
    "QUERYCOORD_CHECKSEGMENTINTERVAL": "50",
    "QUERYCOORD_DISTPULLINTERVAL": "50",
    "QUERYCOORD_CHECKHANDOFFINTERVAL": "100",
}


def die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def begin_as_first() -> None:
    """Of the processes with ids of their own. Milvus looks its memory up in /proc by its id, and
    in /run another one would be in its way."""
    die_with_parent()
    _LIBC.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    if _LIBC.mount(b"proc", b"/proc", b"proc", 0, None):
        raise OSError("no /proc of its own")
    _LIBC.mount(b"tmpfs", b"/run", b"tmpfs", 0, None)


def on_its_own() -> None:
    """Give this process a network and mounts of its own, and its children ids of their own, so
    that all of them end when the first does."""
    own = _NEWNET | _NEWNS | _NEWPID
    user, group = os.getuid(), os.getgid()
    if _LIBC.unshare(own):
        if _LIBC.unshare(own | _NEWUSER):
            sys.exit(3)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def lead_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        into = await asyncio.open_connection("127.0.0.1", 19530)
    except OSError:
        writer.close()
        return
    await asyncio.gather(copy(reader, into[1]), copy(into[0], writer))


async def healthy() -> bool:
    """By hand: a process whose children get ids of their own may start no thread."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", 9091)
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
    except OSError:
        return False
    return b" 200 " in answer and b"OK" in answer.partition(b"\r\n\r\n")[2]


async def serve(listening: socket.socket, server: subprocess.Popen[bytes]) -> None:
    port = listening.getsockname()[1]
    while not await healthy():
        if server.poll() is not None:
            sys.exit("milvus-server ended")
        await asyncio.sleep(0.1)
    async with await asyncio.start_server(lead_in, sock=listening) as leading:
        print(port, flush=True)
        await leading.serve_forever()


def main(package: str, data: str) -> None:
    die_with_parent()
    listening = socket.create_server(("127.0.0.1", 0))
    on_its_own()
    server = start(package, data)
    asyncio.run(serve(listening, server))


def start(package: str, data: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-c", "import milvus; milvus.main()", "--data", data],
            env={**os.environ, **_QUICK, "PYTHONPATH": package},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=begin_as_first,
        )
    except subprocess.SubprocessError:
        sys.exit(3)


if __name__ == "__main__":
    main(*sys.argv[1:])
