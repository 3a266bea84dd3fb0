"""A real Airflow on this machine alone: what `ris airflow` and `make airflow` run.

Its four programs keep their metadata in the embedded PostgreSQL, and share one Milvus Lite, served
on loopback, unless the settings name servers. What ends unasked is started again; a guard ends all
if this process is killed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ris_jobs.errors import AirflowUnavailable
from ris_jobs.local_airflow import environment, ports, vectors
from ris_jobs.local_airflow.alone import alone
from ris_jobs.local_airflow.database import Database
from ris_jobs.local_airflow.groups import Guard
from ris_jobs.local_airflow.programs import Program
from ris_jobs.settings import Settings
from ris_jobs.store import postgres
from ris_jobs.store.home import make

__all__ = ["Ready", "run", "serve"]

# Logs of tasks lie in the home, where the api-server reads them; served, they would be on all
# interfaces.
_PARTS = (
    ("api-server",),
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)
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
        env = environment.variables(home, dags, port, stack.enter_context(database.running()))
        guard = stack.enter_context(Guard(kept).running())
        uri = None if settings.milvus_uri else f"http://127.0.0.1:{port + 1}"
        stack.enter_context(vectors.announced(home, uri))
        if uri:
            milvus = Program("milvus", _milvus(settings.home, port + 1), env, home, guard)
            stack.enter_context(milvus.running())
            env["RIS_MILVUS_URI"] = uri
        password, file = environment.password(home)
        _prepare(env, home)
        programs = [
            Program(part[0], (environment.program(), *part), env, home, guard) for part in _PARTS
        ]
        for program in programs:
            stack.enter_context(program.running())
        if uri:
            programs.append(milvus)
        url = f"http://127.0.0.1:{port}"
        _wait(url, programs, home)
        told(Ready(url, "admin", password, file, time.monotonic() - started))
        while True:
            time.sleep(0.5)
            database.revive()
            for program in programs:
                program.revive()


def run(settings: Settings, dags: Path, port: int, command: Sequence[str]) -> int:
    """Run a command of Airflow's own on what :func:`serve` keeps in this home, whether that runs or
    not; returns its exit status. Raises :class:`AirflowUnavailable` where it never ran."""
    home = settings.home / "airflow"
    # Its programs begin once its database is prepared.
    if not (home / f"{_PARTS[0][0]}.log").exists():
        raise AirflowUnavailable(str(home), "it has never run there", "Start it by `ris airflow`.")
    with Database(postgres.embedded_data(settings)).running() as host:
        env = environment.variables(home, dags, port, host)
        if settings.milvus_uri is None and (uri := vectors.found(home)):
            env["RIS_MILVUS_URI"] = uri  # which holds the file
        return subprocess.run([environment.program(), *command], env=env, check=False).returncode


def _milvus(home: Path, port: int) -> tuple[str, ...]:
    program = str(Path(sys.executable).with_name("milvus-lite"))
    data = str(home / "milvus.db")
    return (program, "server", "--data-dir", data, "--host", "127.0.0.1", "--port", str(port))


def _prepare(env: Mapping[str, str], home: Path) -> None:
    """Its tables, and the pool of crawls; the slots of one that is there are left as they are."""
    with (home / "prepare.log").open("wb") as log:

        def done(*command: str) -> bool:
            asked = (environment.program(), *command)
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
