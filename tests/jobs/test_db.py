"""Readers can read everything and write nothing; psql reaches the database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ris_jobs import jobs
from ris_jobs.errors import ConfigError, DatabaseUnavailable
from ris_jobs.settings import Settings
from ris_jobs.store import runs
from ris_jobs.store.postgres import open_engine

RELATIONS = """
SELECT relname, relkind FROM pg_class
WHERE relnamespace = 'ris'::regnamespace AND relkind IN ('r', 'v')
"""
FORBIDDEN = (
    "INSERT INTO ris.bank (name, file) VALUES ('a', 'b')",
    "UPDATE ris.image SET status = 'pending'",
    "DELETE FROM ris.decision",
    "TRUNCATE ris.match_history",
    "DROP VIEW ris.duplicates",
    "CREATE TABLE ris.mine (x int)",
    "SELECT ris.grant_reader('somebody_else')",
)


@pytest.fixture
def role(settings: Settings) -> Iterator[str]:
    """A name of this test's own, as roles belong to the whole server."""
    name = f"reader-{uuid.uuid4().hex[:12]}"
    yield name
    with open_engine(settings) as engine, engine.begin() as db:
        if db.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :n"), {"n": name}):
            db.exec_driver_sql(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"')


@pytest.fixture
def reader(settings: Settings, role: str) -> Iterator[Engine]:
    """Connections that have no rights but those of the role."""
    jobs.grant_reader(settings, role)
    with open_engine(settings) as owner:
        engine = create_engine(owner.url, connect_args={"options": f"-c role={role}"})
        yield engine
        engine.dispose()


def test_a_reader_reads_every_table_and_view(reader: Engine) -> None:
    with reader.connect() as db:
        found = db.execute(text(RELATIONS)).all()
        assert {kind for _, kind in found} == {"r", "v"}
        for name, _ in found:
            db.execute(text(f"SELECT * FROM ris.{name} LIMIT 1")).all()
        for view in ("match_by_uri", "image_by_uri", "family_by_uri"):
            db.execute(text(f"SELECT * FROM ris.{view}_at(now())")).all()


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_reader_writes_nothing(reader: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), reader.begin() as db:
        db.execute(text(statement))


def test_a_reader_reads_what_later_migrations_make(
    reader: Engine, settings: Settings, role: str
) -> None:
    with open_engine(settings) as engine, engine.begin() as db:
        db.execute(text("CREATE TABLE ris.later (x int)"))
    with reader.connect() as db:
        assert db.execute(text("SELECT * FROM ris.later")).all() == []
    jobs.grant_reader(settings, role)


def test_a_reader_finds_no_password(reader: Engine, settings: Settings) -> None:
    secret = replace(
        settings,
        database_url="postgresql://me:hush@db/ris?password=hush",
        milvus_token="hush",
        previews_url="s3://key:hush@bucket/x",
    )
    with open_engine(settings) as engine, engine.begin() as db:
        runs.start(db, "scan", secret)
    with reader.connect() as db:
        rows = db.scalars(text("SELECT r::text FROM ris.run r")).all()
    assert rows and not any("hush" in row for row in rows)


def test_who_may_not_create_roles_is_told_what_to_do(settings: Settings) -> None:
    """The account need not be allowed to create roles, as on managed servers."""
    owner = f"owner-{uuid.uuid4().hex[:12]}"
    with open_engine(settings) as engine, engine.begin() as db:
        db.exec_driver_sql(f'CREATE ROLE "{owner}" LOGIN; GRANT ALL ON SCHEMA ris TO "{owner}"')
        db.exec_driver_sql(f'GRANT SELECT ON ALL TABLES IN SCHEMA ris TO "{owner}"')
        db.exec_driver_sql(f'GRANT CREATE ON DATABASE {engine.url.database} TO "{owner}"')
    try:
        url = make_url(str(settings.database_url)).set(username=owner)
        managed = replace(settings, database_url=url.render_as_string(hide_password=False))
        said = r"denied to create role.*administrator create the role new"
        with pytest.raises(DatabaseUnavailable, match=said):
            jobs.grant_reader(managed, "new-reader")
    finally:
        with open_engine(settings) as engine, engine.begin() as db:
            db.exec_driver_sql(f'DROP OWNED BY "{owner}"; DROP ROLE "{owner}"')


@pytest.mark.parametrize("name", ["", "x" * 64])
def test_a_role_needs_a_name(settings: Settings, name: str) -> None:
    with pytest.raises(ConfigError, match="ROLE must be a name"):
        jobs.grant_reader(settings, name)


def test_psql_reads_the_embedded_database_and_its_status_comes_back(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    embedded = replace(settings, database_url=None)
    assert jobs.psql(embedded, ["-At", "-c", "SELECT count(*) FROM ris.duplicates"]) == 0
    assert capfd.readouterr().out == "0\n"
    refused = jobs.psql(embedded, ["-c", "DELETE FROM ris.decision"])
    assert refused == 1 and "read-only transaction" in capfd.readouterr().err
