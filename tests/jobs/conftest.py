"""Small folders of real photos, and scans of them on the embedded default."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from PIL import Image
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.jobs.models import calibration_of
from ris_jobs.match.calibration import Calibration
from ris_jobs.progress import LogProgress
from ris_jobs.report.views import Summary
from ris_jobs.settings import Settings
from tests.jobs import buckets

TABLES = (
    *("image", "observation", "descriptor", "match", "family", "family_member"),
    *("bank", "bank_entry", "bank_hit"),
    *("decision", "template", "template_match", "hub"),
    *("match_history", "family_history", "family_member_history"),
    *("template_history", "quarantine_history"),
)

Scan = Callable[..., Summary]
FormerScan = Callable[[Path], Calibration]


@pytest.fixture(scope="session")
def coffee() -> Image.Image:
    return dict(photos())["coffee"].resize((600, 400), Image.Resampling.LANCZOS)


@pytest.fixture(scope="session")
def rocket() -> Image.Image:
    return dict(photos())["rocket"]


@pytest.fixture
def folder(tmp_path: Path, coffee: Image.Image, rocket: Image.Image) -> Path:
    """Two photos, a thumbnail of one, and the same bytes twice of the other."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / "coffee.jpg").write_bytes(edits.jpeg(coffee, 92))
    (folder / "sub" / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(coffee, 128)))
    (folder / "rocket.jpg").write_bytes(edits.jpeg(rocket, 92))
    (folder / "sub" / "rocket-again.jpg").write_bytes(edits.jpeg(rocket, 92))
    return folder


@pytest.fixture
def former(settings: Settings, scan: Scan, monkeypatch: pytest.MonkeyPatch) -> FormerScan:
    """Scan by the coefficients that the model had before; gives these."""

    def former(folder: Path) -> Calibration:
        model = calibration_of(settings).model
        shipped = resources.files("ris_jobs.match").joinpath("calibration.json").read_text("utf-8")
        kept = json.loads(shipped)["former"].values()
        before = next(Calibration.from_entry(model, e) for e in kept if e["model"] == model)
        with monkeypatch.context() as then:
            then.setattr(Calibration, "for_model", lambda _: before)
            scan(folder)
        return before

    return former


@pytest.fixture
def scan(settings: Settings) -> Scan:
    """Scan folders with the test's settings, or with changed ones."""

    def scan(*roots: Path, settings: Settings = settings) -> Summary:
        return jobs.scan(settings, roots, LogProgress())

    return scan


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """URL of an S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str) -> buckets.Bucket:
    return buckets.bucket(s3)


def row_versions(engine: Engine) -> dict[str, list[tuple[str, ...]]]:
    """Every row of every table of results with the transaction that wrote it."""
    with engine.connect() as db:
        return {
            table: [
                tuple(r)
                for r in db.execute(
                    text(f"SELECT xmin::text, t::text FROM ris.{table} t ORDER BY 2")
                )
            ]
            for table in TABLES
        }
