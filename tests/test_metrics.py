"""Metrics: a scan sends them to a real receiver; without one nothing is even imported."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.metrics import INSTRUMENTS
from tests.otlp import Receiver, receiving

ROOT = Path(__file__).resolve().parents[1]
KINDS = {"sum": "counter", "gauge": "gauge", "histogram": "histogram"}
NIGHT = """
import sys
from pathlib import Path
from ris_jobs import jobs
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
settings = Settings.from_env()
if sys.argv[1:] == ["upkeep"]:
    jobs.keep_up(settings, LogProgress())
elif sys.argv[1:]:
    jobs.scan(settings, [Path(sys.argv[1])], LogProgress())
else:
    jobs.start_reindex(settings, "builtin", "0+0", "me")
    jobs.run_reindex(settings, jobs.Pace(), LogProgress())
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    for name, photo in photos():
        if name in ("coffee", "rocket"):
            small = photo.resize((320, 240))
            (folder / f"{name}.jpg").write_bytes(edits.jpeg(small, 92))
            (folder / f"{name}-64.jpg").write_bytes(edits.jpeg(edits.thumbnail(small, 64)))
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


def scan(folder: Path | str | None, home: Path, url: str, **env: str) -> str:
    """What a scan in a process of its own prints, or ``upkeep``, or a change of the model."""
    usual = {"RIS_HOME": str(home), "RIS_DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    known = {n: v for n, v in os.environ.items() if not n.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", NIGHT, *([folder] if folder else [])],
        env=known | usual | env,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def received(folder: Path, tmp_path: Path, database_url: str) -> Receiver:
    with receiving() as receiver:
        attributes = {"OTEL_RESOURCE_ATTRIBUTES": "site=a"}
        scan(folder, tmp_path, database_url, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, **attributes)
    return receiver


def test_a_scan_sends_what_it_did(received: Receiver) -> None:
    assert received.value("ris.images", stage="fingerprint") == 4
    assert received.value("ris.images", stage="match") == 4
    assert received.value("ris.quarantined", reason="not-an-image") == 1
    assert received.value("ris.runs", kind="scan", status="done") == 1
    assert received.value("ris.run.rate", stage="fingerprint") > 0
    assert received.value("ris.queue.images", stage="match") == 0
    assert received.value("ris.quarantine.uris", reason="not-an-image") == 1
    assert received.value("ris.run.anomalies") == 0
    assert abs(received.value("ris.run.finished", kind="scan", status="done") - time.time()) < 600
    assert {"upsert", "search", "count"} <= received.by("ris.vectors.duration", "operation")
    assert {"select", "update"} <= received.by("ris.database.duration", "verb")
    assert received.value("ris.vectors.duration", operation="search") == 4
    (resource,) = received.resources
    assert dict(resource)["service.name"] == "ris-jobs" and dict(resource)["site"] == "a"


def test_a_counter_is_0_before_it_counts() -> None:
    """Else nobody could see what a process that sends it once has added."""
    program = """
from ris_jobs import metrics
metrics.add("ris.runs", 1, kind="scan", status="failed")
metrics.flush()
"""
    with receiving() as receiver:
        env = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", program], env=env, check=True)
    assert receiver.value("ris.runs", kind="scan", status="failed") == 1
    for name, known in INSTRUMENTS.items():
        if known.kind == "counter":
            assert receiver.began(name) == {0}, name


