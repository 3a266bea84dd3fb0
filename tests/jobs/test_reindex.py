"""A change of the model: nothing is lost meanwhile, and the way back leads to the same rows."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.errors import ConfigError, GateClosed, NotFound, ServingChanged
from ris_jobs.jobs import Pace
from ris_jobs.jobs.books import Apart, Counted
from ris_jobs.progress import LogProgress
from ris_jobs.report.churn import Example
from ris_jobs.report.views import Summary
from ris_jobs.settings import Settings
from ris_jobs.store import matches, runs
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from tests.conftest import fresh_database
from tests.jobs.programs import Program

WHOLES = ("builtin", "0+0")

MATCHES = """
    SELECT d.sha256, s.sha256, m.relation, m.probability, m.cosine, m.hash_distance, m.scale,
           m.orientation, m.box, m.suppressed, m.judged_suppressed, m.evidence::text, m.calibration
    FROM ris.match m
    JOIN ris.image d ON d.image_id = m.derived_id JOIN ris.image s ON s.image_id = m.source_id
    ORDER BY 1, 2"""
# All columns but since when.
ROWS = """
    SELECT derived_id, source_id, relation, probability, cosine, hash_distance, inliers, scale,
           orientation, box, suppressed, judged_suppressed, evidence::text, model_id, calibration,
           run_id, resolved
    FROM ris.match ORDER BY derived_id, source_id"""
FAMILIES = "SELECT source_uri, confidence, reasons, members FROM ris.family_by_uri ORDER BY members"


@pytest.fixture(scope="module")
def photos(
    tmp_path_factory: pytest.TempPathFactory, coffee: Image.Image, rocket: Image.Image
) -> Path:
    """Two photos, a thumbnail of one, and a crop of it. No test writes here."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "coffee.jpg").write_bytes(edits.jpeg(coffee, 92))
    (folder / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(coffee, 128)))
    (folder / "crop.jpg").write_bytes(edits.jpeg(coffee.crop((20, 20, 320, 220)), 92))
    (folder / "rocket.jpg").write_bytes(edits.jpeg(rocket, 92))
    return folder


