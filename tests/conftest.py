"""Real servers for the tests: PostgreSQL in a temporary folder, a fresh database a test; Milvus."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from pymilvus import MilvusClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from ris_jobs.settings import Settings
from ris_jobs.store import embedded
from ris_jobs.store.postgres import upgrade

# The tests decide every setting themselves.
SHARED = Path(os.environ.get("RIS_SHARED", Path(__file__).parents[2] / "shared"))
# A server to test with, which must hold no collections; else the one that `make test` installs.
MILVUS = os.environ.get("RIS_TEST_MILVUS")
MILVUS_PACKAGE = Path(__file__).parents[1] / "build" / "milvus"
for name in [n for n in os.environ if n.startswith("RIS_")]:
    del os.environ[name]
# Threads of PyTorch that have nothing to do sleep: there are more than processors, and those that
# spin take three quarters of the time of these.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Whoever imports Airflow first, it makes its files here.
AIRFLOW = tempfile.TemporaryDirectory(prefix="airflow-")
os.environ.update(
    {
        "AIRFLOW_HOME": AIRFLOW.name,
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parents[1] / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW.name}/airflow.db",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }
)


# How fast this machine is just now is not what properties are about.
hypothesis.settings.register_profile("ris", deadline=None)
hypothesis.settings.load_profile("ris")
# Hypothesis would write a patch for what failed; where zope is loaded that ends the whole run.
sys.modules["hypothesis.extra._patching"] = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-photos",
        action="store_true",
        help="copies of all photos are recognised, not of every third: ten minutes more",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest come first: `make test` has several processes take files in turn, and
    none is to wait for the last one."""
    seconds = Counter[Path]()
    for item in items:
        if slow := item.get_closest_marker("slow"):
            seconds[item.path] += slow.args[0]
    items.sort(key=lambda item: -seconds[item.path])


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """A running server with a migrated database ``template``."""
    with embedded.serve(tmp_path_factory.mktemp("server") / "postgres") as sockets:
        url = URL.create(
            "postgresql+psycopg2",
            username=embedded.USER,
            database="postgres",
            query={"host": str(sockets)},
        )
        # These data need not outlive the machine.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            _execute(url, f"ALTER SYSTEM SET {setting} = off")
        _execute(url, "SELECT pg_reload_conf()")
        _execute(url, "CREATE DATABASE template")
        engine = create_engine(url.set(database="template"))
        with engine.begin() as db:
            upgrade(db)
        engine.dispose()
        yield url


@contextmanager
def fresh_database(postgres: URL, template: str = "template") -> Iterator[str]:
    """A copy of that database, which nobody may be connected with."""
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres.set(database=name).render_as_string(hide_password=False)
    _execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres: URL) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def other_database_url(postgres: URL) -> Iterator[str]:
    """A second one, to compare with."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """The embedded default, but for a database that starts faster."""
    return Settings(home=tmp_path / "home", database_url=database_url, workers=2)


@pytest.fixture
def any_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """How full the disk of this machine is does not matter to `ris doctor` and `ris status`."""
    monkeypatch.setattr("ris_jobs.store.home._LOW_BYTES", 0)


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a running Milvus server; see :func:`milvus_uri`."""
    if MILVUS:
        yield MILVUS
        return
    if not (MILVUS_PACKAGE / "milvus").exists():
        pytest.skip("no Milvus server: `make build/milvus` installs one, RIS_TEST_MILVUS names one")
    script = Path(__file__).with_name("milvus_alone.py")
    command = [sys.executable, script, MILVUS_PACKAGE, tmp_path_factory.mktemp("milvus")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        port = server.stdout.readline().strip()
        if not port:
            assert server.wait() == 3, "the Milvus server did not start"
            pytest.skip("no network of its own for a Milvus server (unshare(2)) can be had here")
        yield f"http://127.0.0.1:{port}"
        server.kill()


@pytest.fixture(scope="module")
def milvus_uri(milvus_server: str) -> Iterator[str]:
    """A Milvus server without collections; those that a module makes are dropped after it."""
    client = MilvusClient(uri=milvus_server, timeout=10)
    assert client.list_collections() == [], f"{milvus_server} is in use: its data would be lost"
    yield milvus_server
    for name in client.list_collections():
        client.drop_collection(name)
    client.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of photos that do not belong to the project."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not here (set RIS_SHARED to the folder of evaluation photos)")
    return SHARED


def _execute(url: URL, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        db.execute(text(statement))
    engine.dispose()
