"""A scan that is killed at any moment loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import create_engine, text

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from tests.jobs.programs import Program

KILLS = 5
QUESTIONS = {
    "images": "SELECT sha256, status, phash, descriptor_count FROM ris.image, LATERAL (SELECT "
    "count(*) AS descriptor_count FROM ris.descriptor d WHERE d.image_id = image.image_id "
    "AND d.indexed_at IS NOT NULL AND d.matched_at IS NOT NULL) AS c ORDER BY 1",
    "uris": "SELECT uri, count(*) FROM ris.observation GROUP BY uri ORDER BY 1",
    "matches": "SELECT derived_uri, source_uri, relation, probability, suppressed "
    "FROM ris.match_by_uri ORDER BY 1, 2",
    "hubs": "SELECT uri FROM ris.hub JOIN ris.image_uri USING (image_id) ORDER BY 1",
    "families": "SELECT source_uri, members FROM ris.family_by_uri ORDER BY 2",
}


def answers(database_url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = create_engine(database_url)
    with engine.connect() as db:
        found = {name: [tuple(r) for r in db.execute(text(q))] for name, q in QUESTIONS.items()}
    engine.dispose()
    return found


@pytest.mark.slow(40)
def test_final_tables_equal_those_of_an_undisturbed_scan(
    tmp_path: Path, database_url: str, other_database_url: str
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, photo in photos():
        small = photo.resize((320, 240), Image.Resampling.LANCZOS)
        (folder / f"{name}.jpg").write_bytes(edits.jpeg(small, 92))
        (folder / f"{name}-mirrored.jpg").write_bytes(edits.jpeg(edits.mirror(small), 90))
        (folder / f"{name}-64.jpg").write_bytes(edits.jpeg(edits.thumbnail(small, 64)))
    few = tmp_path / "few"
    few.mkdir()
    for name in ("coffee.jpg", "rocket.jpg", "rocket-mirrored.jpg"):
        shutil.copy(folder / name, few)
    undisturbed = tmp_path / "undisturbed", other_database_url
    disturbed = tmp_path / "disturbed", database_url
    reviewed(few, *undisturbed)
    reviewed(few, *disturbed)
    started = time.monotonic()
    Program(*undisturbed, "scan", folder).finish()
    whole = time.monotonic() - started

    rng = random.Random(7)
    for _ in range(KILLS):
        victim = Program(*disturbed, "scan", folder)
        time.sleep(rng.uniform(0.3, 1.0) * whole)
        victim.kill()
    Program(*disturbed, "scan", folder).finish()
    found = answers(database_url)
    assert found == answers(other_database_url)
    assert {row[-1] for row in found["matches"]} == {None, "reviewer", "template"}


def reviewed(few: Path, home: Path, database_url: str) -> None:
    """A decision and a template, on what is there before all else."""
    Program(home, database_url, "scan", few).finish()
    Program(home, database_url, "template", "add", few / "coffee.jpg").finish()
    pair = (few / "rocket.jpg", few / "rocket-mirrored.jpg")
    Program(home, database_url, "decide", *pair, "not-copy", "--why", "a test").finish()


def test_a_scan_that_is_told_to_end_ends_in_order(tmp_path: Path, database_url: str) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, (name, photo) in enumerate(list(photos()) * 6):
        small = photo.resize((200 + i, 150), Image.Resampling.LANCZOS)
        (folder / f"{name}-{i}.jpg").write_bytes(edits.jpeg(small, 92))
    values = {"RIS_HOME": str(tmp_path / "home"), "RIS_DATABASE_URL": database_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "ris_jobs", "scan", folder],
        env=os.environ | values | {"RIS_BATCH_SIZE": "4"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    status = "SELECT coalesce(max(status), 'none') FROM ris.run"
    engine = create_engine(database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        while db.scalar(text(status)) == "none":
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        _, said = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM, said.decode()
        assert db.scalar(text(status)) == "failed"
    engine.dispose()
