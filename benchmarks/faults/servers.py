"""The servers of a night: PostgreSQL, which can be restarted and held, and Milvus Lite, served."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from ris_jobs.store import embedded, service

_READY_S = 60.0


def until(true: Callable[[], object], seconds: float = _READY_S) -> None:
    """Wait for it; AssertionError when it takes longer."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "what was waited for did not happen"
        time.sleep(0.01)


class Postgres:
    """A server of the faults' own, with a database for each night."""

    def __init__(self, data: Path, url: URL) -> None:
        self._data, self._url = data, url

    @classmethod
    @contextmanager
    def serving(cls, folder: Path) -> Iterator[Postgres]:
        data = folder / "postgres"
        with embedded.serve(data) as sockets:
            user, host = embedded.USER, {"host": str(sockets)}
            yield cls(
                data, URL.create("postgresql+psycopg2", user, database="postgres", query=host)
            )

    def database(self) -> str:
        """The URL of a new one."""
        name = f"night_{uuid.uuid4().hex}"
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as db:
            db.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self._url.set(database=name).render_as_string(hide_password=False)

    def restart(self) -> None:
        """At once, as after a crash: what is under way is lost, what was committed is not."""
        self._control("restart", "--mode=immediate", "--wait", "--log=log")

    def stop(self) -> None:
        self._control("stop", "--mode=immediate", "--wait")

    def start(self) -> None:
        self._control("start", "--wait", "--log=log")

    def _control(self, *arguments: str) -> None:
        pg_ctl = embedded.program("pg_ctl", self._data)
        command = service.command(pg_ctl, *arguments, "--silent", "--pgdata=.")
        subprocess.run(command, cwd=self._data, check=True, stdin=subprocess.DEVNULL)


class Held:
    """A table that another session has locked: whoever would write it waits, in mid-transaction."""

    def __init__(self, engine: Engine, table: str, mode: str) -> None:
        self._table, self._watch = table, engine
        self._holder = engine.connect()
        self._holder.execute(text(f"LOCK TABLE ris.{table} IN {mode} MODE"))

    def reached(self) -> bool:
        """Whether somebody waits for it. ANALYZE, which PostgreSQL does by itself, is nobody."""
        waiting = text(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = CAST(:t AS regclass) "
            "AND mode <> 'ShareUpdateExclusiveLock'"
        )
        with self._watch.connect() as db:
            return bool(db.scalar(waiting, {"t": f"ris.{self._table}"}))

    def release(self) -> None:
        with suppress(DBAPIError):  # where the server was restarted it is free already
            self._holder.close()


@contextmanager
def held(url: str, table: str, mode: str = "SHARE") -> Iterator[Held]:
    """SHARE keeps writers waiting, ACCESS EXCLUSIVE readers too."""
    engine = create_engine(url, pool_pre_ping=True)
    lock = Held(engine, table, mode)
    try:
        yield lock
    finally:
        lock.release()
        engine.dispose()


class Milvus:
    """Milvus Lite as a server on loopback, which can die, freeze and come back."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, _free_port()
        self.uri = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def serving(cls, folder: Path) -> Iterator[Milvus]:
        server = cls(folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()

    def start(self) -> None:
        program = Path(sys.executable).with_name("milvus-lite")
        self._folder.mkdir(parents=True, exist_ok=True)
        place = ("--data-dir", str(self._folder / "milvus.db"), "--host", "127.0.0.1")
        with (self._folder / "milvus.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "server", *place, "--port", str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._answers)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """It answers nothing, and closes nothing, until it thaws."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, signum: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(signum)

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "Milvus did not start"
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
