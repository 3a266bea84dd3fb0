"""The DAGs on a real Airflow: they load, say what they are, and do the jobs' work."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.dags.conftest import DAGS

LISTED = {"ris_crawl", "ris_provenance_scan", "ris_reindex", "ris_upkeep"}


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The embedded default, given to the tasks as an operator would."""
    monkeypatch.setenv("RIS_HOME", str(settings.home))
    monkeypatch.setenv("RIS_DATABASE_URL", str(settings.database_url))
    return settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _, photo = next(iter(photos()))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "photo.jpg").write_bytes(edits.jpeg(photo, 92))
    (tmp_path / "in" / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(photo, 128)))
    return tmp_path / "in"


@pytest.fixture
def nights(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The DAGs without retries: a task that fails is to fail the test, not to wait. What a run is
    given stays in the parameters of its DAG, so each test has parameters of its own."""
    for dag in dagbag.dags.values():
        monkeypatch.setattr(dag, "params", deepcopy(dag.params))
        for task in dag.tasks:
            monkeypatch.setattr(task, "retries", 0)
            monkeypatch.setattr(task, "params", deepcopy(task.params))
    return dict(dagbag.dags)


def states(run: Any) -> dict[str, str]:
    return {f"{t.task_id}[{t.map_index}]": str(t.state) for t in run.get_task_instances()}


def test_every_dag_loads_and_is_listed(dagbag: Any) -> None:
    assert dagbag.import_errors == {}
    assert set(dagbag.dags) == LISTED


def test_crawls_take_the_slots_of_a_pool_only_where_one_is_named(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = dagbag.dags["ris_crawl"].get_task("crawl")
    assert (usual.partial_kwargs["pool"], usual.max_active_tis_per_dag) == ("default_pool", 4)
    monkeypatch.setenv("RIS_CRAWL_POOL", "slow")
    monkeypatch.delitem(sys.modules, "ris_common")
    monkeypatch.syspath_prepend(str(DAGS))
    crawl = runpy.run_path(str(DAGS / "ris_crawl.py"))["ris_crawl"]().get_task("crawl")
    assert (crawl.partial_kwargs["pool"], crawl.max_active_tis_per_dag) == ("slow", None)


def test_scans_have_as_many_tasks_as_are_set_unless_a_run_says_it(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = dagbag.dags["ris_provenance_scan"].params.get_param("workers")
    assert usual.value == Settings().scan_tasks == 1
    monkeypatch.setenv("RIS_SCAN_TASKS", "6")
    assert Settings.from_env().scan_tasks == 6
    monkeypatch.delitem(sys.modules, "ris_common")
    monkeypatch.syspath_prepend(str(DAGS))
    made = runpy.run_path(str(DAGS / "ris_provenance_scan.py"))["ris_provenance_scan"]()
    assert made.params["workers"] == 6


@pytest.mark.parametrize("tasks", ["0", "65", "six"])
def test_a_number_of_tasks_that_cannot_be_takes_no_dag_away(
    dagbag: Any, monkeypatch: pytest.MonkeyPatch, tasks: str
) -> None:
    """Tasks say it: test_operation.py."""
    monkeypatch.setenv("RIS_SCAN_TASKS", tasks)
    monkeypatch.delitem(sys.modules, "ris_common")
    monkeypatch.syspath_prepend(str(DAGS))
    made = runpy.run_path(str(DAGS / "ris_provenance_scan.py"))["ris_provenance_scan"]()
    assert made.params["workers"] == 1


def test_no_limit_of_a_dag_keeps_back_what_runs_side_by_side(dagbag: Any) -> None:
    """Airflow's own is 16 tasks of a run."""
    scan, crawl = dagbag.dags["ris_provenance_scan"], dagbag.dags["ris_crawl"]
    most = scan.params.get_param("workers").schema["maximum"]
    assert scan.max_active_tasks >= most
    groups = crawl.get_task("list_sources").python_callable.__globals__["MOST_GROUPS"]
    assert crawl.max_active_tasks >= groups


@pytest.mark.parametrize("dag_id", sorted(LISTED))
def test_every_dag_says_what_it_is(dagbag: Any, dag_id: str) -> None:
    dag = dagbag.dags[dag_id]
    assert dag.doc_md and dag.doc_md.strip()
    assert "ris-jobs" in dag.tags
    for task in dag.tasks:
        assert task.retries >= 1
        assert task.execution_timeout is not None
        assert type(task.retry_exponential_backoff) is float


@pytest.mark.parametrize("dag_id", sorted(LISTED))
def test_one_page_lists_every_parameter_and_no_other(dagbag: Any, dag_id: str) -> None:
    page = (DAGS.parent / "docs" / "operations.md").read_text("utf-8")
    (listed,) = re.findall(rf"^\|.*\| `{dag_id}`: ([^|]+) \|", page, flags=re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", listed)) == set(dagbag.dags[dag_id].params)


def test_a_night_finds_the_thumbnail_and_the_next_finds_nothing_new(
    nights: dict[str, Any], environment: Settings, folder: Path
) -> None:
    crawled = nights["ris_crawl"].test(run_conf={"roots": [str(folder)]})
    assert set(states(crawled).values()) == {"success"}
    scanned = nights["ris_provenance_scan"].test()
    assert set(states(scanned).values()) == {"success"}, states(scanned)
    with open_engine(environment) as engine, engine.connect() as db:
        found = db.execute(text("SELECT relation, derived_uri FROM ris.duplicates")).all()
        assert [(r, Path(u).name) for r, u in found] == [("thumbnail", "small.jpg")]
        assert db.scalar(text("SELECT status FROM ris.last_run")) == "done"
    # The folder is a source now, and need not be named again; a source may be.
    assert set(states(nights["ris_crawl"].test()).values()) == {"success"}
    named = nights["ris_crawl"].test(run_conf={"sources": ["in"], "roots": None})
    assert set(states(named).values()) == {"success"}
    assert [s for name, s in states(named).items() if name.startswith("crawl")] == ["success"]
    nights["ris_provenance_scan"].test()
    with open_engine(environment) as engine, engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ris.match")) == 1
        assert db.scalar(text("SELECT count(*) FROM ris.observation")) == 2
    assert list((environment.home / "reports").iterdir())


def test_whatever_a_task_logs_shows_no_secrets(
    nights: dict[str, Any], environment: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text that no logger of ours wrote, in what a task's log is made by; RIS_LOG is not set."""
    from airflow.sdk.log import mask_logs

    line = {"event": "cannot reach https://host with t0psecret, says a driver"}
    assert "t0psecret" in str(mask_logs(None, "error", dict(line)))
    monkeypatch.setenv("RIS_MILVUS_TOKEN", "ann:t0psecret")
    monkeypatch.setenv("RIS_MODEL", "nonesuch")
    run = nights["ris_upkeep"].test()
    assert set(states(run).values()) == {"failed"}
    assert "t0psecret" not in str(mask_logs(None, "error", dict(line)))


def test_more_sources_than_airflow_maps_share_tasks_and_fail_alone(
    nights: dict[str, Any], environment: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crawl = nights["ris_crawl"]
    of = crawl.get_task("list_sources").python_callable.__globals__
    from airflow.configuration import conf

    assert of["MOST_GROUPS"] < conf.getint("core", "max_map_length")
    monkeypatch.setitem(of, "MOST_GROUPS", 2)
    for name in ("b", "c", "d", "e"):
        shutil.copytree(folder, folder.parent / name)
    roots = [str(folder.parent / name) for name in ("b", "c", "d", "e")]
    run = crawl.test(run_conf={"roots": roots, "sources": None})
    assert [s for name, s in states(run).items() if name.startswith("crawl")] == ["success"] * 2
    # The first of its group cannot be crawled any more; the other one is.
    with open_engine(environment) as engine, engine.begin() as db:
        db.execute(text("UPDATE ris.source SET location = '/nowhere' WHERE name = 'b'"))
    run = crawl.test(run_conf={"roots": None, "sources": ["b", "c", "d", "e"]})
    assert sorted(s for name, s in states(run).items() if name.startswith("crawl")) == [
        "failed",
        "success",
    ]
    # A source that fails is told by its task; the night goes on with the others.
    assert (states(run)["announce[-1]"], run.state) == ("success", "success")
    with open_engine(environment) as engine, engine.connect() as db:
        crawls = text(
            "SELECT s.name, count(*) FROM ris.run r JOIN ris.source_crawl c USING (run_id) "
            "JOIN ris.source s USING (source_id) WHERE r.status = 'done' GROUP BY 1"
        )
        assert {r.name: r.count for r in db.execute(crawls)} == {"b": 1, "c": 2, "d": 2, "e": 2}


def test_a_retry_leaves_out_what_the_run_has_crawled(
    nights: dict[str, Any], environment: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All sources share a task, and one of them cannot be crawled."""
    crawl = nights["ris_crawl"]
    of = crawl.get_task("list_sources").python_callable.__globals__
    monkeypatch.setitem(of, "MOST_GROUPS", 1)
    for name in ("b", "c", "d"):
        shutil.copytree(folder, folder.parent / name)
    roots = [str(folder.parent / name) for name in ("b", "c", "d")]
    crawl.test(run_conf={"roots": roots, "sources": None})
    task = crawl.get_task("crawl")
    monkeypatch.setattr(task, "retries", 1)
    monkeypatch.setattr(task, "retry_delay", timedelta())
    with open_engine(environment) as engine, engine.begin() as db:
        db.execute(text("UPDATE ris.source SET location = '/nowhere' WHERE name = 'c'"))
    run = crawl.test(run_conf={"roots": None, "sources": ["b", "c", "d"]})
    assert states(run)["crawl[0]"] == "failed"
    with open_engine(environment) as engine, engine.connect() as db:
        crawls = text(
            "SELECT s.name, count(*) FROM ris.source_crawl JOIN ris.source s USING (source_id) "
            "GROUP BY 1"
        )
        # The next run, as this one, crawls all.
        assert {r.name: r.count for r in db.execute(crawls)} == {"b": 2, "c": 3, "d": 2}


def test_a_step_that_fails_is_said_and_the_run_is_closed(
    nights: dict[str, Any], environment: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIS_MODEL", "resnet50")
    monkeypatch.setenv("RIS_WEIGHTS_DIR", str(environment.home / "none"))
    (environment.home).mkdir(parents=True, exist_ok=True)
    photo = environment.home / "photo.png"
    photo.write_bytes(edits.png(next(iter(photos()))[1]))
    # What a run is given stays with the tasks, in the one process of dag.test().
    nights["ris_crawl"].test(run_conf={"roots": [str(photo)], "sources": None})
    run = nights["ris_provenance_scan"].test()
    assert states(run)["fingerprint[0]"] == "failed"
    assert states(run)["report[-1]"] == run.state == "failed"
    with open_engine(environment) as engine, engine.connect() as db:
        assert db.scalar(text("SELECT status FROM ris.last_run")) == "failed"


def test_the_folder_parses_in_two_seconds_of_cpu_time_in_a_fresh_process() -> None:
    program = (
        "import runpy, time, airflow.sdk\n"
        "start = time.process_time()\n"
        f"for path in {sorted(map(str, DAGS.glob('ris_*.py')))!r}:\n"
        "    runpy.run_path(path)\n"
        "print(time.process_time() - start)\n"
    )
    env = dict(os.environ) | {"PYTHONPATH": str(DAGS)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    assert float(done.stdout.splitlines()[-1]) < 2
