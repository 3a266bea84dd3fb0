"""A reindex that is killed at any moment loses nothing and doubles nothing."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import create_engine, text

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from tests.jobs.programs import Program

KILLS = 3
QUESTIONS = (
    "SELECT m.regions, i.sha256, md5(d.vectors), d.indexed_at IS NULL, d.matched_at IS NULL "
    "FROM ris.descriptor d JOIN ris.image i USING (image_id) JOIN ris.model m USING (model_id) "
    "ORDER BY 1, 2",
    "SELECT d.sha256, s.sha256, relation, probability, suppressed, evidence::text, m.model_id "
    "FROM ris.shadow_match m JOIN ris.image d ON d.image_id = m.derived_id "
    "JOIN ris.image s ON s.image_id = m.source_id ORDER BY 1, 2",
    "SELECT derived_uri, source_uri, relation, probability, suppressed FROM ris.match_by_uri "
    "ORDER BY 1, 2",
    "SELECT source_uri, members FROM ris.family_by_uri ORDER BY 2",
    "SELECT ready_at IS NULL FROM ris.reindex",
)


def answers(database_url: str) -> list[list[tuple[object, ...]]]:
    engine = create_engine(database_url)
    with engine.connect() as db:
        found = [[tuple(r) for r in db.execute(text(q))] for q in QUESTIONS]
    engine.dispose()
    return found


@pytest.mark.slow(25)
def test_final_rows_equal_those_of_an_undisturbed_reindex(
    tmp_path: Path, database_url: str, other_database_url: str
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, photo in photos():
        small = photo.resize((320, 240), Image.Resampling.LANCZOS)
        (folder / f"{name}.jpg").write_bytes(edits.jpeg(small, 92))
        (folder / f"{name}-crop.jpg").write_bytes(edits.jpeg(small.crop((40, 30, 240, 180)), 92))
    places = [
        Settings(home=tmp_path / name, database_url=url, workers=2)
        for name, url in (("calm", other_database_url), ("disturbed", database_url))
    ]
    for settings in places:
        jobs.scan(settings, [folder], LogProgress())
        jobs.start_reindex(settings, "builtin", "0+0", "me")
    calm, disturbed = ((s.home, str(s.database_url), "reindex", "run") for s in places)
    started = time.monotonic()
    Program(*calm).finish()
    whole = time.monotonic() - started

    rng = random.Random(11)
    for _ in range(KILLS):
        victim = Program(*disturbed)
        time.sleep(rng.uniform(0.3, 1.0) * whole)
        victim.kill()
    Program(*disturbed).finish()
    assert answers(database_url) == answers(other_database_url)
    for settings in places:
        jobs.switch(settings, "a test", "me", force=True)
    assert answers(database_url) == answers(other_database_url)
