"""The queries of docs/analysts.md run on a scan, and answer; every view is named there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import compress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.demo.folder import photos
from ris_jobs.fingerprint.luma import luma
from ris_jobs.fingerprint.pdq import pdq
from ris_jobs.progress import LogProgress
from ris_jobs.report.views import Count
from ris_jobs.settings import Settings
from ris_jobs.store import reports
from ris_jobs.store.postgres import open_engine
from tests.conftest import fresh_database
from tests.crawl.web.site import Answer, served

PAGE = (Path(__file__).parents[1] / "docs" / "analysts.md").read_text("utf-8")
QUERIES = re.findall(r"^```sql\n(.*?)^```\n+```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
VARYING = {"week", "calibration", "settings_hash", "code_version"}


def write_photos(folder: Path) -> None:
    """Photos of ours, and what others made of them."""
    ours, theirs = folder / "ours", folder / "theirs"
    for place in (ours, theirs):
        place.mkdir(parents=True)
    shown = dict(photos())
    for name in ("coffee", "rocket", "chelsea"):
        (ours / f"{name}.jpg").write_bytes(edits.jpeg(shown[name], 92))
    (theirs / "cup.jpg").write_bytes(edits.jpeg(edits.thumbnail(shown["coffee"], 200)))
    (theirs / "grey.jpg").write_bytes(edits.jpeg(edits.greyscale(shown["coffee"]), 80))
    (theirs / "start.jpg").write_bytes(edits.jpeg(edits.thumbnail(shown["rocket"], 128)))
    (theirs / "cat.jpg").write_bytes(edits.jpeg(edits.thumbnail(shown["chelsea"], 160)))
    (theirs / "astronaut.jpg").write_bytes(edits.jpeg(edits.thumbnail(shown["astronaut"], 128)))
    (theirs / "broken.jpg").write_bytes(b"not a picture")


def scans(settings: Settings, folder: Path) -> None:
    """Two nights: an original goes, others show the very bytes of another; and reviewers."""
    ours, theirs = folder / "ours", folder / "theirs"
    known = folder.parent / "known.csv"
    known.write_text(f"{pdq(luma(np.asarray(dict(photos())['coffee'])))[0].hex()},coffee\n")
    with open_engine(settings) as engine:
        jobs.import_bank(engine, known, None)
        jobs.scan(settings, [folder], LogProgress())
        for who, grey, start in (("Ada", "copy", "copy"), ("Ben", "not-copy", "copy")):
            for name, photo, answer in (("grey", "coffee", grey), ("start", "rocket", start)):
                pair = (str(theirs / f"{name}.jpg"), str(ours / f"{photo}.jpg"))
                jobs.decide(engine, settings, *pair, answer, "as I see it", who)
        print_of = (str(theirs / "start.jpg"), str(ours / "rocket.jpg"))
        jobs.decide_source(engine, settings, *print_of, "it is the print", "Ada")
        jobs.add_template(engine, settings, str(theirs / "astronaut.jpg"), "a portrait", "Ada")
        (ours / "chelsea.jpg").unlink()
        (theirs / "again.jpg").write_bytes((ours / "rocket.jpg").read_bytes())
        jobs.scan(settings, [folder], LogProgress())
    shows(settings, theirs)


def shows(settings: Settings, theirs: Path) -> None:
    """A website that we crawl shows two of the copies, and says something of them."""
    said = (
        '<html><head><meta property="article:published_time" content="2026-10-01T08:00:00Z"></head>'
        '<a href="/buy/cup"><img src="/cup.jpg" alt="Poster: morning coffee"></a>'
        '<a href="/buy/start"><img src="/start.jpg" alt="Poster: lift-off"></a>'
    )
    shown = {f"/{n}.jpg": Answer((theirs / f"{n}.jpg").read_bytes()) for n in ("cup", "start")}
    with (
        served({"/posters": Answer(said.encode()), **shown}) as site,
        open_engine(settings) as engine,
    ):
        jobs.add_source(engine, replace(site.source("/posters"), name="shop", tags=("rival",)))
        contact = replace(settings, contact="https://example.org/crawler")
        jobs.scan(contact, ["shop"], LogProgress())


@pytest.fixture(scope="module")
def scanned(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    place = tmp_path_factory.mktemp("analysts")
    write_photos(place / "photos")
    with fresh_database(postgres) as url:
        settings = Settings(home=place / "home", database_url=url, workers=2)
        scans(settings, place / "photos")
        with open_engine(settings) as engine:
            yield engine


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.split("|")]


def as_psql_shows(value: object) -> str:
    """With the places that the page has for those of the test."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "t", False: "f"}[value]
    named = re.sub(r"file:///.*/photos/", "file:///photos/", str(value))
    named = re.sub(r"http://127\.0\.0\.77:\d+", "https://shop.example", named)
    return named.replace("127.0.0.77", "shop.example")


