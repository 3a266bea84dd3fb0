"""A report reads what it lists, and not all there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from ris_jobs.store import reports
from ris_jobs.store.queries import query

MANY, LATE = 2000, datetime(2026, 3, 1, tzinfo=UTC)
NIGHT = {"since": LATE - timedelta(days=1), "until": LATE}

# Many images that were seen long ago, each but the first a copy of the one before it, each two a
# family, a tenth as many URIs in quarantine; and a night that saw three of them.
LONG_AGO = f"""
INSERT INTO ris.run (kind, settings, settings_hash, code_version)
SELECT 'scan', '{{}}', 'a', '1' FROM generate_series(1, 2);
INSERT INTO ris.model (name, version, weights_sha256, dim, input_size, regions)
VALUES ('test', '1', repeat('ab', 32), 8, 32, '0+0');
INSERT INTO ris.image (sha256, byte_size, first_seen_at, run_id, status, width, height, format,
    frames, exif_orientation, phash, dhash, pdq, pdq_quality, complexity, colourfulness, spectrum,
    traces)
SELECT lpad(to_hex(n), 64, '0'), 99, '2026-01-01Z', 1, 'ok', 4, 3, 'PNG', 1, 1,
    decode(repeat('00', 64), 'hex'), decode(repeat('00', 64), 'hex'),
    decode(repeat('00', 32), 'hex'), 90, 0.5, 20, array_fill(0::real, ARRAY[32]), '{{}}'
FROM generate_series(1, {MANY}) n;
INSERT INTO ris.observation (uri, image_id, version, byte_size, first_seen_at, last_seen_at, run_id)
SELECT 'file:///' || n, n, '1', 99, '2026-01-01Z', '2026-01-01Z', 1
FROM generate_series(1, {MANY}) n;
INSERT INTO ris.observation (uri, reason, detail, version, byte_size, first_seen_at, last_seen_at,
    run_id)
SELECT 'file:///bad' || n, 'unreadable', 'no.', '1', 99, '2026-01-01Z', '2026-01-01Z', 1
FROM generate_series(1, {MANY} / 10) n;
INSERT INTO ris.match (derived_id, source_id, relation, probability, cosine, hash_distance, scale,
    orientation, evidence, model_id, calibration, run_id, suppressed)
SELECT n, n - 1, 'edited', n::real / {MANY}, 1, 0, 1, 1, '{{}}', 1, '1',
    CASE n WHEN 2 THEN 2 ELSE 1 END, CASE WHEN n % 3 = 0 THEN 'low-complexity' END
FROM generate_series(2, {MANY}) n;
INSERT INTO ris.family (anchor_id, source_id, confidence, reasons, run_id, since)
SELECT n - 1, n - 1, 0.9, '{{for: so}}', 1, '2026-01-01Z' FROM generate_series(2, {MANY}, 2) n;
INSERT INTO ris.family_member (image_id, family_id, since)
SELECT i, family_id, '2026-01-01Z' 
FROM ris.family, LATERAL (VALUES (anchor_id), (anchor_id + 1)) m(i);
INSERT INTO ris.observation (uri, image_id, version, byte_size, first_seen_at, last_seen_at, run_id)
SELECT 'file:///again' || n, n, '1', 99, '{LATE}', '{LATE}', 2 FROM generate_series(1, 3) n;
UPDATE ris.observation SET gone_at = '{LATE}' WHERE uri = 'file:///7';
ANALYZE;
"""


@pytest.fixture
def db(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as db:
        db.exec_driver_sql(LONG_AGO.replace("%", "%%"))
    with engine.connect() as db:
        yield db


def rows_read(db: Connection, name: str, **params: Any) -> int:
    """How many rows of tables a query looks at, by the plan that suits large ones."""
    for small in ("seqscan", "hashjoin", "mergejoin"):
        db.execute(text(f"SET LOCAL enable_{small} = off"))
    plan = db.execute(
        text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query(name).text}"), params
    ).scalar_one()
    return _read(plan[0]["Plan"])


def _read(node: dict[str, Any]) -> int:
    own = 0
    if "Relation Name" in node or node["Node Type"] == "Index Only Scan":
        passed = node.get("Rows Removed by Filter", 0) + node.get(
            "Rows Removed by Index Recheck", 0
        )
        own = (node["Actual Rows"] + passed) * node["Actual Loops"]
    return own + sum(_read(child) for child in node.get("Plans", ()))


def test_what_changed_is_read_and_not_the_whole_ledger(db: Connection) -> None:
    assert rows_read(db, "report.uri_changes", **NIGHT, limit=200) < 100
    assert rows_read(db, "report.family_changes", **NIGHT) < 100


def test_rows_of_a_page_are_read_and_not_all_there_are(db: Connection) -> None:
    assert rows_read(db, "report.pairs", run_id=2, limit=10) < 1000
    assert rows_read(db, "report.families", ids=[1, 2, 3]) < 100
    assert rows_read(db, "report.quarantine", limit=5) < 500
    assert rows_read(db, "report.count_moved", run_id=2) < 500


def test_an_image_that_was_moved_to_many_uris_is_counted_at_each(db: Connection) -> None:
    shown = f"""
        INSERT INTO ris.observation (uri, image_id, version, byte_size, first_seen_at, last_seen_at,
                                     run_id)
        SELECT 'file:///at' || n, 7, '1', 99, '{LATE}', '{LATE}', 2
        FROM generate_series(1, {MANY}) n
    """
    db.exec_driver_sql(shown)
    assert db.scalar(query("report.count_moved"), {"run_id": 2}) == MANY
    # They do not take the place of matches on the page.
    assert [p.suppressed for p in reports.pairs(db, 2, MANY)].count("moved") == 0


def test_pairs_are_those_that_are_exported(db: Connection) -> None:
    exported = {
        (r["derived_uri"], r["source_uri"]): (r["relation"], r["probability"], r["evidence"])
        for r in reports.export_rows(db, "matches")
    }
    shown = {
        (p.derived.uri, p.source.uri): (p.relation, p.probability, p.evidence)
        for p in reports.pairs(db, 2, 10_000)
    }
    assert len(shown) == MANY - 1 + 3
    assert shown == exported


def test_pairs_of_the_run_come_first_then_the_most_probable(db: Connection) -> None:
    shown = reports.pairs(db, 2, 7)
    assert [p.new for p in shown] == [True] * 4 + [False] * 3
    names = [(p.derived.uri[8:], p.source.uri[8:]) for p in shown]
    assert names[:4] == [("again1", "1"), ("again2", "2"), ("again3", "3"), ("2", "1")]
    assert names[4:] == [(str(n), str(n - 1)) for n in (MANY, MANY - 1, MANY - 2)]


def test_families_are_those_that_are_exported(db: Connection) -> None:
    first = next(reports.export_rows(db, "families"))
    (shown,) = reports.families(db, [str(first["family_id"]), None])
    assert (
        shown.members
        == tuple(first["members"])
        == ("file:///1", "file:///2", "file:///again1", "file:///again2")
    )
    assert (shown.source_uri, shown.reasons) == (first["source_uri"], ("for: so",))
    assert shown.weakest == ("edited", pytest.approx(2 / MANY))


def test_the_first_in_quarantine_are_those_that_are_exported(db: Connection) -> None:
    exported = list(reports.export_rows(db, "quarantine"))
    shown = reports.quarantine(db, 5)
    assert [q.uri for q in shown] == [r["uri"] for r in exported[:5]]
    assert [q.first_seen_at for q in shown] == [r["first_seen_at"] for r in exported[:5]]
