"""The files of deploy/ do what the containers need, on real servers."""

from __future__ import annotations

import http.server
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError, ProgrammingError

from benchmarks.nights.airflow import until
from ris_jobs.store import embedded
from ris_jobs.store.postgres import upgrade
from tests.deploy.test_compose import SERVICES

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def make_accounts(postgres: URL) -> subprocess.CompletedProcess[str]:
    host = str(postgres.query["host"])
    given = {
        "PGHOST": host,
        "PGUSER": str(postgres.username),
        "PGDATABASE": "postgres",
        "RIS_DATABASE_PASSWORD": "it's",
        "AIRFLOW_DATABASE_PASSWORD": "b",
    }
    psql = embedded.program("psql", Path(host).parent)
    command = [psql, "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--file={DEPLOY}/postgres-init.sql"]
    env = {**os.environ, **given}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_accounts_and_databases_are_made_once(postgres: URL) -> None:
    for _ in range(2):
        done = make_accounts(postgres)
        assert done.returncode == 0, done.stderr
    ours = create_engine(postgres.set(username="ris", database="ris"))
    with ours.begin() as db:
        upgrade(db)
        assert db.scalar(text("SELECT count(*) FROM ris.image")) == 0
        assert db.scalar(text("SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user"))
    with ours.connect() as db, pytest.raises(ProgrammingError, match="permission denied"):
        db.execute(text("CREATE ROLE more SUPERUSER"))
    ours.dispose()
    theirs = create_engine(postgres.set(username="airflow", database="ris"))
    with pytest.raises(OperationalError, match="permission denied for database"):
        theirs.connect()


def test_nothing_starts_while_a_secret_is_empty(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "RIS_DATABASE_URL": "x", "RIS_MILVUS_TOKEN": "x"}
    done = subprocess.run(
        ["sh", DEPLOY / "init.sh"], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == "AIRFLOW_ADMIN_PASSWORD is empty: fill in every line of .env\n"


def test_the_pool_of_crawls_is_made_and_keeps_its_slots(tmp_path: Path) -> None:
    env = {n: v for n, v in os.environ.items() if not n.startswith(("AIRFLOW", "RIS_"))} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(tmp_path),
        "RIS_CRAWL_POOL": "ris_crawl",
    }

    def run(*command: str | Path) -> None:
        subprocess.run(command, env=env, check=True, capture_output=True)

    def slots() -> int:
        with closing(sqlite3.connect(tmp_path / "airflow.db")) as db:
            query = "SELECT slots FROM slot_pool WHERE pool = 'ris_crawl'"
            return int(db.execute(query).fetchone()[0])

    run("airflow", "db", "migrate")
    run("sh", DEPLOY / "pool.sh")
    assert slots() == 4
    with closing(sqlite3.connect(tmp_path / "airflow.db")) as db:
        db.execute("UPDATE slot_pool SET slots = 9 WHERE pool = 'ris_crawl'")
        db.commit()
    run("sh", DEPLOY / "pool.sh")
    assert slots() == 9


def test_a_probe_of_the_chart_is_the_program_that_it_asks_for() -> None:
    probe = (
        "CONNECTION_CHECK_MAX_COUNT=0 AIRFLOW__LOGGING__LOGGING_LEVEL=ERROR exec "
        f"{DEPLOY}/entrypoint.sh {sys.executable} -c 'import os; print(os.getpid()); exit(3)'"
    )
    with subprocess.Popen(["sh", "-c", probe], stdout=subprocess.PIPE, text=True) as done:
        said, _ = done.communicate(timeout=30)
    assert (done.returncode, int(said)) == (3, done.pid)


def test_old_logs_go_and_others_stay(tmp_path: Path) -> None:
    long_ago = time.time() - 20 * 86400
    for name in ("run=1/old.log", "run=2/old.log", "run=2/new.log", "run=2/old.json"):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        if "old" in name:
            os.utime(path, (long_ago, long_ago))
    (tmp_path / "logs" / "run=3").mkdir()
    (tmp_path / "logs" / "run=4").mkdir()
    os.utime(tmp_path / "logs" / "run=4", (long_ago, long_ago))
    env = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__LOG_RETENTION_DAYS": "15",
    }
    with subprocess.Popen(["bash", DEPLOY / "clean-logs.sh"], env=env) as running:
        until(lambda: [p.name() for p in psutil.Process(running.pid).children()] == ["sleep"])
        running.terminate()
        assert running.wait(timeout=10) == 0
    left = {str(p.relative_to(tmp_path / "logs")) for p in (tmp_path / "logs").rglob("*")}
    # A folder that has just become empty may be about to be filled.
    assert left == {"run=1", "run=2", "run=2/new.log", "run=2/old.json", "run=3"}


def test_redis_is_told_to_stop_and_its_password_is_on_no_command_line(tmp_path: Path) -> None:
    """The shell becomes the server, and what it is given says nothing of the password."""
    server = tmp_path / "redis-server"
    server.write_text('#!/bin/sh\necho "$$" "$@"\ncat\n')
    server.chmod(0o755)
    command = [part.replace("$$", "$") for part in SERVICES["redis"]["command"]]
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REDISCLI_AUTH": "pa-55_word"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as done:
        said, _ = done.communicate(timeout=30)
    assert said.splitlines() == [f"{done.pid} -", "requirepass pa-55_word"]


@contextmanager
def page(status: int, body: bytes) -> Iterator[str]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/health"
    server.shutdown()


@pytest.mark.parametrize(
    ("status", "metadatabase", "well"),
    [(200, "healthy", True), (200, "unhealthy", False), (200, None, True), (503, None, False)],
)
def test_health_pages_are_understood(status: int, metadatabase: str | None, well: bool) -> None:
    told = json.dumps({"metadatabase": {"status": metadatabase}}).encode() if metadatabase else b""
    with page(status, told) as url:
        done = subprocess.run([sys.executable, DEPLOY / "healthy.py", url], capture_output=True)
    assert (done.returncode == 0) is well
