"""Servers that connections name; a whole night on such is in test_operation.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ris_jobs.errors import ConfigError
from ris_jobs.settings import Settings


@pytest.fixture(autouse=True)
def named(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIS_DATABASE_URL", "airflow:ris_postgres")
    monkeypatch.setenv("RIS_MILVUS_URI", "airflow:ris_milvus")


def settings(monkeypatch: pytest.MonkeyPatch, postgres: Any = None, milvus: Any = None) -> Settings:
    """Of a task, with these connections."""
    from ris_servers import environment

    usual = {"conn_type": "http", "host": "host"}
    for name, said in (("POSTGRES", postgres), ("MILVUS", milvus)):
        value = said if isinstance(said, str) else json.dumps(usual | (said or {}))
        monkeypatch.setenv(f"AIRFLOW_CONN_RIS_{name}", value)
    return Settings.from_env(environment())


def test_a_connection_says_where_postgresql_is_and_how_to_ask_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {
        "conn_type": "postgres", "host": "db.example.org", "port": 5433, "login": "ris",
        "password": "p@ss/word", "schema": "provenance", "extra": {"sslmode": "verify-full"},
    }  # fmt: skip
    assert settings(monkeypatch, postgres=said).database_url == (
        "postgresql+psycopg2://ris:p%40ss%2Fword@db.example.org:5433/provenance?sslmode=verify-full"
    )


@pytest.mark.parametrize(
    ("said", "uri", "token"),
    [
        ({"host": "milvus"}, "http://milvus:19530", "of:env"),
        ({"port": 443, "schema": "https", "password": "key"}, "https://host:443", "key"),
        ({"login": "root", "password": "s3cret"}, "http://host:19530", "root:s3cret"),
        ("https://root:s3cret@milvus.example.org:443", "https://milvus.example.org:443",
         "root:s3cret"),
        ({"host": "https://cloud.example.org:443"}, "https://cloud.example.org:443", "of:env"),
        ({"host": "https://cloud.example.org", "port": 443}, "https://cloud.example.org:443",
         "of:env"),
        ({"host": "fd00::1"}, "http://[fd00::1]:19530", "of:env"),
    ],
)  # fmt: skip
def test_a_connection_says_where_milvus_is(
    monkeypatch: pytest.MonkeyPatch, said: Any, uri: str, token: str
) -> None:
    monkeypatch.setenv("RIS_MILVUS_TOKEN", "of:env")
    found = settings(monkeypatch, milvus=said)
    assert (found.milvus_uri, found.milvus_token) == (uri, token)


@pytest.mark.parametrize(
    "said",
    [
        {"host": ""},
        {"extra": "sslmode=verify-full"},
        {"extra": {"sslmode": None}},
        {"extra": {"iam": False}},
        {"password": "s3cret"},
        "{not json",
    ],
)
def test_a_connection_that_cannot_be_used_is_no_reason_to_take_another_database(
    monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    with pytest.raises(ConfigError, match="RIS_DATABASE_URL must name a connection") as raised:
        settings(monkeypatch, postgres=said)
    assert "s3cret" not in str(raised.value)


def test_what_the_environment_says_itself_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIS_DATABASE_URL", "postgresql://elsewhere/ris")
    monkeypatch.delenv("RIS_MILVUS_URI")
    found = settings(monkeypatch)
    assert (found.database_url, found.milvus_uri) == ("postgresql://elsewhere/ris", None)
