"""A crop of a picture with many copies is tied to all of them, though few are looked at first."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text

from ris_jobs.demo import edits
from ris_jobs.match import examine, kin
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.jobs.conftest import Scan


@pytest.mark.parametrize(
    ("more", "ranked", "tied"),
    [
        pytest.param(0, False, 1, id="nearest only"),
        pytest.param(4, False, 5, id="what matches the same images, too"),
        pytest.param(0, True, 5, id="nearest of what hashes do not settle"),
    ],
)
def test_a_crop_is_tied_to_all(
    more: int,
    ranked: bool,
    tied: int,
    scan: Scan,
    settings: Settings,
    coffee: Image.Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (examine, kin):
        monkeypatch.setattr(module, "SEARCHED", 1)
    monkeypatch.setattr(kin, "_MORE", more)
    if not ranked:
        job = sys.modules["ris_jobs.jobs.match"]
        monkeypatch.setattr(job, "ranked_unsettled", lambda candidates, *_: candidates)
    folder = tmp_path / "kin"
    folder.mkdir()
    for quality in (40, 50, 60, 70, 80):
        (folder / f"{quality}.jpg").write_bytes(edits.jpeg(coffee, quality))
    (folder / "part.jpg").write_bytes(edits.jpeg(edits.crop(coffee, 0.12, 0.4, 0.4), 90))
    scan(folder)
    with open_engine(settings) as engine, engine.connect() as db:
        rows = db.execute(
            text("SELECT source_uri FROM ris.match_by_uri WHERE derived_uri LIKE '%part.jpg'")
        )
        assert len(set(rows.scalars())) == tied
