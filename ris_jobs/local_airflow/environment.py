"""The environment that Airflow's programs have here, and the secrets in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from ris_jobs.errors import AirflowUnavailable
from ris_jobs.store import embedded

__all__ = ["password", "program", "secret", "variables"]

# Unless they are set otherwise. Airflow looks for tasks whose scheduler is gone every five minutes,
# and gives a task up where the api-server takes more than 5 s, as on a busy machine, or is away for
# as long, as while it starts.
_USUAL = {
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "20",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "15",
}


def variables(home: Path, dags: Path, port: int, host: str) -> dict[str, str]:
    """Ours, with what must be so; ``host`` is PostgreSQL's, as part of a URL. All folders are said:
    the file that Airflow writes at first has those of where the home lay then."""
    metadata = f"{embedded.USER}@/airflow?host={host}"
    asked = {
        "CORE__DAGS_FOLDER": str(dags.resolve()),
        "CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{metadata}",
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{metadata}",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__SECRET_KEY": secret(home / "secret-key"),
        "API_AUTH__JWT_SECRET": secret(home / "jwt-secret"),
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


def secret(file: Path) -> str:
    """What the file holds; random, and for its owner's eyes, where there is none."""
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(32))
    return file.read_text()


def password(home: Path) -> tuple[str | None, Path]:
    """The administrator's password if it is new, and the file it is in."""
    file = home / "passwords.json"
    if file.exists():
        return None, file
    made = secrets.token_urlsafe(12)
    _write_private(file, json.dumps({"admin": made}))
    return made, file


def _write_private(file: Path, text: str) -> None:
    """All of it or nothing, whenever it is killed; nobody else may read it."""
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".", delete=False) as part:
        part.write(text)
        part.flush()
        os.fsync(part.fileno())
    Path(part.name).replace(file)


def program() -> str:
    """The path of Airflow's own; :class:`AirflowUnavailable` where it is not installed."""
    found = shutil.which("airflow", path=str(Path(sys.executable).parent))
    if found is None:
        raise AirflowUnavailable(
            sys.prefix, "it is not installed", "pip install 'ris-jobs[airflow]'"
        )
    return found
