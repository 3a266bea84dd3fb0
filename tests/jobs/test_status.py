"""`ris status` by the tables: what waits, how runs went, and its exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.cli import main
from ris_jobs.crawl.source import Source
from ris_jobs.errors import ConfigError, NotFound
from ris_jobs.jobs.models import model_of
from ris_jobs.progress import LogProgress
from ris_jobs.report.operation import Status
from ris_jobs.settings import Settings
from ris_jobs.store import runs, serving
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from tests.jobs.conftest import Scan


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


def waiting(status: Status) -> dict[str, int]:
    return {w.stage: w.images for w in status.waiting if w.images}


pytestmark = pytest.mark.usefixtures("any_disk")


def ris(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("RIS_HOME", str(settings.home))
    monkeypatch.setenv("RIS_DATABASE_URL", str(settings.database_url))
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_work_waits_stage_by_stage_until_none_does(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    (folder / "broken.jpg").write_bytes(b"no picture")
    progress = LogProgress()
    jobs.crawl_only(settings, [folder], progress)
    before = jobs.status(engine, settings)
    assert waiting(before) == {"fingerprint": 4}
    age = next(w.age for w in before.waiting if w.stage == "fingerprint")
    assert age is not None and timedelta() <= age < timedelta(minutes=5)
    run_id = jobs.begin(settings)
    jobs.step("fingerprint", settings, run_id, progress)
    assert waiting(jobs.status(engine, settings)) == {"match": 3}
    jobs.step("match", settings, run_id, progress)
    assert waiting(jobs.status(engine, settings)) == {"resolve": 1}
    jobs.step("resolve", settings, run_id, progress)
    done = jobs.status(engine, settings)
    assert waiting(done) == {}
    assert done.quarantine == {"not-an-image": 1}
    assert (done.sizes["images"], done.sizes["uris"], done.sizes["indexed"]) == (4, 5, 3)
    assert [(run.kind, run.state) for run in done.runs] == [("scan", "running"), ("crawl", "done")]
    assert done.needs == ()


def test_another_model_waits_to_describe(
    engine: Engine, settings: Settings, folder: Path, scan: Scan
) -> None:
    scan(folder)
    with engine.begin() as db:
        model = runs.register_model(
            db,
            runs.Model(
                name="b", version="1", weights_sha256="0" * 64, dim=4, input_size=8, regions="0+0"
            ),
        )
        runs.finish(db, runs.start(db, "scan", settings, model_id=model), "failed", {})
        model_id = runs.register_model(db, model_of(settings))
    assert waiting(jobs.status(engine, settings)) == {"describe": 3}
    # But the one that was chosen to serve decides, whatever the last scan had.
    with engine.begin() as db:
        serving.choose(db, model_id, "me", "a test")
    assert waiting(jobs.status(engine, settings)) == {}


def test_exit_status_and_words(
    engine: Engine, settings: Settings, folder: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = ris(settings, monkeypatch, "status")
    assert (new.exit_code, new.output.splitlines()[0]) == (
        0,
        "nothing was scanned yet: ris scan FOLDER",
    )
    scan(folder)
    well = ris(settings, monkeypatch, "status", "--json")
    assert well.exit_code == 0 and json.loads(well.stdout)["needs"] == []
    assert "all is well" in ris(settings, monkeypatch, "status").output
    with engine.begin() as db:
        runs.finish(db, runs.start(db, "scan", settings), "failed", {})
    bad = ris(settings, monkeypatch, "status")
    assert bad.exit_code == 1
    assert "needs a hand\n  scan 2 failed 0" in bad.output
    scan(folder)
    assert ris(settings, monkeypatch, "status").exit_code == 0
    earlier = "started_at = started_at - interval '3 days', finished_at = now() - interval '2 days'"
    with engine.begin() as db:
        db.execute(text(f"UPDATE ris.run SET {earlier}"))
    silent = json.loads(ris(settings, monkeypatch, "status", "--json").stdout)
    assert silent["needs"] == ["nothing has run since 48 h 0 min ago: is the scheduler running?"]


def test_a_run_that_was_killed_is_cut_off_once_the_next_begins(
    engine: Engine, settings: Settings, folder: Path, scan: Scan
) -> None:
    with engine.begin() as db:
        runs.start(db, "scan", settings)
    assert jobs.status(engine, settings).runs[0].state == "running"
    scan(folder)
    assert [run.state for run in jobs.status(engine, settings).runs] == ["done", "cut off"]
    assert jobs.status(engine, settings).needs == ()


def test_of_crawls_side_by_side_each_source_has_its_own(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    first, second = folder, folder / "sub"
    for number, root in enumerate((first, second)):
        jobs.add_source(engine, Source(name=f"s{number}", kind="directory", location=str(root)))
    uris = first.as_uri(), second.as_uri()
    with engine.begin() as db:
        failed = runs.start(db, "crawl", settings, roots=uris[:1])
        alive = runs.start(db, "crawl", settings, roots=uris)
        later = runs.start(db, "crawl", settings, roots=uris[1:])
        runs.finish(db, failed, "failed", {})
        runs.finish(db, later, "done", {})

    def states() -> list[str]:
        return [run.state for run in jobs.status(engine, settings).runs]

    # The second folder was looked at since, the first was not.
    assert states() == ["done", "running", "failed"]
    with engine.begin() as db:
        runs.finish(db, alive, "done", {})
        again = runs.start(db, "crawl", settings, roots=uris[:1])
        runs.finish(db, again, "failed", {})
        runs.finish(db, runs.start(db, "crawl", settings, roots=uris[1:]), "done", {})
    (said,) = jobs.status(engine, settings).needs
    assert said.startswith(f"crawl {again.run_id} failed")
    jobs.enable_source(engine, "s0", False)
    assert jobs.status(engine, settings).needs == ()
    with engine.begin() as db:
        runs.start(db, "crawl", settings, roots=uris)
        runs.start(db, "crawl", settings, roots=uris[1:])
    assert states()[:2] == ["running", "running"]
    with engine.begin() as db:
        runs.start(db, "crawl", settings, roots=uris[:1])
    assert states()[:3] == ["running", "running", "cut off"]


def test_a_dry_run_counts_by_the_model_that_the_run_would_have(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    jobs.scan(settings, [folder], LogProgress())
    assert not any(jobs.waiting(settings).values())
    # As the version before described them.
    with engine.begin() as db:
        db.execute(text("UPDATE ris.model SET version = '0'"))
    assert jobs.waiting(settings)["describe"] == 3


def test_a_night_does_not_describe_all_images_anew_by_another_model(
    engine: Engine, settings: Settings, folder: Path
) -> None:
    other = replace(settings, model="resnet50")
    assert jobs.waiting(other) == jobs.waiting(settings)  # of images that there are not yet
    jobs.scan(settings, [folder], LogProgress())
    said = "RIS_MODEL is resnet50, but images are described by builtin: unset it, or change the"
    for asked in (jobs.waiting, jobs.begin):
        with pytest.raises(ConfigError, match=said):
            asked(other)
    with pytest.raises(ConfigError, match="RIS_REGIONS"):
        jobs.begin(replace(settings, regions="0+0"))
    with engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ris.run")) == 1
        assert db.scalar(text("SELECT count(*) FROM ris.model")) == 1
    jobs.begin(replace(settings, model="builtin"))


def test_runs_that_are_no_nights_have_figures_of_their_own(
    engine: Engine, settings: Settings
) -> None:
    figures = asdict(jobs.Reindexed())
    with engine.begin() as db:
        runs.finish(db, runs.start(db, "reindex", settings), "done", figures)
    found = jobs.status(engine, settings)
    assert [(run.kind, run.state, run.stages) for run in found.runs] == [("reindex", "done", ())]
    with pytest.raises(NotFound, match="run 1 is of kind reindex, which has no report"):
        jobs.report(engine, open_previews(settings), 1, settings.home / "page.html")


def test_upkeep_is_said_however_long_ago_it_was(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> tuple[str, object]:
        shown = ris(settings, monkeypatch, "status").output
        return shown, json.loads(ris(settings, monkeypatch, "status", "--json").stdout)["upkeep"]

    shown, found = said()
    assert "upkeep has not run yet" in shown and found is None
    jobs.keep_up(settings, LogProgress())
    assert said()[0].count("upkeep") == 1
    with engine.begin() as db:
        for _ in range(9):
            runs.finish(db, runs.start(db, "scan", settings), "done", {})
    shown, found = said()
    assert "upkeep\n  1  upkeep   done" in shown
    assert isinstance(found, dict) and (found["run_id"], found["state"]) == (1, "done")


def test_a_disk_that_is_nearly_full_needs_a_hand(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.home.mkdir()
    assert jobs.status(engine, settings).needs == ()
    monkeypatch.setattr("ris_jobs.store.home._LOW_BYTES", 1e18)
    said = json.loads(ris(settings, monkeypatch, "status", "--json").stdout)["needs"]
    assert [sentence.partition(" GB ")[2] for sentence in said] == [
        f"are free in {settings.home}: make room there, before jobs fail"
    ]