@pytest.fixture(scope="module")
def scanned_once(
    postgres: URL, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """So that a crop is found by its region, and not by the whole picture."""
    with fresh_database(postgres) as url:
        home = tmp_path_factory.mktemp("scanned") / "home"
        settings = Settings(
            home=home, database_url=url, workers=2, min_cosine=0.8, gate_lost_floor=0
        )
        jobs.scan(settings, [photos], LogProgress())
        yield settings


@pytest.fixture(scope="module")
def filled_once(
    postgres: URL, scanned_once: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    with copied(postgres, scanned_once, tmp_path_factory.mktemp("filled")) as settings:
        jobs.start_reindex(settings, *WHOLES, "me")
        assert fill(settings).ready
        yield settings


@pytest.fixture
def settings(postgres: URL, scanned_once: Settings, tmp_path: Path) -> Iterator[Settings]:
    """All photos are scanned."""
    with copied(postgres, scanned_once, tmp_path) as settings:
        yield settings


@pytest.fixture
def filled(postgres: URL, filled_once: Settings, tmp_path: Path) -> Iterator[Settings]:
    """And described and matched by another model, too."""
    with copied(postgres, filled_once, tmp_path) as settings:
        yield settings


@contextmanager
def copied(postgres: URL, settings: Settings, place: Path) -> Iterator[Settings]:
    """The same database and home at another place."""
    shutil.copytree(settings.home, place / "home")
    name = str(make_url(str(settings.database_url)).database)
    with fresh_database(postgres, name) as url:
        yield replace(settings, home=place / "home", database_url=url)


def scan(settings: Settings, *roots: Path) -> Summary:
    return jobs.scan(settings, roots, LogProgress())


def fill(settings: Settings, pace: Pace | None = None) -> jobs.Reindexed:
    return jobs.run_reindex(settings, pace or Pace(), LogProgress())


def ask(settings: Settings, question: str) -> list[tuple[Any, ...]]:
    with open_engine(settings) as engine, engine.connect() as db:
        return [tuple(row) for row in db.execute(text(question))]


def names(example: Example) -> set[str]:
    return {Path(side.uri).name for side in (example.derived, example.source)}


def test_what_serves_is_untouched_while_another_model_is_filled(settings: Settings) -> None:
    before = ask(settings, ROWS), ask(settings, FAMILIES)
    status = jobs.start_reindex(settings, *WHOLES, "me")
    assert (status.serves, status.beside) == ("builtin-2 5+10", "builtin-2 0+0")
    done = fill(settings, Pace(limit=3))
    assert (done.fingerprinted.images, done.matched.images, done.ready) == (3, 0, False)
    done = fill(settings)
    assert (done.fingerprinted.images, done.matched.images, done.ready) == (1, 4, True)
    assert (ask(settings, ROWS), ask(settings, FAMILIES)) == before
    status = jobs.reindex_status(settings)
    assert status.figures is not None and status.ready
    assert (status.figures.described, status.figures.matched, status.figures.pairs) == (4, 4, 1)
    # Once more changes nothing.
    assert fill(settings).matched.images == 0
    assert jobs.start_reindex(settings, *WHOLES, "me") == status


def test_after_a_switch_all_is_as_if_the_model_had_scanned_it(
    filled: Settings, photos: Path, other_database_url: str, tmp_path: Path
) -> None:
    found = jobs.switch(filled, "the crop may go", "me", force=True)
    assert (found.count("lost"), found.count("gained")) == (2, 0)
    fresh = replace(filled, regions="0+0", database_url=other_database_url, home=tmp_path / "fresh")
    scan(fresh, photos)
    assert ask(filled, MATCHES) == ask(fresh, MATCHES)
    assert ask(filled, FAMILIES) == ask(fresh, FAMILIES)
    # The night after it serves finds nothing to do.
    rows = ask(filled, ROWS)
    assert scan(filled, photos).fingerprinted == 0
    assert ask(filled, ROWS) == rows


def test_the_former_model_comes_back_with_the_same_rows(filled: Settings) -> None:
    before = ask(filled, ROWS), ask(filled, FAMILIES)
    jobs.switch(filled, "a try", "me", force=True)
    assert (ask(filled, ROWS), ask(filled, FAMILIES)) != before
    with pytest.raises(NotFound, match="serves already"):
        jobs.switch(filled, None, "me")
    jobs.rollback(filled, "it was no good", "me")
    assert (ask(filled, ROWS), ask(filled, FAMILIES)) == before
    with pytest.raises(NotFound, match="nothing to put back"):
        jobs.rollback(filled, "again", "me")
    # What was believed meanwhile is kept, and who chose it.
    assert len(ask(filled, "SELECT FROM ris.match_history")) > 0
    said = [(c.model[-4:], c.who, c.forced) for c in jobs.reindex_status(filled).choices]
    assert said == [("5+10", "me", False), (" 0+0", "me", True), ("5+10", "me", False)]


def test_a_switch_that_is_killed_has_happened_or_has_not(filled: Settings) -> None:
    before = ask(filled, ROWS), ask(filled, FAMILIES)
    begun = "SELECT run_id FROM ris.run WHERE kind = 'reindex' AND status = 'running'"
    for moment in (0.0, 0.03):
        runs = ask(filled, begun)
        place = filled.home, str(filled.database_url)
        victim = Program(*place, "reindex", "switch", "--force", "--why", "x")
        while ask(filled, begun) == runs and victim.is_running():
            time.sleep(0.01)
        time.sleep(moment)
        victim.kill()
        if jobs.reindex_status(filled).serves == "builtin-2 0+0":
            jobs.rollback(filled, "a test", "me")
        assert (ask(filled, ROWS), ask(filled, FAMILIES)) == before
    jobs.switch(filled, "a test", "me", force=True)
    assert jobs.reindex_status(filled).serves == "builtin-2 0+0"


def test_a_report_shows_the_change_and_makes_none(filled: Settings, tmp_path: Path) -> None:
    before = ask(filled, ROWS), ask(filled, FAMILIES)
    page = tmp_path / "out" / "churn.html"
    found = jobs.churn_report(filled, page)
    assert (ask(filled, ROWS), ask(filled, FAMILIES)) == before
    assert all("crop.jpg" in names(e) for e in found.shown("lost"))
    assert found.counted == 3 and found.count("kept") == 1
    assert sum(found.differences) == 1 and len(found.quantiles) == 7
    (family,) = found.families
    assert (family.before, family.after, family.departed) == (3, 2, 1)
    assert found.families_changed == 1
    assert found.gate.problems == ("2 of 3 matches would be lost, 0 may be",)
    html = page.read_text("utf-8")
    assert html.count("data:image/jpeg") == 4 and "crop.jpg" in html
    assert found == jobs.switch(filled, "as shown", "me", force=True)


def test_the_gate_says_why_it_is_closed(settings: Settings) -> None:
    jobs.start_reindex(settings, *WHOLES, "me")
    fill(settings, Pace(limit=2))
    rows = ask(settings, ROWS)
    with pytest.raises(GateClosed, match="it has not described 2 images"):
        jobs.switch(settings, None, "me")
    fill(settings, Pace(limit=2))
    with pytest.raises(GateClosed, match="it has not matched 4 images"):
        jobs.switch(settings, None, "me")
    fill(settings)
    with pytest.raises(GateClosed, match="2 of 3 matches would be lost, 0 may be"):
        jobs.switch(settings, None, "me")
    with pytest.raises(ConfigError, match="--why is needed with --force"):
        jobs.switch(settings, None, "me", force=True)
    assert ask(settings, ROWS) == rows
    jobs.switch(replace(settings, gate_lost=0.7), None, "me")
    assert jobs.reindex_status(settings).serves == "builtin-2 0+0"


def test_a_forced_switch_keeps_what_the_model_did_not_look_at(
    settings: Settings, photos: Path
) -> None:
    jobs.start_reindex(settings, *WHOLES, "me")
    rows = ask(settings, ROWS)
    jobs.switch(settings, "at once", "me", force=True)
    assert ask(settings, ROWS) == rows
    # The night matches what is missing; what it does not confirm then stays, as it was found.
    scan(settings, photos)
    assert len(ask(settings, MATCHES)) == 3


def test_no_switch_while_a_night_is_under_way(filled: Settings) -> None:
    filled = replace(filled, gate_lost=1)
    jobs.begin(filled)  # and was killed
    run_id = jobs.begin(filled)
    with pytest.raises(GateClosed, match=f"run {run_id} has not finished"):
        jobs.switch(filled, None, "me")
    # What was cut off before that one needs nothing.
    jobs.finish(filled, run_id, {})
    jobs.switch(filled, None, "me")


def test_a_switch_that_was_killed_before_it_could_say_so_is_not_made_again(
    filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    began = datetime.now(UTC)
    assert not jobs.switched(filled, began)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(runs, "finish", killed)
        jobs.switch(filled, "a test", "me", force=True)
    last = "SELECT status FROM ris.run ORDER BY run_id DESC LIMIT 1"
    assert ask(filled, last) == [("running",)]
    assert jobs.switched(filled, began)
    assert ask(filled, last) == [("done",)]
    # One that nobody made meanwhile still tells.
    assert not jobs.switched(filled, datetime.now(UTC))
    with pytest.raises(NotFound, match="serves already"):
        jobs.switch(filled, None, "me")
    jobs.rollback(filled, "a test", "me")
    assert not jobs.switched(filled, began)


def test_a_reviewers_copy_stays_a_match(filled: Settings, photos: Path) -> None:
    pair = (str(photos / "coffee.jpg"), str(photos / "crop.jpg"))
    with open_engine(filled) as engine:
        jobs.decide(engine, filled, *pair, "copy", "I cut it myself", "me")
    found = jobs.switch(replace(filled, gate_lost=1), None, "me")
    assert found.count("lost") == 1
    assert len(ask(filled, MATCHES)) == 2


def test_a_reviewers_no_holds_for_the_new_model_too(filled: Settings, photos: Path) -> None:
    pair = (str(photos / "coffee.jpg"), str(photos / "small.jpg"))
    with open_engine(filled) as engine:
        jobs.decide(engine, filled, *pair, "not-copy", "a test", "me")
    jobs.switch(replace(filled, gate_lost=1), None, "me")
    assert ask(filled, "SELECT suppressed FROM ris.match") == [("reviewer",)]
    assert ask(filled, FAMILIES) == []


def test_nights_go_on_with_both_models(
    filled: Settings, tmp_path: Path, coffee: Image.Image, rocket: Image.Image
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / "rocket-small.jpg").write_bytes(edits.jpeg(edits.thumbnail(rocket, 160)))
    scan(filled, new)
    described = (
        "SELECT model_id, count(*) FROM ris.descriptor WHERE matched_at IS NOT NULL GROUP BY 1"
    )
    assert sorted(ask(filled, described)) == [(1, 5), (2, 5)]
    jobs.switch(filled, "the crop may go", "me", force=True)
    assert len(ask(filled, MATCHES)) == 2
    (new / "coffee-small.jpg").write_bytes(edits.jpeg(edits.thumbnail(coffee, 200)))
    scan(filled, new)
    assert sorted(ask(filled, described)) == [(1, 6), (2, 6)]
    # The former model has found the copy, and that of the crop, which the new one did not.
    apart = pairs(filled, "ris.shadow_match")
    assert apart > pairs(filled, "ris.match")
    jobs.rollback(filled, "better both", "me")
    assert pairs(filled, "ris.match") == apart
    assert jobs.reindex_status(filled).ready


def pairs(settings: Settings, table: str) -> set[frozenset[int]]:
    return {frozenset(row) for row in ask(settings, f"SELECT derived_id, source_id FROM {table}")}


def test_a_night_does_without_a_model_that_cannot_be_loaded(
    settings: Settings,
    tmp_path: Path,
    rocket: Image.Image,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    jobs.start_reindex(settings, "resnet50", None, "me")
    (tmp_path / "rocket-small.jpg").write_bytes(edits.jpeg(edits.thumbnail(rocket, 160)))
    assert scan(settings, tmp_path / "rocket-small.jpg").fingerprinted == 1
    assert "the model of the open reindex is left out" in caplog.text
    assert len(ask(settings, MATCHES)) == 4


def _no_network(*_: object, **__: object) -> None:
    raise OSError("no network")


def test_settings_follow_the_model_that_serves_and_may_not_name_another(
    filled: Settings, photos: Path
) -> None:
    with pytest.raises(ConfigError, match=r"RIS_REGIONS is 5\+10, and no scan would run"):
        jobs.switch(replace(filled, regions="5+10"), "a test", "me", force=True)
    jobs.switch(filled, "a test", "me", force=True)
    with pytest.raises(ConfigError, match=r"RIS_REGIONS is 5\+10, but 0\+0 serves"):
        scan(replace(filled, regions="5+10"), photos)
    with pytest.raises(ConfigError, match="RIS_MODEL is resnet50, but builtin serves"):
        scan(replace(filled, model="resnet50"), photos)
    scan(replace(filled, model="builtin", regions="0+0"), photos)


def test_matches_of_another_model_do_not_get_among_those_that_count(filled: Settings) -> None:
    with open_engine(filled) as engine, engine.begin() as db:
        matches.lock(db)
        with pytest.raises(ServingChanged):
            Counted(2, "x", 1, 50).write(db, [], [1])
        with pytest.raises(ServingChanged):
            Apart(1, "x", 1).write(db, [], [1])
        assert Counted(1, "x", 1, 50).write(db, [], [1]) == 0


def test_one_model_at_a_time_is_filled(filled: Settings) -> None:
    with pytest.raises(ConfigError, match="one can at a time"):
        jobs.start_reindex(filled, "builtin", "5+0", "me")
    with pytest.raises(ConfigError, match="serves already"):
        jobs.start_reindex(filled, "builtin", None, "me")
    with pytest.raises(ConfigError, match="must be one of"):
        jobs.start_reindex(filled, "nothing", None, "me")


def test_a_model_that_is_given_up_leaves_nothing(filled: Settings) -> None:
    rows = ask(filled, ROWS)
    status = jobs.abandon_reindex(filled)
    assert (status.serves, status.beside) == ("builtin-2 5+10", None)
    assert ask(filled, ROWS) == rows
    for left in ("shadow_match", "descriptor WHERE model_id = 2"):
        assert ask(filled, f"SELECT FROM ris.{left}") == []
    assert ask(filled, "SELECT collection FROM ris.model WHERE model_id = 2") == [(None,)]
    with pytest.raises(NotFound, match="no change of the model is open"):
        fill(filled)
    # And can be filled again.
    jobs.start_reindex(filled, *WHOLES, "me")
    assert fill(filled).matched.images == 4


def test_a_former_model_that_is_given_up_keeps_its_descriptors_for_replays(
    filled: Settings,
) -> None:
    jobs.switch(filled, "a test", "me", force=True)
    jobs.abandon_reindex(filled)
    with open_engine(filled) as engine:
        done = jobs.replay(engine, open_previews(filled), filled, 1, LogProgress())
    assert (done.rows, done.differences) == (3, [])
    with pytest.raises(NotFound):
        jobs.rollback(filled, "too late", "me")


def test_previews_do_where_originals_are_gone(postgres: URL, photos: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(photos, tmp_path / "photos")
    with fresh_database(postgres) as url:
        settings = Settings(home=tmp_path / "home", database_url=url, workers=2)
        scan(settings, folder)
        shutil.rmtree(folder)
        jobs.start_reindex(settings, *WHOLES, "me")
        assert fill(settings).ready


def test_what_cannot_be_read_any_more_does_not_close_the_gate(
    postgres: URL, photos: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(photos, tmp_path / "photos")
    with fresh_database(postgres) as url:
        settings = Settings(home=tmp_path / "home", database_url=url, workers=2, gate_lost=1)
        scan(settings, folder)
        kept = (folder / "small.jpg").read_bytes()
        gone = "SELECT sha256 FROM ris.image_by_uri WHERE uri LIKE '%/small.jpg'"
        open_previews(settings).delete(ask(settings, gone)[0][0])
        (folder / "small.jpg").unlink()
        jobs.start_reindex(settings, *WHOLES, "me")
        # Until a run has tried it, nobody knows.
        assert jobs.churn_report(settings, None).gate.undescribed == 4
        assert fill(settings).ready
        gate = jobs.churn_report(settings, None).gate
        assert gate.problems == () and (gate.undescribed, gate.left_out) == (0, 1)
        assert [Path(uri).name for uri in gate.left_out_first] == ["small.jpg"]
        # Once it is back it is described, and no more left out.
        (folder / "small.jpg").write_bytes(kept)
        assert fill(settings).fingerprinted.images == 1
        assert jobs.switch(settings, None, "me").gate.left_out == 0
