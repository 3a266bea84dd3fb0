"""An index that is made anew while workers match: no pair is missed, and nothing hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from ris_jobs import jobs
from ris_jobs.crawl.directory import uri_of
from ris_jobs.errors import VectorsUnavailable
from ris_jobs.jobs.models import calibration_of, model_of
from ris_jobs.match.candidates import Described
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import descriptors, runs
from ris_jobs.store.stores import Stores, open_stores
from tests.jobs.conftest import Scan


@pytest.fixture
def stores(scan: Scan, folder: Path, settings: Settings) -> Iterator[Stores]:
    """All is matched but the thumbnail, and the index was just made anew."""
    scan(folder)
    with open_stores(settings, model_of(settings)) as stores:
        with stores.engine.begin() as db:
            db.execute(text("DELETE FROM ris.match"))
            unmatched = "UPDATE ris.descriptor SET matched_at = NULL WHERE image_id = :id"
            db.execute(text(unmatched), {"id": image(db, folder / "sub" / "small.jpg")})
            descriptors.forget_index(db, stores.model_id)
            stores.vectors.recreate()
            runs.set_collection(db, stores.model_id, stores.vectors.collection)
        yield stores


def image(db: Connection, path: Path) -> int:
    found = text("SELECT image_id FROM ris.observation WHERE uri = :uri")
    return int(db.execute(found, {"uri": uri_of(path)}).scalar_one())


def match(stores: Stores, settings: Settings) -> jobs.Matched:
    with stores.engine.begin() as db:
        run = runs.start(db, "scan", settings, model_id=stores.model_id)
    return jobs.match(stores, run, calibration_of(settings), settings, LogProgress())


def put_back(db: Connection, stores: Stores, image_id: int) -> None:
    """As :func:`ris_jobs.jobs.index` does."""
    pdq = db.scalar(text("SELECT pdq FROM ris.image WHERE image_id = :id"), {"id": image_id})
    found = descriptors.vectors(db, stores.model_id, [image_id])
    stores.vectors.upsert(Described.of(found, {image_id: bytes(pdq)}))
    descriptors.set_indexed(db, stores.model_id, [image_id])


def test_what_nobody_puts_back_is_put_back_before_anything_is_looked_up(
    stores: Stores, settings: Settings
) -> None:
    assert match(stores, settings).written == 1
    assert jobs.check_index(stores) == jobs.Drift(3, (), ())


def test_what_another_worker_puts_back_is_waited_for(
    stores: Stores, settings: Settings, folder: Path
) -> None:
    done = list[jobs.Matched]()
    worker = threading.Thread(target=lambda: done.append(match(stores, settings)))
    with stores.engine.begin() as other:
        source = image(other, folder / "coffee.jpg")
        held = text("SELECT FROM ris.descriptor WHERE image_id = :id FOR UPDATE")
        other.execute(held, {"id": source})
        worker.start()
        worker.join(2)
        assert worker.is_alive(), "it went on without the source"
        put_back(other, stores, source)
    worker.join()
    assert [one.written for one in done] == [1]


def test_what_is_not_put_back_in_time_ends_the_job_before_anything_is_missed(
    stores: Stores, settings: Settings, folder: Path
) -> None:
    with stores.engine.begin() as other:
        held = text("SELECT FROM ris.descriptor WHERE image_id = :id FOR UPDATE")
        other.execute(held, {"id": image(other, folder / "coffee.jpg")})
        with pytest.raises(VectorsUnavailable, match="another worker is putting images back"):
            match(stores, replace(settings, patience=1))
    assert match(stores, settings).written == 1


def test_it_is_made_anew_while_workers_match(stores: Stores, settings: Settings) -> None:
    """Neither waits for the other for good; a worker may be told to begin again."""
    with stores.engine.begin() as db:
        db.execute(text("UPDATE ris.descriptor SET matched_at = NULL"))
    rebuild = threading.Thread(target=jobs.rebuild_index, args=[stores])
    rebuild.start()
    match(stores, settings)
    rebuild.join(60)
    assert not rebuild.is_alive()
    match(stores, settings)
    with stores.engine.connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ris.match")) == 1
    assert jobs.check_index(stores) == jobs.Drift(3, (), ())
