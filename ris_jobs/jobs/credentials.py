"""Secrets of sources, looked up when they are needed and kept nowhere.

A source names an environment variable or an Airflow connection. For a store of objects the variable
holds a JSON object of options of its fsspec file system ({"key": …, "secret": …}), for the web the
value of an Authorization header.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

import fsspec

from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, SourceUnavailable

__all__ = ["authorization", "filesystem"]

_EXTRAS = {"s3": "s3", "s3a": "s3", "sftp": "sftp", "ssh": "sftp"}


def filesystem(source: Source) -> Any:
    """The fsspec file system of a source's location, with its credentials.

    :class:`ConfigError` for credentials that are not there, :class:`SourceUnavailable` for a
    file system that cannot be had.
    """
    scheme = source.location.partition("://")[0].lower()
    given = source.credentials or ""
    options = _options(source) if given.startswith("env:") else {}
    try:
        if given.startswith("airflow:"):
            return _of_airflow(source, scheme)
        return _open(scheme, source.location, options)
    # The libraries behind fsspec raise what they like.
    except Exception as e:
        raise SourceUnavailable(
            source.name, str(e) or type(e).__name__, _fix(e, source, scheme)
        ) from e


def _fix(error: Exception, source: Source, scheme: str) -> str:
    if isinstance(error, ImportError):
        extra = _EXTRAS.get(scheme)
        return f"pip install 'ris-jobs[{extra}]' brings it." if extra else "pip installs it."
    if (source.credentials or "").startswith("airflow:"):
        return (
            "Is the connection right, and its provider installed (apache-airflow-providers-amazon)?"
        )
    return "Do location and credentials fit, and can it be reached from here?"


def authorization(source: Source) -> str | None:
    """The Authorization header for a source of the web; None where it has no credentials."""
    if source.credentials is None:
        return None
    kind, _, name = source.credentials.partition(":")
    if kind == "env":
        return _variable(source, name)
    connection = _connection(source, name)
    if connection.login is None:
        return f"Bearer {connection.password or ''}"
    pair = f"{connection.login}:{connection.password or ''}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _options(source: Source) -> dict[str, Any]:
    name = str(source.credentials).partition(":")[2]
    try:
        options = json.loads(_variable(source, name))
    except ValueError:
        options = None
    if not isinstance(options, dict):
        # Not with its cause: that would show the secret.
        raise ConfigError(name, f"must hold a JSON object of options, for source {source.name!r}")
    return options


def _open(scheme: str, location: str, options: Mapping[str, Any]) -> Any:
    """File systems such as sftp are of one host, which is part of the URL."""
    found: dict[str, Any] = fsspec.get_filesystem_class(scheme)._get_kwargs_from_urls(location)
    options = {k: found[k] for k in ("host", "port", "username") if k in found} | dict(options)
    if scheme in ("sftp", "ssh"):
        # Only where there are sources of this kind must paramiko be installed.
        from ris_jobs.jobs.ssh import open_sftp

        return open_sftp(**options)
    # Its own, for not all may be shared by threads.
    return fsspec.filesystem(scheme, skip_instance_cache=True, **options)


def _of_airflow(source: Source, scheme: str) -> Any:
    name = str(source.credentials).partition(":")[2]
    from airflow.sdk.io.fs import get_fs

    return get_fs(scheme, name)


def _connection(source: Source, name: str) -> Any:
    try:
        from airflow.sdk import BaseHook
    except ImportError as e:
        fix = "Use env:NAME, or run it as a task of Airflow."
        raise SourceUnavailable(source.name, "Airflow is not installed", fix) from e
    try:
        return BaseHook.get_connection(name)
    # Where connections are kept decides what is raised.
    except Exception as e:
        fix = f"Is there a connection {name!r}?"
        raise SourceUnavailable(source.name, str(e) or type(e).__name__, fix) from e


def _variable(source: Source, name: str) -> str:
    if value := os.environ.get(name):
        return value
    raise ConfigError(name, f"is not set; source {source.name!r} needs it for its credentials")