@pytest.mark.parametrize(("query", "shown"), QUERIES)
def test_every_example_answers_with_what_is_shown(scanned: Engine, query: str, shown: str) -> None:
    header, _, *rows = shown.splitlines()
    fixed = [name not in VARYING for name in cells(header)]
    with scanned.connect() as db:
        found = db.execute(text(query))
        assert list(found.keys()) == cells(header)
        told = [[as_psql_shows(value) for value in row] for row in found]
    assert [list(compress(row, fixed)) for row in told] == [
        list(compress(cells(row), fixed)) for row in rows
    ]


def test_every_view_is_named(scanned: Engine) -> None:
    with scanned.connect() as db:
        views = set(db.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'ris'")))
    assert views - set(re.findall(r"ris\.(\w+)", PAGE)) == set()
    assert len(QUERIES) > 10


def test_sites_are_hosts_or_folders(scanned: Engine) -> None:
    sites = {
        "https://Example.org:8080/a/b.jpg?c": "example.org",
        "http://me:pass@example.org/a.jpg": "example.org",
        "https://[2001:db8::1]:80/a.jpg": "[2001:db8::1]",
        "https://me@[2001:db8::1]/a.jpg": "[2001:db8::1]",
        "https://example.org": "example.org",
        "https://example.org?a=/me@other:c[1]": "example.org",
        "https://example.org#/me@other:c": "example.org",
        "https://example.org/a[1].jpg": "example.org",
        "file:///photos/a/b.jpg": "file:///photos/a",
        "file:///b.jpg": "file://",
        "s3://bucket/a/b.jpg": "s3://bucket/a",
    }
    with scanned.connect() as db:
        found = {u: db.scalar(text("SELECT ris.site(:uri)"), {"uri": u}) for u in sites}
    assert found == sites


def test_a_pair_judged_again_is_not_found_again(scanned: Engine) -> None:
    ask = text("SELECT derived_uri, source_uri, found_at FROM ris.duplicates_found ORDER BY 1, 2")
    with scanned.connect() as db, db.begin() as undone:
        before = db.execute(ask).all()
        db.execute(text("UPDATE ris.match SET calibration = 'other'"))
        assert db.execute(ask).all() == before
        undone.rollback()


def test_agreement_is_of_latest_answers(scanned: Engine) -> None:
    with scanned.connect() as db:
        (row,) = db.execute(text("SELECT * FROM ris.reviewer_agreement"))
        assert tuple(row) == ("Ada", "Ben", 2, 1)
        upheld = db.execute(text("SELECT * FROM ris.reviewer_upheld ORDER BY 1")).all()
        assert [tuple(r) for r in upheld] == [("Ada", 2, 2), ("Ben", 2, 1)]


def test_a_thumbnail_is_without_original_when_that_is_gone(scanned: Engine) -> None:
    ask = "SELECT uri, lost_original_uri FROM ris.thumbnails_without_original"
    with scanned.connect() as db:
        found = {Path(uri).name: lost and Path(lost).name for uri, lost in db.execute(text(ask))}
    assert found == {"cat.jpg": "chelsea.jpg", "astronaut.jpg": None}


def test_what_was_moved_was_not_copied(postgres: URL, tmp_path: Path) -> None:
    """Of ours that move, one was copied before, and one is copied from where it is then; neither is
    a copy for it."""
    old, new, theirs = (tmp_path / "photos" / name for name in ("old", "new", "theirs"))
    for place in (old, new, theirs):
        place.mkdir(parents=True)
    for name in ("coffee", "rocket"):
        (old / f"{name}.jpg").write_bytes(edits.jpeg(edits.thumbnail(dict(photos())[name], 128)))
    with fresh_database(postgres) as url:
        settings = Settings(home=tmp_path / "home", database_url=url, workers=2)
        jobs.scan(settings, [tmp_path / "photos"], LogProgress())
        shutil.copy(old / "coffee.jpg", theirs)
        (old / "rocket.jpg").rename(new / "rocket.jpg")
        first = jobs.scan(settings, [tmp_path / "photos"], LogProgress())
        shutil.copy(new / "rocket.jpg", theirs)
        (old / "coffee.jpg").rename(new / "coffee.jpg")
        second = jobs.scan(settings, [tmp_path / "photos"], LogProgress())
        with open_engine(settings) as engine, engine.connect() as db:
            ask = "SELECT derived_uri, directed FROM ris.duplicates_found"
            found = {"/".join(uri.split("/")[-2:]): told for uri, told in db.execute(text(ask))}
            (sites,) = db.execute(text("SELECT copying_site, pairs FROM ris.copying_sites"))
            (week,) = db.execute(text("SELECT site, pairs FROM ris.duplicates_by_week"))
            for rows in ("ris.match_by_uri", "ris.match_by_uri_at('infinity')"):
                for told in ("evidence ->> 'moved' = 'true'", "suppressed = 'moved'"):
                    ask = f"SELECT derived_uri FROM {rows} WHERE {told}"
                    moved = [Path(uri).parent.name for uri in db.scalars(text(ask))]
                    assert moved == ["new", "new"]
            left = [reports.found(db, run_id).suppressed for run_id in (1, 2, 3)]
            began = text("SELECT started_at FROM ris.run WHERE run_id = 2")
            ask = "SELECT moved FROM ris.copy_uris_at(:at) WHERE uri LIKE '%/theirs/%'"
            (then,) = db.scalars(text(ask), {"at": db.scalar(began)})
    assert found == {"theirs/coffee.jpg": True, "theirs/rocket.jpg": True}
    assert tuple(sites) == tuple(week) == (theirs.as_uri(), 2)
    assert then is False
    assert first.matches == {"identical": Count(1, 1)} and first.suppressed == 1
    assert second.matches == {"identical": Count(1, 2)} and second.suppressed == 2
    assert left == [0, 1, 1]


def test_a_uri_that_an_original_was_moved_to_is_no_copy_of_it(
    postgres: URL, tmp_path: Path
) -> None:
    old, new, theirs = (tmp_path / "photos" / name for name in ("old", "new", "theirs"))
    for place in (old, new, theirs):
        place.mkdir(parents=True)
    rocket = dict(photos())["rocket"]
    (old / "rocket.jpg").write_bytes(edits.jpeg(rocket, 92))
    (theirs / "small.jpg").write_bytes(edits.jpeg(edits.thumbnail(rocket, 128)))
    ask = text("SELECT source_uri, copies, further_uris, sites FROM ris.most_copied")
    with fresh_database(postgres) as url:
        settings = Settings(home=tmp_path / "home", database_url=url, workers=2)
        with open_engine(settings) as engine, engine.connect() as db:
            jobs.scan(settings, [tmp_path / "photos"], LogProgress())
            (old / "rocket.jpg").rename(new / "rocket.jpg")
            jobs.scan(settings, [tmp_path / "photos"], LogProgress())
            assert db.execute(ask).all() == [((old / "rocket.jpg").as_uri(), 1, 1, 2)]
            shutil.copy(new / "rocket.jpg", theirs)
            jobs.scan(settings, [tmp_path / "photos"], LogProgress())
            assert db.execute(ask).all() == [((old / "rocket.jpg").as_uri(), 1, 2, 2)]
