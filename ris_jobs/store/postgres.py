"""PostgreSQL: the embedded server or yours, and the schema brought up to date on first use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from ris_jobs import metrics
from ris_jobs.errors import ConfigError, DatabaseUnavailable
from ris_jobs.settings import Settings, mask_url
from ris_jobs.store import embedded
from ris_jobs.store.home import make
from ris_jobs.store.queries import sql_dir

_DATABASE = "ris"
_CONNECT_TIMEOUT_S = 10


@contextmanager
def open_engine(settings: Settings) -> Iterator[Engine]:
    """An engine on the migrated database. Raises :class:`DatabaseUnavailable`."""
    with _located(settings) as (url, where):
        engine = create_engine(
            url,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT_S,
                "options": "-c timezone=UTC",
                "application_name": "ris-jobs",
            },
        )
        try:
            _migrate(engine, where)
            if metrics.asked():
                _measure(engine)
            yield engine
        except DBAPIError as e:
            if not (isinstance(e, OperationalError) or e.connection_invalidated):
                raise
            fix = "Once it is there again, run the same command: it goes on where this one stopped."
            raise DatabaseUnavailable(where, _first_line(e), fix) from e
        finally:
            engine.dispose()


def _measure(engine: Engine) -> None:
    """Observe how long each statement takes."""

    @event.listens_for(engine, "before_cursor_execute")
    def before(*sent: Any) -> None:
        sent[4].started = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(*sent: Any) -> None:
        _, _, statement, _, context, _ = sent
        took = time.perf_counter() - context.started
        metrics.observe("ris.database.duration", took, verb=_verb(statement))


def _verb(statement: str) -> str:
    """The first word after comments."""
    lines = (line for line in statement.splitlines() if not line.lstrip().startswith("--"))
    return next((word.lower() for line in lines for word in line.split()), "none")


@contextmanager
def _located(settings: Settings) -> Iterator[tuple[URL, str]]:
    """The URL to connect to, and the place as people may see it."""
    if settings.database_url is not None:
        try:
            url = make_url(settings.database_url).set(drivername="postgresql+psycopg2")
        except (ArgumentError, ValueError) as e:
            raise ConfigError("RIS_DATABASE_URL", "is not a database URL") from e
        yield url, mask_url(settings.database_url) or ""
        return
    data = embedded_data(settings)
    with embedded.serve(data) as sockets:
        admin = URL.create(
            "postgresql+psycopg2",
            username=embedded.USER,
            database="postgres",
            query={"host": str(sockets)},
        )
        _ensure_database(admin)
        yield admin.set(database=_DATABASE), str(data)


def _ensure_database(admin: URL) -> None:
    engine = create_engine(admin, isolation_level="AUTOCOMMIT")
    with engine.connect() as db:
        # Two processes may start at once; the lock makes the second one wait and look again.
        db.execute(text("SELECT pg_advisory_lock(hashtext('ris.database'))"))
        found = db.scalar(text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": _DATABASE})
        if not found:
            db.execute(text(f"CREATE DATABASE {_DATABASE}"))
        db.execute(text("SELECT pg_advisory_unlock(hashtext('ris.database'))"))
    engine.dispose()


def _migrate(engine: Engine, where: str) -> None:
    try:
        with engine.begin() as db:
            if not _is_current(db):
                db.execute(text("SELECT pg_advisory_xact_lock(hashtext('ris.migrate'))"))
                _upgrade(db, where)
    except OperationalError as e:
        raise DatabaseUnavailable(where, _first_line(e), "Is RIS_DATABASE_URL right?") from e
    except DBAPIError as e:
        fix = "The account needs to own the schema ris, or CREATE on the database."
        raise DatabaseUnavailable(where, _first_line(e), fix) from e


def _is_current(db: Connection) -> bool:
    """Whether the database has had all migrations; told without Alembic, which nearly every start
    can do without."""
    if db.scalar(text("SELECT to_regclass('ris.schema_version')")) is None:
        return False
    return bool(db.scalar(text("SELECT version_num FROM ris.schema_version")) == newest())


@cache
def newest() -> str:
    """The version of the last migration, by which its file is named."""
    files = (sql_dir() / "alembic" / "versions").glob("*.py")
    return max(file.name.partition("_")[0] for file in files)


def _upgrade(db: Connection, where: str) -> None:
    from alembic.util import CommandError

    try:
        upgrade(db)
    except CommandError as e:
        fix = "Update ris-jobs, or use another database."
        raise DatabaseUnavailable(where, f"it was made by a newer version ({e})", fix) from e


def upgrade(db: Connection, to: str = "head") -> None:
    """Run the migrations the database does not have yet, up to that one, within the caller's
    transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(sql_dir() / "alembic"))
    config.attributes["connection"] = db
    command.upgrade(config, to)


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0].rstrip(".")


def embedded_data(settings: Settings) -> Path:
    """The folder of the embedded server's data."""
    return make(settings.home) / "postgres"
