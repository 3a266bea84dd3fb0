"""The embedded PostgreSQL, where Airflow's metadata are, too; it is started again when it ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, text

from ris_jobs.errors import DatabaseUnavailable
from ris_jobs.local_airflow.programs import Revival
from ris_jobs.store import embedded

__all__ = ["Database"]

_LOG = logging.getLogger("ris_jobs")


class Database:
    """A server whose data lie in one folder, as :func:`ris_jobs.store.embedded.serve` has it."""

    def __init__(self, data: Path) -> None:
        self._data, self._revival = data, Revival()

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its host, as part of a URL; a database for Airflow is there."""
        with embedded.serve(self._data) as sockets:
            self._revival.begin()
            host = quote(str(sockets), safe="")
            url = f"postgresql+psycopg2://{embedded.USER}@/postgres?host={host}"
            engine = create_engine(url, isolation_level="AUTOCOMMIT")
            with engine.connect() as db:
                if not db.scalar(text("SELECT 1 FROM pg_database WHERE datname = 'airflow'")):
                    db.execute(text("CREATE DATABASE airflow"))
            engine.dispose()
            yield host

    def revive(self) -> None:
        """Start it again if it ended and it is time; the log says so."""
        if embedded.lives(self._data) or not self._revival.due():
            return
        self._revival.begin()
        try:
            embedded.revive(self._data)
        except DatabaseUnavailable as error:
            _LOG.error("PostgreSQL ended: %s", error)
        else:
            _LOG.warning("PostgreSQL ended and was started again; its log is %s/log", self._data)
