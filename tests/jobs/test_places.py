"""Roots, homes and indexes as people really have them: moved, doubled, lost, shared."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import text

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.doctor import examine
from ris_jobs.errors import ConfigError, SourceUnavailable, VectorsUnavailable
from ris_jobs.jobs.models import model_of
from ris_jobs.progress import LogProgress
from ris_jobs.settings import Settings
from ris_jobs.store import runs
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.stores import open_stores
from tests.jobs.conftest import Scan

GONE = "SELECT count(*) FROM ris.observation WHERE gone_at IS NOT NULL"


def ask(settings: Settings, question: str) -> list[tuple[object, ...]]:
    with open_engine(settings) as engine, engine.connect() as db:
        return [tuple(r) for r in db.execute(text(question))]


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    yield
    os.chdir(before)


def test_one_folder_under_several_spellings_is_one_folder(
    scan: Scan, folder: Path, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(folder)
    scan(folder)
    with inside(tmp_path):
        scan(Path("link"))
        scan(Path("photos/../photos"))
        scan(folder, folder / "sub", Path("photos/sub/.."))
    assert ask(settings, "SELECT count(*) FROM ris.observation") == [(4,)]
    (folder / "rocket.jpg").unlink()
    with inside(folder / "sub"):
        assert scan(Path("..")).gone == 1


def test_a_root_that_is_missing_is_an_error_and_nothing_is_gone(
    scan: Scan, folder: Path, settings: Settings, tmp_path: Path
) -> None:
    scan(folder)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(SourceUnavailable, match=r"Is it mounted.* `ris source remove photos`"):
        scan(folder)
    assert ask(settings, GONE) == [(0,)]
    (tmp_path / "elsewhere").rename(folder)
    assert scan(folder).unchanged == 4
    with pytest.raises(ConfigError, match="does not exist"):
        scan(tmp_path / "never")


def test_the_home_itself_is_not_scanned(scan: Scan, folder: Path, settings: Settings) -> None:
    within = replace(settings, home=folder / "home")
    assert [scan(folder, settings=within).seen for _ in range(2)] == [4, 4]


def test_a_file_that_was_away_is_still_the_first(
    scan: Scan, folder: Path, settings: Settings, tmp_path: Path
) -> None:
    (folder / "sub" / "rocket-again.jpg").rename(tmp_path / "later.jpg")
    scan(folder)
    (tmp_path / "later.jpg").rename(folder / "a.jpg")
    scan(folder)
    (folder / "rocket.jpg").rename(tmp_path / "away.jpg")
    scan(folder)
    (tmp_path / "away.jpg").rename(folder / "rocket.jpg")
    scan(folder)
    question = "SELECT derived_uri, source_uri, evidence ->> 'direction' FROM ris.match_by_uri "
    ((derived, source, direction),) = ask(settings, question + "WHERE relation = 'identical'")
    assert (Path(str(derived)).name, Path(str(source)).name) == ("a.jpg", "rocket.jpg")
    assert direction == "first seen"


def test_same_bytes_seen_at_once_have_no_direction(
    scan: Scan, folder: Path, settings: Settings
) -> None:
    scan(folder)
    question = "SELECT evidence ->> 'direction' FROM ris.match_by_uri WHERE relation = 'identical'"
    assert ask(settings, question) == [("undetermined",)]


def test_two_homes_on_one_database_miss_nothing(
    scan: Scan, folder: Path, settings: Settings, tmp_path: Path, coffee: Image.Image
) -> None:
    grey = tmp_path / "grey"
    grey.mkdir()
    (grey / "grey.jpg").write_bytes(edits.jpeg(edits.greyscale(coffee), 90))
    scan(folder)
    scan(grey, settings=replace(settings, home=tmp_path / "other home"))
    found = ask(settings, "SELECT relation FROM ris.match ORDER BY relation")
    # The grey copy beside the photo and beside its thumbnail, and the thumbnail itself.
    assert len(found) == 3


def test_two_milvus_lites_are_not_used_on_one_database_at_once(
    settings: Settings, tmp_path: Path
) -> None:
    other = replace(settings, home=tmp_path / "other home")
    with (
        open_stores(settings, model_of(settings)),
        pytest.raises(VectorsUnavailable, match="RIS_MILVUS_URI"),
        open_stores(other, model_of(other)),
    ):
        pass
    with open_stores(other, model_of(other)):
        pass


def test_an_index_that_was_lost_and_looked_at_is_filled_again(
    scan: Scan, folder: Path, settings: Settings, tmp_path: Path, any_disk: None
) -> None:
    late = tmp_path / "late"
    late.mkdir()
    (folder / "sub" / "small.jpg").rename(late / "small.jpg")
    scan(folder)
    shutil.rmtree(settings.home / "milvus.db")
    assert [c.problem for c in examine(settings)] == [None] * 9
    scan(late)
    assert ask(settings, "SELECT relation FROM ris.match") == [("thumbnail",)]


def test_what_other_settings_refused_is_tried_again(
    scan: Scan, folder: Path, settings: Settings
) -> None:
    assert scan(folder, settings=replace(settings, max_pixels=1000)).fingerprinted == 0
    assert scan(folder).fingerprinted == 3


def test_two_crawls_at_once_take_nothing_for_gone(
    scan: Scan, folder: Path, settings: Settings
) -> None:
    with open_engine(settings) as engine:
        with engine.begin() as db:
            early = runs.start(db, "crawl", settings)
        with engine.begin() as db:
            late = runs.start(db, "crawl", settings)
        progress = LogProgress()
        sources = jobs.wanted_sources(engine, [folder])
        jobs.crawl(engine, late, sources, settings, progress)
        (folder / "rocket.jpg").write_bytes((folder / "coffee.jpg").read_bytes())
        # The run that began first comes last, with an older time.
        jobs.crawl(engine, early, sources, settings, progress)
        assert jobs.crawl(engine, late, sources, settings, progress).gone == 0
    assert ask(settings, GONE) == [(0,)]


def test_a_path_too_long_to_keep_is_reported_and_the_rest_is_scanned(
    scan: Scan, folder: Path, settings: Settings
) -> None:
    with inside(folder):
        for _ in range(4):
            deep = Path(os.fsdecode(b"\xff" * 240))
            deep.mkdir()
            os.chdir(deep)
        Path("x.jpg").write_bytes((folder / "coffee.jpg").read_bytes())
        os.chdir(folder)
    summary = scan(folder)
    assert summary.quarantined == {"unreadable": 1}
    assert summary.fingerprinted == 3


def test_the_home_is_private(scan: Scan, folder: Path, settings: Settings) -> None:
    scan(folder)
    assert settings.home.stat().st_mode & 0o077 == 0
