"""A home of an earlier version is brought up to date with what it holds."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL

from ris_jobs.errors import DatabaseUnavailable
from ris_jobs.settings import Settings
from ris_jobs.store import images, runs, samples, sources, suppression
from ris_jobs.store.postgres import newest, open_engine, upgrade
from ris_jobs.store.queries import sql_dir
from tests.store.samples import MODEL

# One image that version 1 of the built-in model described, indexed and matched.
BEFORE_REGIONS = """
INSERT INTO ris.run (kind, settings, settings_hash, code_version)
VALUES ('scan', '{}', 'a', '0.1.0');
INSERT INTO ris.model (name, version, weights_sha256, dim, input_size, collection)
VALUES ('test', '1', repeat('ab', 32), 8, 32, 'ris_test_1_abc');
INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id, status, width, height, format,
    frames, exif_orientation, phash, dhash, pdq, pdq_quality, complexity, colourfulness, spectrum,
    traces)
VALUES (repeat('cd', 32), 99, now(), 1, 'ok', 4, 3, 'PNG', 1, 1, decode(repeat('00', 64), 'hex'),
    decode(repeat('00', 64), 'hex'), decode(repeat('00', 32), 'hex'), 90, 0.5, 20,
    array_fill(0::real, ARRAY[32]), '{}');
INSERT INTO ris.descriptor (model_id, image_id, vectors, indexed_at, matched_at)
VALUES (1, 1, decode(repeat('00', 32), 'hex'), now(), now());
"""
# Two more images and two matches, one of them suppressed.
BEFORE_REVIEWERS = """
INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id)
VALUES (repeat('ce', 32), 99, now(), 1), (repeat('cf', 32), 99, now(), 1);
INSERT INTO ris.match (derived_id, source_id, relation, probability, cosine, hash_distance, scale,
    orientation, suppressed, evidence, model_id, calibration, run_id)
VALUES (2, 1, 'edited', 1, 1, 0, 1, 1, 'low-complexity', '{}', 1, '1', 1),
       (3, 1, 'edited', 1, 1, 0, 1, 1, NULL, '{}', 1, '1', 1);
"""

# A hub, what it may have been pasted into, and what it was cut out of.
BEFORE_HUB_CROPS = """
INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id)
VALUES (repeat('ce', 32), 99, now(), 1), (repeat('cf', 32), 99, now(), 1),
       (repeat('d0', 32), 99, now(), 1);
INSERT INTO ris.match (derived_id, source_id, relation, probability, cosine, hash_distance, scale,
    orientation, box, evidence, model_id, calibration, run_id, resolved)
VALUES (1, 2, 'crop', 1, 1, 0, 1, 1, '{0,0,1,1}', '{"direction": "undetermined"}', 1, '1', 1, true),
       (1, 3, 'crop', 1, 1, 0, 1, 1, '{0,0,1,1}', '{"direction": "containment"}', 1, '1', 1, true),
       (4, 3, 'crop', 1, 1, 0, 1, 1, '{0,0,1,1}', '{"direction": "undetermined"}', 1, '1', 1, true);
INSERT INTO ris.hub VALUES (1);
"""

# Two images, one of them in quarantine, a match and its family.
BEFORE_HISTORY = """
INSERT INTO ris.run (kind, settings, settings_hash, code_version, started_at)
VALUES ('scan', '{}', 'a', '0.1.0', now() - interval '1 day');
INSERT INTO ris.model (name, version, weights_sha256, dim, input_size, regions)
VALUES ('test', '1', repeat('ab', 32), 8, 32, '0+0');
INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id, status, reason, detail, judged_by)
VALUES (repeat('cd', 32), 99, now(), 1, 'pending', NULL, NULL, NULL),
       (repeat('ce', 32), 99, now(), 1, 'quarantined', 'corrupt', 'It is corrupt.', 'a 0.1.0');
INSERT INTO ris.match (derived_id, source_id, relation, probability, cosine, hash_distance, scale,
    orientation, evidence, model_id, calibration, run_id)
