"""The schema explains itself, and refuses what cannot be."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from ris_jobs.store.queries import query, sql_dir
from ris_jobs.store.runs import Run

UNCOMMENTED_COLUMNS = """
    SELECT c.relname || '.' || a.attname
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'ris'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND col_description(c.oid, a.attnum) IS NULL
"""
# What their names say all of: keys, names and times.
PLAIN = re.compile(
    r"\.(\w+_id|name|version|kind|status|started_at|finished_at|code_version|format|byte_size"
    r"|sha256|detail|reason|confidence|reasons|first_seen_at|last_seen_at|calibration|input_size|version_num)$"
)


def test_every_table_and_view_has_a_comment(engine: Engine) -> None:
    with engine.connect() as db:
        bare = db.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relnamespace = 'ris'::regnamespace "
                "AND relkind IN ('r', 'v') AND obj_description(oid) IS NULL"
            )
        ).all()
    assert bare == []


def test_every_column_that_needs_one_has_a_comment(engine: Engine) -> None:
    with engine.connect() as db:
        bare = [c for c in db.scalars(text(UNCOMMENTED_COLUMNS)) if not PLAIN.search(c)]
    assert bare == []


def test_percent_signs_survive_the_migration(engine: Engine) -> None:
    with engine.connect() as db:
        comment = db.scalar(
            text(
                "SELECT col_description(attrelid, attnum) FROM pg_attribute "
                "WHERE attrelid = 'ris.match'::regclass AND attname = 'probability'"
            )
        )
    assert comment == "calibrated: of the pairs at 0.9, 90 % are copies"


@pytest.mark.parametrize(
    "view", ["duplicates", "thumbnails", "originals", "bank_hit_by_uri", "last_run"]
)
def test_views_for_analysts_can_be_read(engine: Engine, view: str) -> None:
    with engine.connect() as db:
        assert db.execute(text(f"SELECT * FROM ris.{view}")).all() == []


IMPOSSIBLE = {
    "an image without a fingerprint is not ok": (
        "INSERT INTO ris.image (sha256, byte_size, status, first_seen_at, run_id) "
        "VALUES (repeat('a', 64), 1, 'ok', now(), :run)"
    ),
    "quarantine has a reason": (
        "INSERT INTO ris.image (sha256, byte_size, status, first_seen_at, run_id) "
        "VALUES (repeat('a', 64), 1, 'quarantined', now(), :run)"
    ),
    "a hash is 64 hex digits": (
        "INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id) "
        "VALUES ('xyz', 1, now(), :run)"
    ),
    "an observation has bytes or a reason": (
        "INSERT INTO ris.observation (uri, version, byte_size, first_seen_at, last_seen_at, "
        "run_id) VALUES ('file:///a', '1', 1, now(), now(), :run)"
    ),
    "a URI is percent-encoded": (
        "INSERT INTO ris.observation (uri, reason, detail, version, byte_size, first_seen_at, "
        "last_seen_at, run_id) VALUES (E'file:///a\\nb', 'x', 'y', '1', 1, now(), now(), :run)"
    ),
    "nothing ends before it began": (
        "INSERT INTO ris.observation (uri, reason, detail, version, byte_size, first_seen_at, "
        "last_seen_at, run_id) "
        "VALUES ('file:///a', 'x', 'y', '1', 1, now(), now() - interval '1 day', :run)"
    ),
    "a finished run has an end": "UPDATE ris.run SET status = 'done' WHERE run_id = :run",
}


@pytest.mark.parametrize("statement", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_wrong_states_are_refused(engine: Engine, run: Run, statement: str) -> None:
    with pytest.raises(IntegrityError), engine.begin() as db:
        db.execute(text(statement), {"run": run.run_id})


def test_every_query_file_can_be_loaded() -> None:
    for file in (sql_dir() / "queries").glob("*.sql"):
        names = re.findall(r"^-- name: (\w+)$", file.read_text(), re.MULTILINE)
        assert names
        for name in names:
            assert query(f"{file.stem}.{name}").text.strip().endswith(";")


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    from ris_jobs.store.postgres import upgrade

    with engine.begin() as db:
        upgrade(db)
        assert db.scalar(text("SELECT count(*) FROM ris.schema_version")) == 1
