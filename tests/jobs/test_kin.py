"""A crop of a picture with many copies is tied to all of them, though few are looked at first."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text

from ris_jobs.demo import edits
from ris_jobs.match import examine, kin, ranking
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.jobs.conftest import Scan


@pytest.mark.parametrize(
    ("more", "ranked", "room", "tied"),
    [
        pytest.param(0, False, False, 1, id="nearest only"),
        pytest.param(4, False, False, 5, id="what matches the same images, too"),
        pytest.param(0, True, False, 5, id="nearest of what hashes do not settle"),
        pytest.param(0, False, True, 5, id="what was found stands before none"),
    ],
)
def test_a_crop_is_tied_to_all(
    more: int,
    ranked: bool,
    room: bool,
    tied: int,
    scan: Scan,
    settings: Settings,
    coffee: Image.Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (examine, kin, ranking):
        monkeypatch.setattr(module, "SEARCHED", 1)
    monkeypatch.setattr(kin, "_MORE", more)
    job = sys.modules["ris_jobs.jobs.match"]
    if not room:
        monkeypatch.setattr(job, "moved_up", lambda candidates, *_: ([], candidates))
    if not ranked:
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
