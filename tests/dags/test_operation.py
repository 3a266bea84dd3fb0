"""Nights that tell of themselves, and workers side by side, on a real Airflow and real servers."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from airflow.callbacks.callback_requests import DagCallbackRequest
from airflow.dag_processing.processor import _execute_dag_callbacks
from PIL import Image
from sqlalchemy import create_engine, text

from benchmarks.faults.night import tables
from benchmarks.faults.servers import Milvus
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.jobs.models import model_of
from ris_jobs.settings import Settings
from ris_jobs.store import runs, serving
from ris_jobs.store.postgres import open_engine
from tests.dags.test_dags import environment, nights, states
from tests.jobs.conftest import row_versions

__all__ = ["environment", "nights"]

SECRET = "s3cretly"


class Webhook:
    """A receiver on loopback; ``path`` is what only those who may post there know."""

    def __init__(self, port: int) -> None:
        self.path = "/hooks/xyzzy"
        self.url = f"http://127.0.0.1:{port}{self.path}"
        self.told: list[dict[str, Any]] = []


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known = self.path == hook.path
            hook.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if known else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = Webhook(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = json.dumps({"conn_type": "http", "password": hook.url})
    monkeypatch.setenv("AIRFLOW_CONN_RIS_WEBHOOK", connection)
    monkeypatch.setenv("RIS_NOTIFY", "ris_webhook")
    yield hook
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos, each with a thumbnail and mirrored."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, photo in list(photos())[:3]:
        small = photo.resize((320, 240), Image.Resampling.LANCZOS)
        (folder / f"{name}.jpg").write_bytes(edits.jpeg(small, 92))
        (folder / f"{name}-64.jpg").write_bytes(edits.jpeg(edits.thumbnail(small, 64)))
        (folder / f"{name}-mirrored.jpg").write_bytes(edits.jpeg(edits.mirror(small), 90))
    return folder


def test_a_failed_night_is_told_once_and_without_secrets(
    nights: dict[str, Any],
    environment: Settings,
    webhook: Webhook,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nights["ris_crawl"].test(run_conf={"roots": [str(folder)]})
    monkeypatch.setenv("RIS_MODEL", "resnet50")
    monkeypatch.setenv("RIS_WEIGHTS_DIR", str(environment.home / "none"))
    monkeypatch.setenv("RIS_MILVUS_TOKEN", SECRET)
    run = nights["ris_provenance_scan"].test()
    assert states(run)["report[-1]"] == run.state == "failed"
    (told,) = webhook.told
    assert (told["dag_id"], told["task_id"]) == ("ris_provenance_scan", "report")
    title, why = told["text"].splitlines()
    assert title == "ris_provenance_scan: report failed"
    assert why == "run 2: fingerprint, banks, match, resolve did not finish"
    assert SECRET not in json.dumps(told) and webhook.path not in json.dumps(told)


def test_a_crawl_without_a_list_of_sources_fails_and_is_told_once(
    nights: dict[str, Any], environment: Settings, webhook: Webhook
) -> None:
    run = nights["ris_crawl"].test(run_conf={"sources": ["nonesuch"]})
    assert states(run) == {
        "list_sources[-1]": "failed",
        "crawl[-1]": "upstream_failed",
        "announce[-1]": "failed",
    }
    assert run.state == "failed"
    (told,) = webhook.told
    assert (told["dag_id"], told["task_id"]) == ("ris_crawl", "list_sources")
    assert "nonesuch" in told["text"]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("RIS_MODEL", "nonesuch", "nonesuch"),
        ("RIS_DATABASE_URL", "airflow:nowhere", "RIS_DATABASE_URL must name a connection"),
    ],
)
def test_an_upkeep_that_failed_is_told_and_no_other_database_is_taken(
    nights: dict[str, Any],
    environment: Settings,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(setting, value)
    assert nights["ris_upkeep"].test().state == "failed"
    (told,) = webhook.told
    assert (told["dag_id"], told["task_id"]) == ("ris_upkeep", "upkeep")
    assert said in told["text"]
    assert not (environment.home / "postgres").exists()


@pytest.mark.parametrize("tasks", ["0", "65", "six"])
def test_a_setting_that_cannot_be_used_is_told(
    nights: dict[str, Any],
    environment: Settings,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
    tasks: str,
) -> None:
    monkeypatch.setenv("RIS_SCAN_TASKS", tasks)
    run = nights["ris_crawl"].test()
    assert states(run)["list_sources[-1]"] == run.state == "failed"
    (told,) = webhook.told
    assert "RIS_SCAN_TASKS must be" in told["text"] and repr(tasks).strip("'") in told["text"]


def test_a_crawl_of_no_sources_is_none_that_failed(
    nights: dict[str, Any], environment: Settings, webhook: Webhook
) -> None:
    run = nights["ris_crawl"].test()
    assert (states(run)["announce[-1]"], run.state, webhook.told) == ("success", "success", [])


def test_a_crawl_that_took_long_is_told_and_no_failure(
    nights: dict[str, Any],
    environment: Settings,
    webhook: Webhook,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crawl = nights["ris_crawl"]
    known = crawl.get_task("announce").python_callable.__globals__
    assert crawl.dagrun_timeout is None and known["LATE"] == timedelta(hours=12)
    monkeypatch.setitem(known, "LATE", timedelta())
    run = crawl.test(run_conf={"roots": [str(folder)]})
    assert set(states(run).values()) == {"success"}
    (told,) = webhook.told
    assert (told["dag_id"], told["task_id"]) == ("ris_crawl", "announce")
    assert told["text"].splitlines()[0] == "ris_crawl: it took 0 hours"


@pytest.mark.parametrize("reason, times", [("timed_out", 1), ("task_failure", 0)])
def test_a_night_that_takes_too_long_is_told(
    dagbag: Any, environment: Settings, webhook: Webhook, reason: str, times: int
) -> None:
    """As the dag-processor does it; tasks have none left that could tell."""
    request = DagCallbackRequest(
        filepath="ris_provenance_scan.py",
        bundle_name="dags-folder",
        bundle_version=None,
        dag_id="ris_provenance_scan",
        run_id="night",
        is_failure_callback=True,
        msg=reason,
    )
    _execute_dag_callbacks(dagbag, request, structlog.get_logger())
    assert len(webhook.told) == times
    for told in webhook.told:
        assert (told["dag_id"], told["run_id"]) == ("ris_provenance_scan", "night")
        assert told["text"].splitlines()[0] == (
            "ris_provenance_scan: it took too long and was ended"
        )


def test_a_night_that_does_not_begin_is_told_once(
    nights: dict[str, Any],
    environment: Settings,
    webhook: Webhook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RIS_MODEL", "nonesuch")
    run = nights["ris_provenance_scan"].test()
    assert states(run)["begin[-1]"] == states(run)["report[-1]"] == run.state == "failed"
    (told,) = webhook.told
    assert told["task_id"] == "report"
    assert told["text"].splitlines()[1].startswith("no run was begun")


def test_an_unusual_night_is_told_and_is_no_failure(
    nights: dict[str, Any], environment: Settings, webhook: Webhook, folder: Path
) -> None:
    for n in range(40):
        (folder / f"broken-{n}.jpg").write_bytes(b"no picture %d" % n)
    _usual_nights(environment, 6)
    nights["ris_crawl"].test(run_conf={"roots": [str(folder)]})
    run = nights["ris_provenance_scan"].test()
    assert set(states(run).values()) == {"success"}
    (told,) = webhook.told
    assert told["text"].splitlines()[0] == "scan 8 is unusual"
    assert "of the images were quarantined (usual: 0" in told["text"]
    with open_engine(environment) as engine, engine.connect() as db:
        summary = db.scalar(text("SELECT summary FROM ris.last_run"))
    assert summary["anomalies"] == told["text"].splitlines()[1:]


@pytest.mark.parametrize("connection", [None, '{"conn_type": "http", "password": "file:///x"}'])
def test_a_webhook_that_cannot_be_had_changes_nothing(
    nights: dict[str, Any],
    environment: Settings,
    monkeypatch: pytest.MonkeyPatch,
    connection: str | None,
) -> None:
    monkeypatch.setenv("RIS_NOTIFY", "ris_nowhere")
    if connection:
        monkeypatch.setenv("AIRFLOW_CONN_RIS_NOWHERE", connection)
    run = nights["ris_crawl"].test(run_conf={"roots": [str(environment.home / "none")]})
    assert states(run)["list_sources[-1]"] == "failed"


def test_two_workers_on_servers_of_connections_leave_the_tables_of_one(
    nights: dict[str, Any],
    environment: Settings,
    other_database_url: str,
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RIS_BATCH_SIZE", "2")
    one = _night(nights, environment, folder, {})
    with Milvus.serving(tmp_path / "milvus") as milvus:
        monkeypatch.setenv("RIS_HOME", str(tmp_path / "other"))
        monkeypatch.setenv("RIS_MILVUS_URI", "airflow:ris_milvus")
        monkeypatch.setenv("AIRFLOW_CONN_RIS_MILVUS", milvus.uri)
        monkeypatch.setenv("RIS_DATABASE_URL", "airflow:ris_postgres")
        monkeypatch.setenv("AIRFLOW_CONN_RIS_POSTGRES", other_database_url)
        two = _night(nights, environment, folder, {"workers": 2})
    assert one == {"fingerprint[0]": "success", "match[0]": "success"}
    assert two == {f"{s}[{n}]": "success" for s in ("fingerprint", "match") for n in (0, 1)}
    assert tables(str(environment.database_url)) == tables(other_database_url)
    engine = create_engine(other_database_url)
    with engine.connect() as db:
        summary = db.scalar(text("SELECT summary FROM ris.last_run"))
    engine.dispose()
    assert summary["images"]["fingerprinted"] == 9
    assert next(s for s in summary["stages"] if s["name"] == "match")["images"] == 9


def test_workers_need_a_milvus_server_and_are_a_number(
    nights: dict[str, Any], environment: Settings
) -> None:
    run = nights["ris_provenance_scan"].test(run_conf={"workers": 2})
    assert states(run)["begin[-1]"] == "failed"
    with pytest.raises(ValueError, match="workers"):
        nights["ris_provenance_scan"].test(run_conf={"workers": "many"})


def test_a_night_of_the_past_does_what_is_pending_once(
    nights: dict[str, Any], environment: Settings, folder: Path
) -> None:
    past = datetime(2026, 2, 3, tzinfo=UTC)
    nights["ris_crawl"].test(logical_date=past, run_conf={"roots": [str(folder)]})
    nights["ris_provenance_scan"].test()
    before = tables(str(environment.database_url))
    nights["ris_crawl"].test(logical_date=datetime(2026, 2, 2, tzinfo=UTC))
    nights["ris_provenance_scan"].test()
    assert tables(str(environment.database_url)) == before
    assert len(before["matches"]) > 0


def _night(
    nights: dict[str, Any], settings: Settings, folder: Path, conf: dict[str, Any]
) -> dict[str, str]:
    """How the tasks ended that several may do."""
    nights["ris_crawl"].test(run_conf={"roots": [str(folder)]})
    run = nights["ris_provenance_scan"].test(run_conf=conf)
    return {n: s for n, s in states(run).items() if n.startswith(("fingerprint", "match"))}


def _usual_nights(settings: Settings, count: int) -> None:
    """Summaries of nights of a thousand images, one of a hundred quarantined."""
    images = dict.fromkeys(("seen", "new", "changed", "unchanged", "gone"), 0)
    summary = {
        **{"run_id": "1", "roots": [], "images": images | {"fingerprinted": 990}},
        **{"rejected": 10, "matched": 300, "quarantined": {}, "matches": {}, "suppressed": 0},
        **{"families": 0, "report": None},
        "stages": [{"name": "match", "seconds": 1.0, "images": 990}],
    }
    with open_engine(settings) as engine, engine.begin() as db:
        for _ in range(count):
            runs.finish(db, runs.start(db, "scan", settings), "done", summary)


def test_a_run_is_for_the_sources_that_it_is_given(
    nights: dict[str, Any], environment: Settings, folder: Path
) -> None:
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    for path in other.iterdir():
        path.write_bytes(path.read_bytes() + b"\0")
    nights["ris_crawl"].test(run_conf={"roots": [str(folder), str(other)]})
    scan = nights["ris_provenance_scan"]
    assert set(states(scan.test(run_conf={"sources": ["other"]})).values()) == {"success"}
    assert _counts(environment) == {"ok": 9, "pending": 9, "matched": 9}
    assert set(states(scan.test(run_conf={"sources": None})).values()) == {"success"}
    assert _counts(environment) == {"ok": 18, "matched": 18}
    assert len(tables(str(environment.database_url))["matches"]) > 9


def test_a_source_that_there_is_not_is_said(
    nights: dict[str, Any], environment: Settings, webhook: Webhook
) -> None:
    run = nights["ris_provenance_scan"].test(run_conf={"sources": ["nonesuch"]})
    assert states(run)["begin[-1]"] == states(run)["report[-1]"] == "failed"
    with open_engine(environment) as engine, engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ris.run")) == 0


@pytest.mark.parametrize("dag_id", ["ris_crawl", "ris_provenance_scan"])
def test_a_parameter_that_there_is_not_is_said_with_those_that_there_are(
    nights: dict[str, Any], environment: Settings, webhook: Webhook, dag_id: str
) -> None:
    run = nights[dag_id].test(run_conf={"source": ["press"]})
    known = ", ".join(nights[dag_id].params)
    (told,) = webhook.told
    assert told["text"].splitlines()[1] == (f"{dag_id} has no parameter 'source': it has {known}")
    ended = {name.partition("[")[0]: state for name, state in states(run).items()}
    assert ended.get("list_sources", ended.get("begin")) == "failed"
    assert ended.get("crawl", ended.get("fingerprint")) == "upstream_failed"


def test_a_run_by_another_model_than_the_one_that_serves_changes_nothing(
    nights: dict[str, Any], environment: Settings, folder: Path
) -> None:
    with open_engine(environment) as engine, engine.begin() as db:
        served = runs.register_model(db, model_of(environment))
        serving.choose(db, served, who="test", why="test")
    nights["ris_crawl"].test(run_conf={"roots": [str(folder)]})
    scan = nights["ris_provenance_scan"]
    assert states(scan.test(run_conf={"model": "resnet50"}))["begin[-1]"] == "failed"
    assert _counts(environment) == {"pending": 9}
    assert set(states(scan.test(run_conf={"model": "builtin"})).values()) == {"success"}
    assert _counts(environment) == {"ok": 9, "matched": 9}


def test_a_dry_run_counts_and_writes_nothing(
    nights: dict[str, Any], environment: Settings, folder: Path
) -> None:
    nights["ris_crawl"].test(run_conf={"roots": [str(folder)]})
    with open_engine(environment) as engine:
        before = row_versions(engine)
    run = nights["ris_provenance_scan"].test(run_conf={"dry_run": True})
    ended = states(run)
    assert {ended.pop("workers[-1]"), ended.pop("report[-1]")} == {"success"}
    assert set(ended.values()) == {"skipped"} and len(ended) == 5
    (report,) = (t for t in run.get_task_instances() if t.task_id == "report")
    assert report.xcom_pull(task_ids="report")["fingerprint"] == 9
    with open_engine(environment) as engine, engine.connect() as db:
        assert row_versions(engine) == before
        assert db.scalar(text("SELECT count(*) FROM ris.run WHERE kind = 'scan'")) == 0


@pytest.mark.parametrize(
    "conf", [{"sources": "press"}, {"sources": [1]}, {"model": ""}, {"dry_run": "perhaps"}]
)
def test_what_a_run_is_given_is_checked(nights: dict[str, Any], conf: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(conf))):
        nights["ris_provenance_scan"].test(run_conf=conf)


def _counts(settings: Settings) -> dict[str, int]:
    """Images by status, and how many were matched."""
    with open_engine(settings) as engine, engine.connect() as db:
        by_status = text("SELECT status, count(*) FROM ris.image GROUP BY status")
        found = {r.status: r.count for r in db.execute(by_status)}
        matched = text("SELECT count(*) FROM ris.descriptor WHERE matched_at IS NOT NULL")
        count = int(db.scalar(matched) or 0)
    return found | ({"matched": count} if count else {})
