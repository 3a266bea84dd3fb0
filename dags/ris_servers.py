"""PostgreSQL and Milvus of Airflow's connections ``ris_postgres`` and ``ris_milvus``, for tasks
whose environment does not name them."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Connection

_MILVUS_PORT = 19530


def environment() -> dict[str, str]:
    """That of the task, with ``RIS_DATABASE_URL``, and ``RIS_MILVUS_URI`` and ``RIS_MILVUS_TOKEN``,
    of the connections that there are; what it says itself goes before them."""
    found = dict(os.environ)
    if not found.get("RIS_DATABASE_URL") and (postgres := _connection("ris_postgres")):
        found["RIS_DATABASE_URL"] = _database_url(postgres)
    if not found.get("RIS_MILVUS_URI") and (milvus := _connection("ris_milvus")):
        found["RIS_MILVUS_URI"] = _milvus_uri(milvus)
        found["RIS_MILVUS_TOKEN"] = ":".join(filter(None, (milvus.login, milvus.password)))
    return found


def _connection(name: str) -> "Connection | None":
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get(name)
    except AirflowNotFoundException:
        return None


def _database_url(connection: "Connection") -> str:
    """Its extras, such as ``sslmode``, are what libpq is asked for."""
    from sqlalchemy import URL

    asked: dict[str, Any] = connection.extra_dejson
    url = URL.create(
        "postgresql+psycopg2",
        connection.login,
        connection.password,
        connection.host,
        connection.port,
        connection.schema,
        {name: str(value) for name, value in asked.items()},
    )
    return url.render_as_string(hide_password=False)


def _milvus_uri(connection: "Connection") -> str:
    """A connection of the kind HTTP has its scheme as its schema."""
    scheme, port = connection.schema or "http", connection.port or _MILVUS_PORT
    return f"{scheme}://{connection.host}:{port}"
