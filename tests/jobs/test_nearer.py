"""What is said of a pair does not depend on which of its images was looked up first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.engine import URL

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.match import examine, kin
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.conftest import fresh_database
from tests.jobs.conftest import row_versions

OF_PART = """
SELECT split_part(derived_uri, '/nearer/', 2), split_part(source_uri, '/nearer/', 2), relation, box,
       evidence
FROM ris.match_by_uri WHERE derived_uri LIKE '%part.jpg' ORDER BY 1, 2
"""
WRITTEN = ("match", "match_history")


def test_a_pair_that_is_looked_at_from_nearer_is_judged_anew(
    postgres: URL, coffee: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (examine, kin):
        monkeypatch.setattr(module, "SEARCHED", 1)
    monkeypatch.setattr(sys.modules["ris_jobs.jobs.match"], "_BATCH", 1)
    copies, part = tmp_path / "nearer" / "copies", tmp_path / "nearer" / "part"
    for place in (copies, part):
        place.mkdir(parents=True)
    for quality in (50, 65, 80):
        (copies / f"{quality}.jpg").write_bytes(edits.jpeg(coffee, quality))
    (part / "part.jpg").write_bytes(edits.jpeg(edits.crop(coffee, 0.8), 90))

    def found(first: Path, second: Path) -> list[Any]:
        """From the copies the part is far, for they are nearer to each other."""
        with fresh_database(postgres) as url:
            settings = Settings(home=tmp_path / first.name, database_url=url, workers=2)
            jobs.crawl_only(settings, [first], LogProgress())
            jobs.scan(settings, [second], LogProgress())
            with open_engine(settings) as engine:
                before = row_versions(engine)
                jobs.scan(settings, [second], LogProgress())
                after = row_versions(engine)
                assert [after[t] for t in WRITTEN] == [before[t] for t in WRITTEN]
                with engine.connect() as db:
                    return [tuple(row) for row in db.execute(text(OF_PART))]

    rows = found(part, copies)
    assert len(rows) == 3 and sum(row[-1]["searched"] for row in rows) == 1
    assert found(copies, part) == rows
