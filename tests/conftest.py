"""Real servers for the tests: PostgreSQL in a temporary folder, a fresh database each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from ris_jobs.settings import Settings
from ris_jobs.store import embedded
from ris_jobs.store.postgres import upgrade

# The tests decide every setting themselves.
SHARED = Path(os.environ.get("RIS_SHARED", Path(__file__).parents[2] / "shared"))
for name in [n for n in os.environ if n.startswith("RIS_")]:
    del os.environ[name]


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
