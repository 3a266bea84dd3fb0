"""Logs: for people or for machines, with ids, without secrets."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from ris_jobs import logs
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.settings import Settings

PASSWORD, TOKEN = 'p"w\\1é', "milvus-t0ken"
SECRETIVE = Settings(
    database_url="postgresql+psycopg2://ann:p%22w%5C1%C3%A9@db.example.org/ris",
    milvus_uri="https://milvus.example.org",
    milvus_token=f"ann:{TOKEN}",
    previews_url="s3://bucket/previews?secret=hush",
)


def said(settings: Settings, message: str, capsys: pytest.CaptureFixture[str]) -> str:
    """A line, as a task of an orchestrator would log it, with an error that says the same."""
    log = logging.getLogger("ris_jobs")
    handler = logs._handler(settings)
    log.addHandler(handler)
    try:
        raise RuntimeError(message)
    except RuntimeError:
        with logs.about(run=7, stage="match"):
            log.error(message, exc_info=True, extra={"image_id": 3, "detail": message})
    finally:
        log.removeHandler(handler)
    return capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_masked_wherever_they_come_from(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(**{f: getattr(SECRETIVE, f) for f in SECRETIVE.__slots__} | {"log": form})
    url = str(SECRETIVE.database_url)
    line = said(settings, f"cannot reach {url} with {PASSWORD}, {TOKEN} or hush", capsys)
    assert "db.example.org" in line
    for secret in (PASSWORD, json.dumps(PASSWORD)[1:-1], "p%22w%5C1%C3%A9", TOKEN, "hush"):
        assert secret not in line


def test_what_is_masked_for_people_is_masked_in_logs_too() -> None:
    """Each setting that may hold a secret, by trying all that are text."""
    secret = "u53r:h1dd3n"
    texts = [f.name for f in fields(Settings) if f.type == "str | None"]
    given = {name: Settings(**{name: f"s3://{secret}@host/x?secret=hush"}) for name in texts}
    masked = {name for name, settings in given.items() if secret not in settings.masked()[name]}
    assert masked == {"database_url", "milvus_uri", "milvus_token", "previews_url", "fetched_url"}
    for name in masked:
        known = given[name].secrets()
        assert any("h1dd3n" in s for s in known) and any("hush" in s for s in known), name


def test_a_line_of_json_knows_its_run_and_its_image(capsys: pytest.CaptureFixture[str]) -> None:
    line = json.loads(said(Settings(log="json"), "something", capsys).splitlines()[-1])
    assert line["run"] == 7 and line["stage"] == "match" and line["image_id"] == 3
    assert line["level"] == "error" and line["message"] == "something"
    assert "RuntimeError: something" in line["error"]


def test_a_scan_logs_json_with_ids_and_no_password(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "photo.jpg").write_bytes(
        edits.jpeg(dict(photos())["coffee"].resize((90, 60)))
    )
    (tmp_path / "in" / "broken.jpg").write_bytes(b"no picture")
    url = database_url.replace("postgres@", "postgres:s3cretly@")
    env = {"RIS_HOME": str(tmp_path / "home"), "RIS_DATABASE_URL": url, "RIS_LOG": "json"}
    done = subprocess.run(
        [sys.executable, "-m", "ris_jobs", "scan", tmp_path / "in"],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert {line["run"] for line in lines if line["logger"] == "ris_jobs"} == {1}
    (bad,) = [line for line in lines if "reason" in line]
    assert bad["reason"] == "not-an-image" and bad["image_id"] and bad["batch"]
    assert {line["stage"] for line in lines if "stage" in line} >= {"crawl", "fingerprint", "match"}
    assert {line["stage"] for line in lines if "batch" in line} == {"fingerprint", "match"}
    assert "s3cretly" not in done.stderr + done.stdout


def test_tasks_log_beside_their_orchestrators(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("ris_jobs")
    kept = log.level, list(log.handlers), log.propagate
    try:
        logs.tasks(Settings(log="json"))
        logs.tasks(Settings(log="json"))
        log.info("once")
        (line,) = capsys.readouterr().err.splitlines()
        assert json.loads(line)["message"] == "once"
    finally:
        log.setLevel(kept[0])
        log.handlers[:], log.propagate = kept[1:]
