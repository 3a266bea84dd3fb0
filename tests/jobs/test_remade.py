"""A copy that is encoded more finely than its source, through a scan."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from sqlalchemy import text

from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.jobs.conftest import Scan


def test_a_fine_jpeg_of_a_coarse_webp_is_the_copy(
    scan: Scan, settings: Settings, coffee: Image.Image, tmp_path: Path
) -> None:
    folder = tmp_path / "pair"
    folder.mkdir()
    buffer = io.BytesIO()
    coffee.save(buffer, "WEBP", quality=60)
    (folder / "first.webp").write_bytes(buffer.getvalue())
    Image.open(buffer).save(folder / "second.jpg", quality=95, subsampling="4:4:4")
    scan(folder)
    with open_engine(settings) as engine, engine.connect() as db:
        family = db.execute(text("SELECT source_uri, reasons FROM ris.family_by_uri")).one()
        evidence = db.execute(text("SELECT evidence -> 'remade' FROM ris.match")).scalar_one()
    assert family.source_uri.endswith("first.webp")
    assert any("rounded as a JPEG made of it" in reason for reason in family.reasons)
    assert sorted(evidence) == ["derived", "same", "source", "toned"]