VALUES (2, 1, 'edited', 1, 1, 0, 1, 1, '{}', 1, '1', 1);
INSERT INTO ris.family (anchor_id, source_id, confidence, reasons, run_id)
VALUES (1, 1, 0.9, '{for: it is so}', 1);
INSERT INTO ris.family_member (image_id, family_id) VALUES (1, 1), (2, 1);
"""


@pytest.fixture
def empty(postgres: URL) -> Iterator[Engine]:
    """A database without any schema."""
    name = f"test_{uuid.uuid4().hex}"
    server = create_engine(postgres, isolation_level="AUTOCOMMIT")
    with server.connect() as db:
        db.execute(text(f"CREATE DATABASE {name}"))
    engine = create_engine(postgres.set(database=name))
    yield engine
    engine.dispose()
    with server.connect() as db:
        db.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def test_the_last_migration_is_the_one_that_alembic_ends_with() -> None:
    assert newest() == ScriptDirectory(str(sql_dir() / "alembic")).get_current_head()


@pytest.mark.parametrize("before", [None, "0022"])
def test_whoever_opens_a_database_brings_it_up_to_date(empty: Engine, before: str | None) -> None:
    if before is not None:
        with empty.begin() as db:
            upgrade(db, to=before)
    with open_engine(opening(empty)) as engine, engine.connect() as db:
        assert db.scalar(text("SELECT version_num FROM ris.schema_version")) == newest()


def test_a_database_of_a_newer_version_is_left_alone(empty: Engine) -> None:
    with empty.begin() as db:
        upgrade(db)
        db.exec_driver_sql("UPDATE ris.schema_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match="newer version"), open_engine(opening(empty)):
        pass


def opening(database: Engine) -> Settings:
    return Settings(database_url=database.url.render_as_string(hide_password=False))


def test_what_was_suppressed_before_reviewers_was_judged_so(empty: Engine) -> None:
    with empty.begin() as db:
        upgrade(db, to="0002")
        db.exec_driver_sql(BEFORE_REGIONS + BEFORE_REVIEWERS)
    with empty.begin() as db:
        upgrade(db)
        ask = "SELECT suppressed, judged_suppressed FROM ris.match ORDER BY suppressed"
        assert db.execute(text(ask)).all() == [("low-complexity", "low-complexity"), (None, None)]
        assert suppression.settle(db, [1, 2, 3], 50) == []


def test_what_matched_a_template_before_that_was_kept_still_does(empty: Engine) -> None:
    with empty.begin() as db:
        upgrade(db, to="0002")
        db.exec_driver_sql(BEFORE_REGIONS + BEFORE_REVIEWERS)
        upgrade(db, to="0005")
        db.exec_driver_sql("INSERT INTO ris.template (image_id, who) VALUES (1, 'me'), (2, 'me')")
        ask = text("SELECT image_id, template_id FROM ris.template_match ORDER BY 1, 2")
        before = db.execute(ask).all()
    with empty.begin() as db:
        upgrade(db)
        assert db.execute(ask).all() == before == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]
        assert len(suppression.settle(db, [1, 2, 3], 50)) == 1


def test_what_may_have_been_pasted_is_that_of_a_hub_which_was_found_before(empty: Engine) -> None:
    with empty.begin() as db:
        upgrade(db, to="0002")
        db.exec_driver_sql(BEFORE_REGIONS)
    with empty.begin() as db:
        upgrade(db, to="0025")
        db.exec_driver_sql(BEFORE_HUB_CROPS)
    with empty.begin() as db:
        upgrade(db)
        ask = "SELECT derived_id, source_id, suppressed, resolved FROM ris.match ORDER BY 1, 2"
        assert db.execute(text(ask)).all() == [
            (1, 2, "hub", False),
            (1, 3, None, True),
            (4, 3, None, True),
        ]
        kept = "SELECT derived_id, source_id, suppressed FROM ris.match_history"
        assert db.execute(text(kept)).all() == [(1, 2, None)]


def test_what_was_there_before_history_holds_since_its_run(empty: Engine) -> None:
    with empty.begin() as db:
        upgrade(db, to="0005")
        db.exec_driver_sql(BEFORE_HISTORY)
    with empty.begin() as db:
        upgrade(db)
        for table in ("match", "family", "family_member"):
            since = f"SELECT since = (SELECT started_at FROM ris.run) FROM ris.{table}"
            assert set(db.scalars(text(since))) == {True}
        status = "SELECT status FROM ris.image_states_at(now()) ORDER BY image_id"
        assert db.scalars(text(status)).all() == ["pending", "quarantined"]


def test_images_from_before_samples_wait_for_one(empty: Engine) -> None:
    with empty.begin() as db:
        upgrade(db, to="0002")
        db.exec_driver_sql(BEFORE_REGIONS + BEFORE_REVIEWERS)
    with empty.begin() as db:
        upgrade(db)
        assert samples.count_late(db) == samples.Late(waiting=1, missing=0)


def test_folders_that_were_crawled_before_are_sources(empty: Engine) -> None:
    roots = ["file:///srv/Press%20Photos", "file:///other/press-photos", "file:///a/%C3%BC%FF"]
    with empty.begin() as db:
        upgrade(db, to="0009")
        insert = (
            "INSERT INTO ris.run (kind, settings, settings_hash, code_version, roots) "
            "VALUES ('crawl', '{}', 'a', '0.1.0', :roots)"
        )
        for some in (roots[:2], roots[1:], []):
            db.execute(text(insert), {"roots": some})
    with empty.begin() as db:
        upgrade(db)
        found = {stored.source.name: stored.source for stored, _ in sources.there(db)}
    assert sorted(s.location for s in found.values()) == [
        "/a/ü\udcff",
        "/other/press-photos",
        "/srv/Press Photos",
    ]
    assert all(name.rpartition("-")[2].isdigit() for name in found)


def test_passwords_in_urls_that_were_kept_go(empty: Engine) -> None:
    inside = "https://me:secret@example.org/a.png"
    with empty.begin() as db:
        upgrade(db, to="0019")
        db.exec_driver_sql(
            "INSERT INTO ris.source (name, kind, location) VALUES ('a', 'web', 'https://example.org')"
        )
        failed = "source_id, attempts, reason, detail, failed_at, tried_at, named_at, next_try_at"
        for uri in (inside, "https://example.org/@b.png"):
            values = {"uri": uri, "link": inside}
            sighting = "INSERT INTO ris.sighting (source_id, uri, link, last_seen_at)"
            db.execute(text(f"{sighting} VALUES (1, :uri, :link, now())"), values)
            row = "VALUES (:uri, 1, 1, 'failed', 'd', now(), now(), now(), now())"
            db.execute(text(f"INSERT INTO ris.fetch (uri, {failed}) {row}"), values)
    with empty.begin() as db:
        upgrade(db)
        assert db.execute(text("SELECT uri FROM ris.fetch")).all() == [
            ("https://example.org/@b.png",)
        ]
        sightings = db.execute(text("SELECT uri, link FROM ris.sighting")).all()
        assert sightings == [("https://example.org/@b.png", "https://***@example.org/a.png")]
        assert db.scalar(text("SELECT count(*) FROM ris.sighting_history")) == 0


def test_descriptors_from_before_regions_are_those_of_whole_pictures(empty: Engine) -> None:
    with empty.begin() as db:
        upgrade(db, to="0002")
        db.exec_driver_sql(BEFORE_REGIONS)
    with empty.begin() as db:
        upgrade(db)
        kept = db.execute(text("SELECT regions, commonness FROM ris.descriptor")).one()
        assert (kept.regions, kept.commonness) == ([0, 0, 1, 1], [0])
        model = db.execute(text("SELECT regions, collection FROM ris.model")).one()
        assert tuple(model) == ("0+0", None)
        now = runs.register_model(db, MODEL)
        (claimed,) = images.claim_undescribed(db, now, 0, 10)
        assert now != 1 and not claimed.new


@pytest.mark.parametrize(("retired", "waiting"), [("NULL", 1), ("now()", 0)])
def test_what_was_retired_before_waits_for_no_sample(
    empty: Engine, retired: str, waiting: int
) -> None:
    with empty.begin() as db:
        upgrade(db, to="0002")
        db.exec_driver_sql(BEFORE_REGIONS)
    with empty.begin() as db:
        upgrade(db, to="0019")
        db.execute(text(f"UPDATE ris.image SET retired_at = {retired}"))
        assert db.scalar(text("SELECT count(*) FROM ris.late_sample")) == 1
    with empty.begin() as db:
        upgrade(db)
        assert db.scalar(text("SELECT count(*) FROM ris.late_sample")) == waiting
