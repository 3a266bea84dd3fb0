"""A real Airflow on this machine alone: what `ris airflow` and `make airflow` run.

Its four programs keep their metadata in the embedded PostgreSQL, and share one Milvus Lite, served
on loopback, unless the settings name servers. What ends unasked is started again; a guard ends all
if this process is killed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ris_jobs.errors import AirflowUnavailable
from ris_jobs.local_airflow import ports
from ris_jobs.local_airflow.alone import alone
from ris_jobs.local_airflow.database import Database
from ris_jobs.local_airflow.groups import Guard
from ris_jobs.local_airflow.programs import Program
from ris_jobs.settings import Settings
from ris_jobs.store import embedded, postgres
from ris_jobs.store.home import make

__all__ = ["Ready", "serve"]

# Logs of tasks lie in the home, where the api-server reads them; served, they would be on all
# interfaces.
_PARTS = (
    ("api-server",),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)
# Unless they are set otherwise. Airflow looks for tasks whose scheduler is gone every five minutes,
# and gives a task up where the api-server takes more than 5 s, as on a busy machine, or is away for
# as long, as while it starts.
_USUAL = {
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "20",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "15",
}
_SLOTS, _POOL = "4", "sources that are crawled at once"
_READY_S = 300.0


@dataclass(frozen=True, slots=True)
class Ready:
    """Where it answers. ``password`` is None unless it was made just now; it is kept in
    ``password_file``, which nobody else may read."""

    url: str
    user: str
    password: str | None
    password_file: Path
    seconds: float


def serve(settings: Settings, dags: Path, port: int, told: Callable[[Ready], None]) -> None:
    """Run Airflow with the DAGs of a folder until SystemExit or KeyboardInterrupt; ``told`` is
    called once it is ready.

    Raises :class:`AirflowUnavailable` for what does not start, with where its log is, where another
    runs in the same home, and where something else listens on the port, or on Milvus Lite's.
    """
    started = time.monotonic()
    home = make(make(settings.home) / "airflow")
    with ExitStack() as stack:
        kept = stack.enter_context(alone(home))
        ports.free(port, *([] if settings.milvus_uri else [port + 1]))
        database = Database(postgres.embedded_data(settings))
        env = _environment(home, dags, port, stack.enter_context(database.running()))
        guard = stack.enter_context(Guard(kept).running())
        if settings.milvus_uri is None:
            vectors = Program("milvus", _milvus(settings.home, port + 1), env, home, guard)
            stack.enter_context(vectors.running())
            env["RIS_MILVUS_URI"] = f"http://127.0.0.1:{port + 1}"
        password, file = _password(home)
        _prepare(env, home)
        programs = [Program(part[0], (_airflow(), *part), env, home, guard) for part in _PARTS]
        for program in programs:
            stack.enter_context(program.running())
        if settings.milvus_uri is None:
            programs.append(vectors)
        url = f"http://127.0.0.1:{port}"
        _wait(url, programs, home)
        told(Ready(url, "admin", password, file, time.monotonic() - started))
        while True:
            time.sleep(0.5)
            database.revive()
            for program in programs:
                program.revive()


def _environment(home: Path, dags: Path, port: int, host: str) -> dict[str, str]:
    """That of the programs: ours, with what must be so."""
    metadata = f"{embedded.USER}@/airflow?host={host}"
    asked = {
        "CORE__DAGS_FOLDER": str(dags.resolve()),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{metadata}",
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{metadata}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__SECRET_KEY": _secret(home / "secret-key"),
        "API_AUTH__JWT_SECRET": _secret(home / "jwt-secret"),
    }
    ours = {f"AIRFLOW__{name}": value for name, value in asked.items()}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    pool = os.environ.get("RIS_CRAWL_POOL") or "ris_crawl"
    return {
        **_USUAL,
        **os.environ,
        **ours,
        "AIRFLOW_HOME": str(home),
        "PATH": path,
        "RIS_CRAWL_POOL": pool,
    }


def _secret(file: Path) -> str:
    """What the file holds; random, and for its owner's eyes, where there is none."""
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(32))
    return file.read_text()


def _password(home: Path) -> tuple[str | None, Path]:
    """The administrator's password if it is new, and the file it is in."""
    file = home / "passwords.json"
    if file.exists():
        return None, file
    password = secrets.token_urlsafe(12)
    _write_private(file, json.dumps({"admin": password}))
    return password, file


def _write_private(file: Path, text: str) -> None:
    """All of it or nothing, whenever it is killed; nobody else may read it."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".", delete=False) as part:
        part.write(text)
        part.flush()
        os.fsync(part.fileno())
    Path(part.name).replace(file)


def _airflow() -> str:
    found = shutil.which("airflow", path=str(Path(sys.executable).parent))
    if found is None:
        raise AirflowUnavailable(
            sys.prefix, "it is not installed", "pip install 'ris-jobs[airflow]'"
        )
    return found


def _milvus(home: Path, port: int) -> tuple[str, ...]:
    program = str(Path(sys.executable).with_name("milvus-lite"))
    data = str(home / "milvus.db")
    return (program, "server", "--data-dir", data, "--host", "127.0.0.1", "--port", str(port))


def _prepare(env: Mapping[str, str], home: Path) -> None:
    """Its tables, and the pool of crawls; the slots of one that is there are left as they are."""
    with (home / "prepare.log").open("wb") as log:

        def done(*command: str) -> bool:
            asked = (_airflow(), *command)
            return subprocess.run(asked, env=env, stdout=log, stderr=log).returncode == 0

        pool = env["RIS_CRAWL_POOL"]
        if not (
            done("db", "migrate")
            and (done("pools", "get", pool) or done("pools", "set", pool, _SLOTS, _POOL))
        ):
            problem = "its database could not be prepared"
            raise AirflowUnavailable(str(home), problem, f"See {log.name}.")


def _wait(url: str, programs: Sequence[Program], home: Path) -> None:
    """Until every part says that it is healthy."""
    end = time.monotonic() + _READY_S
    # Ours first: a page that is healthy may be another's.
    while (ended := [p.name for p in programs if p.ended]) or not _healthy(url):
        if ended or time.monotonic() > end:
            problem = f"{', '.join(ended)} ended" if ended else "it is not ready after 5 minutes"
            raise AirflowUnavailable(url, problem, f"Its logs are {home}/*.log.")
        time.sleep(0.5)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/v2/monitor/health", timeout=5) as answer:
            said = json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return False
    return all(part.get("status") in ("healthy", None) for part in said.values()) and all(
        said.get(name, {}).get("status") == "healthy" for name in ("scheduler", "dag_processor")
    )