def test_a_change_of_the_model_sends_what_it_did(
    folder: Path, tmp_path: Path, database_url: str
) -> None:
    scan(folder, tmp_path, database_url)
    with receiving() as receiver:
        scan(None, tmp_path, database_url, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert receiver.value("ris.runs", kind="reindex", status="done") == 1
    assert receiver.value("ris.images", stage="shadow match") == 4


def test_upkeep_tells_that_it_ended(tmp_path: Path, database_url: str) -> None:
    with receiving() as receiver:
        scan("upkeep", tmp_path, database_url, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert receiver.value("ris.runs", kind="upkeep", status="done") == 1
    assert receiver.value("ris.run.finished", kind="upkeep", status="done") > 0


def test_what_is_sent_is_what_is_listed(received: Receiver) -> None:
    # The shares and the drift need more images, and more nights.
    few = {"ris.run.match_rate", "ris.run.quarantine_share", "ris.run.drift"}
    assert set(received.metrics) == set(INSTRUMENTS) - few
    for name, metric in received.metrics.items():
        known = INSTRUMENTS[name]
        assert (KINDS[metric.WhichOneof("data")], metric.unit) == (known.kind, known.unit)
        assert {n for key in received.points[name] for n, _ in key} == set(known.by)
        if known.kind == "counter":
            for by, of in zip(known.by, known.of, strict=True):
                assert received.by(name, by) == set(of), "a series that did not begin at 0"


def test_nothing_of_it_is_imported_unless_it_is_asked_for(
    folder: Path, tmp_path: Path, database_url: str
) -> None:
    assert scan(folder, tmp_path, database_url).strip() == "[]"


def test_a_collector_that_is_away_costs_no_scan(
    folder: Path, tmp_path: Path, database_url: str
) -> None:
    nowhere = "http://127.0.0.1:1"
    scan(folder, tmp_path, database_url, OTEL_EXPORTER_OTLP_ENDPOINT=nowhere)


def prometheus(name: str) -> set[str]:
    """What a metric is called in Prometheus, by OpenTelemetry's rules of compatibility."""
    known = INSTRUMENTS[name]
    unit = re.sub(r"\{.*?\}", "", known.unit)
    ratio = "_ratio" if known.kind == "gauge" else ""
    suffix = {"": "", "s": "_seconds", "1": ratio, "/s": "_per_second"}[unit]
    base = name.replace(".", "_") + suffix
    if known.kind == "histogram":
        return {f"{base}_bucket", f"{base}_count", f"{base}_sum"}
    return {f"{base}_total"} if known.kind == "counter" else {base}


def test_every_query_of_the_dashboard_is_of_metrics_that_exist_by_labels_they_have() -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "ris-jobs.json").read_text("utf-8"))
    names = {n: known for name, known in INSTRUMENTS.items() for n in prometheus(name)}
    asked = set()
    for panel in board["panels"]:
        for target in panel["targets"]:
            (found,) = set(re.findall(r"\bris_\w+", target["expr"]))
            labels = set(re.findall(r"\bby \(([\w, ]+)\)", target["expr"]))
            used = {label for some in labels for label in some.split(", ")} - {"le"}
            assert used <= set(names[found].by), target["expr"]
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= used
            asked.add(names[found])
    assert asked == set(INSTRUMENTS.values()), "what no panel shows"


def test_the_dashboard_shows_what_was_measured_last_whoever_measured_it(tmp_path: Path) -> None:
    """Over several machines, and days that were worse before."""
    board = json.loads((ROOT / "deploy" / "grafana" / "ris-jobs.json").read_text("utf-8"))
    (asked,) = (p["targets"][0]["expr"] for p in board["panels"] if p["title"] == "Waiting")
    assert asked.endswith("[$__interval]))")
    shown = [("1h", 5000), ("3h", 0), ("4h", None)]
    test = {
        "interval": "5m",
        "input_series": [
            {"series": 'ris_queue_images{stage="match", instance="a"}', "values": "_x11 5000 _x40"},
            {"series": 'ris_queue_images{stage="match", instance="b"}', "values": "_x35 0 _x40"},
        ],
        "promql_expr_test": [
            {
                "expr": asked.replace("$__interval", "30m"),
                "eval_time": at,
                "exp_samples": []
                if value is None
                else [{"labels": '{stage="match"}', "value": value}],
            }
            for at, value in shown
        ],
    }
    (path := tmp_path / "board.test.yml").write_text(yaml.safe_dump({"tests": [test]}))
    promtool(path)


def test_gauges_of_the_last_run_are_shown_when_they_were_measured_and_no_longer() -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "ris-jobs.json").read_text("utf-8"))
    gauges = {n for name, i in INSTRUMENTS.items() if i.kind == "gauge" for n in prometheus(name)}
    for panel in board["panels"]:
        asked = " ".join(target["expr"] for target in panel["targets"])
        if (gauges - prometheus("ris.run.finished")) & {*re.findall(r"\bris_\w+", asked)}:
            assert set(re.findall(r"\[(.+?)\]", asked)) == {"$__interval"}, asked
            assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is True


RULES = ROOT / "deploy" / "prometheus" / "ris-jobs.rules.yml"


def test_every_alert_is_of_metrics_that_exist_by_labels_they_have() -> None:
    names = {n: known for name, known in INSTRUMENTS.items() for n in prometheus(name)}
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"]) == 4
    for rule in group["rules"]:
        (found,) = set(re.findall(r"\bris_\w+", rule["expr"]))
        labels = set(re.findall(r"\bby \((\w+)\)|(\w+)=", rule["expr"]))
        assert {one or other for one, other in labels} <= set(names[found].by), rule["alert"]
        assert names[found].kind == "gauge", "a process that fails may send a counter but once"


def test_alerts_say_what_they_should_of_nights_that_do_not_come() -> None:
    promtool(RULES.with_name("ris-jobs.test.yml"))


def promtool(test: Path) -> None:
    """Run a test of rules or queries."""
    if (program := shutil.which("promtool")) is None:
        pytest.skip("promtool, of Prometheus, is not installed")
    done = subprocess.run([program, "test", "rules", test], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_is_documented_as_it_is() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for name, known in INSTRUMENTS.items():
        by = ", ".join(f"`{label}`" for label in known.by) or "–"
        row = f"| `{name}` | {known.kind} | `{known.unit}` | {by} | {known.meaning} |"
        assert row in page
