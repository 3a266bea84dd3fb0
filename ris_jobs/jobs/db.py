"""The database as analysts use it: who may read, and psql."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from ris_jobs.errors import ConfigError, DatabaseUnavailable
from ris_jobs.settings import Settings, mask_url
from ris_jobs.store import embedded
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.queries import query


def grant_reader(settings: Settings, role: str) -> None:
    """Let ``role`` read all tables and views, and nothing else; it is made where it is missing.

    Raises :class:`DatabaseUnavailable` where the account may not do that.
    """
    # PostgreSQL would cut a longer name off, or take an empty one for no role.
    if not 1 <= len(role.encode()) <= 63:
        raise ConfigError("ROLE", f"must be a name of at most 63 bytes, not {role!r}")
    with open_engine(settings) as engine:
        try:
            with engine.begin() as db:
                db.execute(query("readers.grant"), {"role": role})
        except ProgrammingError as e:
            where = mask_url(settings.database_url) or str(settings.home)
            fix = f"Have an administrator create the role {role}, then run the same command."
            problem = str(e.orig).strip().splitlines()[0]
            raise DatabaseUnavailable(where, problem, fix) from e


def psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run psql on the database, the embedded one too. Sessions are read-only until they say
    otherwise. Returns its exit status."""
    with open_engine(settings) as engine:
        program = embedded.program("psql", settings.home / "postgres")
        return subprocess.run(
            [program, *arguments], env=os.environ | _connection(engine), check=False
        ).returncode


def _connection(engine: Engine) -> dict[str, str]:
    """In the environment, for arguments are seen by everybody on the machine."""
    url = engine.url
    parts = {"user": url.username, "password": url.password, "host": url.host, "port": url.port}
    parts |= {"database": url.database, "options": "-c default_transaction_read_only=on"}
    given = {name: value for name, value in (parts | dict(url.query)).items() if value is not None}
    return {f"PG{name.upper()}": str(value) for name, value in given.items()}
