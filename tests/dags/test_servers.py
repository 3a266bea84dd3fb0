"""Servers that connections name; a whole night on such is in test_operation.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ris_jobs.settings import Settings


def named(monkeypatch: pytest.MonkeyPatch, connection: str, **values: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{connection.upper()}", json.dumps(values))


def settings() -> Settings:
    from ris_servers import environment

    return Settings.from_env(environment())


def test_a_connection_says_where_postgresql_is_and_how_to_ask_it(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(
        monkeypatch, "ris_postgres", conn_type="postgres", host="db.example.org", port=5433,
        login="ris", password="p@ss/word", schema="provenance", extra={"sslmode": "verify-full"},
    )  # fmt: skip
    assert settings().database_url == (
        "postgresql+psycopg2://ris:p%40ss%2Fword@db.example.org:5433/provenance?sslmode=verify-full"
    )
    monkeypatch.setenv("RIS_DATABASE_URL", "postgresql://elsewhere/ris")
    assert settings().database_url == "postgresql://elsewhere/ris"


@pytest.mark.parametrize(
    ("said", "uri", "token"),
    [
        ({"host": "milvus"}, "http://milvus:19530", None),
        ({"host": "milvus", "port": 443, "schema": "https", "password": "key"},
         "https://milvus:443", "key"),
        ({"host": "milvus", "login": "root", "password": "s3cret"},
         "http://milvus:19530", "root:s3cret"),
    ],
)  # fmt: skip
def test_a_connection_says_where_milvus_is(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], uri: str, token: str | None
) -> None:
    named(monkeypatch, "ris_milvus", conn_type="http", **said)
    assert (settings().milvus_uri, settings().milvus_token) == (uri, token)


def test_without_connections_tasks_have_what_the_environment_says(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIS_MILVUS_TOKEN", "of the environment")
    monkeypatch.delenv("RIS_DATABASE_URL", raising=False)
    found = settings()
    assert (found.database_url, found.milvus_uri) == (None, None)
    assert found.milvus_token == "of the environment"
