"""An SFTP server of this machine that shows a folder, by the protocol as paramiko speaks it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import paramiko

USER, PASSWORD = "crawler", "secret word"
_DENIED = frozenset({"denied"})


@dataclass(frozen=True)
class Server:
    """``known`` is its line for a file of known hosts. Folders called ``denied`` are denied, and
    files called ``stalls`` never come."""

    port: int
    folder: Path
    known: str


class _Login(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        ok = (username, password) == (USER, PASSWORD)
        return paramiko.AUTH_SUCCESSFUL if ok else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


def _files(folder: Path, over: Event) -> type[paramiko.SFTPServerInterface]:
    """Paths are below the folder, and links are told as such. ``over``: the server ends."""

    class Files(paramiko.SFTPServerInterface):
        def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
            if _DENIED & set(path.split("/")):
                return paramiko.SFTP_PERMISSION_DENIED
            try:
                found = list(os.scandir(folder / path.lstrip("/")))
            except OSError as e:
                return paramiko.SFTPServer.convert_errno(e.errno)
            stats = [(entry.name, entry.stat(follow_symlinks=False)) for entry in found]
            return [paramiko.SFTPAttributes.from_stat(s, os.fsencode(name)) for name, s in stats]

        def stat(self, path: str) -> paramiko.SFTPAttributes | int:
            try:
                return paramiko.SFTPAttributes.from_stat((folder / path.lstrip("/")).stat())
            except OSError as e:
                return paramiko.SFTPServer.convert_errno(e.errno)

        lstat = stat

        def open(self, path: str, flags: int, attr: object) -> paramiko.SFTPHandle | int:
            if "stalls" in path:
                over.wait()
            handle = paramiko.SFTPHandle(flags)
            try:
                handle.readfile = (folder / path.lstrip("/")).open("rb")
            except OSError as e:
                return paramiko.SFTPServer.convert_errno(e.errno)
            return handle

    return Files


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    key = paramiko.ECDSAKey.generate()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    over = Event()
    transports: list[paramiko.Transport] = []

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transport.add_server_key(key)
            transport.set_subsystem_handler(
                "sftp", paramiko.SFTPServer, sftp_si=_files(folder, over)
            )
            transports.append(transport)
            transport.start_server(server=_Login())

    Thread(target=accept, daemon=True).start()
    try:
        yield Server(port, folder, f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    finally:
        over.set()
        listener.close()
        for transport in transports:
            transport.close()
