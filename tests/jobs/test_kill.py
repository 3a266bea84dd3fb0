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

from PIL import Image
from sqlalchemy import create_engine, text

from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos

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


def scan(folder: Path, home: Path, database_url: str) -> subprocess.Popen[bytes]:
    return ris(home, database_url, "scan", folder)


def ris(home: Path, database_url: str, *command: Path | str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ris_jobs", *map(str, command)],
        env=os.environ
        | {"RIS_HOME": str(home), "RIS_DATABASE_URL": database_url, "RIS_BATCH_SIZE": "4"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()


def answers(database_url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = create_engine(database_url)
    with engine.connect() as db:
        found = {name: [tuple(r) for r in db.execute(text(q))] for name, q in QUESTIONS.items()}
    engine.dispose()
    return found


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
    reviewed(few, tmp_path / "undisturbed", other_database_url)
    reviewed(few, tmp_path / "disturbed", database_url)
    started = time.monotonic()
    finish(scan(folder, tmp_path / "undisturbed", other_database_url))
    whole = time.monotonic() - started

    rng = random.Random(7)
    for _ in range(KILLS):
        victim = scan(folder, tmp_path / "disturbed", database_url)
        time.sleep(rng.uniform(0.3, 1.0) * whole)
        victim.kill()
        victim.communicate()
    finish(scan(folder, tmp_path / "disturbed", database_url))
    found = answers(database_url)
    assert found == answers(other_database_url)
    assert {row[-1] for row in found["matches"]} == {None, "reviewer", "template"}


def reviewed(few: Path, home: Path, database_url: str) -> None:
    """A decision and a template, on what is there before all else."""
    finish(ris(home, database_url, "scan", few))
    finish(ris(home, database_url, "template", "add", few / "coffee.jpg"))
    pair = (few / "rocket.jpg", few / "rocket-mirrored.jpg")
    finish(ris(home, database_url, "decide", *pair, "not-copy", "--why", "a test"))


def test_a_scan_that_is_told_to_end_ends_in_order(tmp_path: Path, database_url: str) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, (name, photo) in enumerate(list(photos()) * 6):
        small = photo.resize((200 + i, 150), Image.Resampling.LANCZOS)
        (folder / f"{name}-{i}.jpg").write_bytes(edits.jpeg(small, 92))
    process = scan(folder, tmp_path / "home", database_url)
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
