"""A crawl that is killed at any moment and run again leaves what an undisturbed one leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ris_jobs import jobs
from ris_jobs.crawl.source import Source
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from tests.crawl.web.site import served
from tests.jobs import kills
from tests.jobs.buckets import Bucket
from tests.jobs.test_web import a_site

FILES = 300
OBJECTS = 100


@pytest.fixture
def other(settings: Settings, other_database_url: str, tmp_path: Path) -> Settings:
    return replace(settings, database_url=other_database_url, home=tmp_path / "other")


def content(i: int) -> bytes:
    """Every tenth is the same as another one."""
    return b"\xff\xd8\xff" + str(i - i % 10 if i % 10 == 1 else i).encode() * 50


def compare(
    settings: Settings, other: Settings, source: Source, env: dict[str, str], batch: int
) -> None:
    for place in (settings, other):
        with open_engine(place) as engine:
            jobs.add_source(engine, source)
            jobs.add_source(engine, replace(source, name="nothing", exclude=("*",)))
    start = min(kills.undisturbed(other, "nothing", env, batch) for _ in range(6))
    whole = kills.undisturbed(other, source.name, env, batch)
    assert kills.killed(settings, source.name, env, batch, start, whole, seed=6) >= 10
    kills.undisturbed(settings, source.name, env, batch)
    assert kills.tables(settings) == kills.tables(other)


def test_a_folder(settings: Settings, other: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for i in range(FILES):
        (folder / str(i % 7)).mkdir(parents=True, exist_ok=True)
        (folder / str(i % 7) / f"{i}.jpg").write_bytes(content(i))
    source = Source(name="in", kind="directory", location=str(folder))
    compare(settings, other, source, {}, batch=8)
    assert len(kills.tables(other)["observation"]) == FILES


@pytest.mark.slow(22)
def test_a_website(settings: Settings, other: Settings) -> None:
    pages = a_site(OBJECTS)
    settings, other = (replace(s, contact="me@example.org") for s in (settings, other))
    with served(pages) as site:
        compare(settings, other, replace(site.source(), name="in"), {}, batch=4)
    assert len(kills.tables(other)["observation"]) == OBJECTS


@pytest.mark.slow(16)
def test_a_bucket(settings: Settings, other: Settings, bucket: Bucket) -> None:
    for i in range(OBJECTS):
        bucket.put(f"in/{i % 7}/{i}.jpg", content(i))
    source = Source(
        name="in", kind="objects", location=f"s3://{bucket.name}/in", credentials="env:KEYS"
    )
    compare(settings, other, source, {"KEYS": bucket.options}, batch=4)
    assert len(kills.tables(other)["observation"]) == OBJECTS
