"""Servers that connections of Airflow's name: ``RIS_DATABASE_URL=airflow:ris_postgres``,
``RIS_MILVUS_URI=airflow:ris_milvus``."""

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from airflow.sdk import Connection

_POSTGRES, _MILVUS, _TOKEN = "RIS_DATABASE_URL", "RIS_MILVUS_URI", "RIS_MILVUS_TOKEN"
_PREFIX, _MILVUS_PORT = "airflow:", 19530


def environment() -> dict[str, str]:
    """That of the task, with what the connections say that it names. ConfigError for one that
    cannot be had, or says too little: another database would be taken for that of the run."""
    found = dict(os.environ)
    if postgres := _connection(found, _POSTGRES):
        found[_POSTGRES] = _database_url(postgres)
    if milvus := _connection(found, _MILVUS):
        found[_MILVUS] = _milvus_uri(milvus)
        if token := ":".join(filter(None, (milvus.login, milvus.password))):
            found[_TOKEN] = token
    return found


def _connection(env: dict[str, str], setting: str) -> "Connection | None":
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    value = env.get(setting, "")
    if not value.startswith(_PREFIX):
        return None
    try:
        connection: Connection = Connection.get(value.removeprefix(_PREFIX))
    except AirflowNotFoundException:
        raise _unusable(setting, "must name a connection that Airflow has and can read") from None
    return connection


def _database_url(connection: "Connection") -> str:
    """Its extras, such as ``sslmode``, are what libpq is asked for."""
    from sqlalchemy import URL

    asked: dict[str, Any] = connection.extra_dejson
    lost = bool(connection.extra) and not asked and connection.extra.strip() != "{}"
    if lost or not all(type(value) in (str, int) for value in asked.values()):
        raise _unusable(_POSTGRES, "must name a connection whose extras are options of libpq, JSON")
    if not (connection.host or asked.get("host")):  # among the extras: the folder of a socket
        raise _unusable(_POSTGRES, "must name a connection that has a host")
    if connection.password and not connection.login:
        raise _unusable(_POSTGRES, "must name a connection that has a user with its password")
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
    """Airflow has the scheme of a URL in the host, in the schema, or, where the connection itself
    is a URL, in the kind of connection."""
    host = connection.host
    if not host:
        raise _unusable(_MILVUS, "must name a connection that has a host")
    if host.startswith(("http://", "https://")):
        if connection.port is None or urlsplit(host).port is not None:
            return host
        return f"{host.rstrip('/')}:{connection.port}"
    secure = "https" in (connection.schema, connection.conn_type)
    bracketed = f"[{host}]" if ":" in host else host
    return f"http{'s' * secure}://{bracketed}:{connection.port or _MILVUS_PORT}"


def _unusable(setting: str, why: str) -> Exception:
    from ris_jobs.errors import ConfigError

    return ConfigError(setting, f"{why}, not {os.environ[setting]}")
