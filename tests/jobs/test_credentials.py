"""Secrets are found where a source says they are, and said to nobody."""

from __future__ import annotations

import json

import pytest

from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, SourceUnavailable
from ris_jobs.jobs.credentials import authorization, filesystem


def source(credentials: str | None, location: str = "https://example.com/") -> Source:
    kind = "web" if location.startswith("http") else "objects"
    return Source(name="a", kind=kind, location=location, credentials=credentials)  # type: ignore[arg-type]  # one of the kinds


def test_an_environment_variable_is_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "Bearer xyz")
    assert authorization(source("env:TOKEN")) == "Bearer xyz"
    assert authorization(source(None)) is None
    with pytest.raises(ConfigError, match="NOT_SET is not set; source 'a' needs it"):
        authorization(source("env:NOT_SET"))


def test_a_connection_of_airflow_makes_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("airflow")
    for name, login in (("LOGIN", {"login": "me"}), ("BEARER", {})):
        values = {"conn_type": "http", "password": "secret word"} | login
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", json.dumps(values))
    # base64 of me:secret word
    assert authorization(source("airflow:login")) == "Basic bWU6c2VjcmV0IHdvcmQ="
    assert authorization(source("airflow:bearer")) == "Bearer secret word"
    with pytest.raises(SourceUnavailable, match="Is there a connection 'none'"):
        authorization(source("airflow:none"))


def test_a_file_system_gets_the_options_and_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPTIONS", json.dumps({"key": "k", "secret": "s", "anon": False}))
    found = filesystem(source("env:OPTIONS", "s3://bucket/folder"))
    assert (found.key, found.secret) == ("k", "s")
    with pytest.raises(SourceUnavailable, match="source 'a' cannot be crawled"):
        filesystem(source(None, "nothing://bucket"))
