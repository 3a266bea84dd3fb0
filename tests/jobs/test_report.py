"""What a report is told of the tables: what changed since the last scan, which pairs it shows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.report.views import Bin, Changes, Found
from ris_jobs.settings import Settings
from ris_jobs.store import reports
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from tests.jobs.conftest import Scan

LIMIT = 100


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


def changes(engine: Engine, run_id: str, limit: int = LIMIT) -> Changes:
    with engine.connect() as db:
        return reports.changes(db, int(run_id), limit)


def names(told: Changes) -> list[tuple[str, str]]:
    return [(change.event, Path(change.uri).name) for change in told.uris]


def test_changes_are_those_after_the_scan_before(
    scan: Scan, folder: Path, engine: Engine, coffee: Image.Image
) -> None:
    first = changes(engine, scan(folder).run_id)
    assert (first.since, first.since_run, first.families) == (None, None, ())
    assert first.events == {"appeared": 4}

    quiet = scan(folder)
    assert changes(engine, quiet.run_id).events == {}

    (folder / "mirrored.jpg").write_bytes(edits.jpeg(edits.mirror(coffee), 90))
    (folder / "rocket.jpg").rename(folder / "moved.jpg")
    shutil.copy(folder / "coffee.jpg", folder / "sub" / "rocket-again.jpg")
    told = changes(engine, scan(folder).run_id)
    assert told.since_run == quiet.run_id
    assert told.events == {"appeared": 2, "changed": 1, "gone": 1}
    assert names(told) == [
        ("appeared", "mirrored.jpg"),
        ("appeared", "moved.jpg"),
        ("changed", "rocket-again.jpg"),
        ("gone", "rocket.jpg"),
    ]
    [grown] = told.families
    assert (grown.before, grown.after) == (2, 3)
    assert [Path(uri).name for uri in grown.joined] == ["mirrored.jpg"]

    shutil.copy(folder / "moved.jpg", folder / "rocket.jpg")
    assert names(changes(engine, scan(folder).run_id)) == [("returned", "rocket.jpg")]


def test_images_that_no_uri_shows_are_told_from_the_others(
    scan: Scan, folder: Path, engine: Engine
) -> None:
    def gone() -> list[str | bool]:
        """Of both: whether its URI shows it no more, or the URI that shows it still."""
        with engine.connect() as db:
            (pair,) = (p for p in reports.pairs(db, 1, LIMIT) if p.relation == "thumbnail")
        return [
            Path(side.still_at).name if side.still_at else side.gone_at is not None
            for side in (pair.source, pair.derived)
        ]

    scan(folder)
    shutil.copy(folder / "sub" / "small.jpg", folder / "small-again.jpg")
    scan(folder)
    assert gone() == [False, False]
    (folder / "sub" / "small.jpg").unlink()
    scan(folder)
    assert gone() == [False, "small-again.jpg"]
    shutil.copy(folder / "rocket.jpg", folder / "coffee.jpg")
    (folder / "small-again.jpg").unlink()
    scan(folder)
    assert gone() == [True, True]
    shutil.copy(folder / "rocket.jpg", folder / "small-again.jpg")
    scan(folder)
    assert gone() == [True, True]


def test_of_the_same_bytes_it_is_told_which_uri_shows_them_no_more(
    scan: Scan, folder: Path, engine: Engine
) -> None:
    scan(folder)
    (folder / "coffee.jpg").rename(folder / "moved.jpg")
    (folder / "sub" / "rocket-again.jpg").unlink()
    run = int(scan(folder).run_id)
    with engine.connect() as db:
        same = [p for p in reports.pairs(db, run, LIMIT) if p.relation == "identical"]
    told = {
        Path(p.derived.uri).name: (p.directed, *(bool(s.gone_at) for s in (p.source, p.derived)))
        for p in same
    }
    assert told == {"moved.jpg": (False, True, False), "rocket-again.jpg": (False, False, True)}


def test_a_family_whose_uris_all_show_other_bytes_is_reported(
    scan: Scan, folder: Path, engine: Engine
) -> None:
    def exported() -> tuple[str, list[str], list[str]]:
        with engine.connect() as db:
            (row,) = reports.export_rows(db, "families")
        source, *uris = row["source_uri"], row["members"], row["overwritten"]
        return Path(source).name, *([Path(uri).name for uri in some] for some in uris)

    scan(folder)
    assert exported() == ("coffee.jpg", ["coffee.jpg", "small.jpg"], [])
    for name, left in (("coffee.jpg", ["small.jpg"]), ("sub/small.jpg", [])):
        shutil.copy(folder / "rocket.jpg", folder / name)
        scan(folder)
        gone = ["coffee.jpg"] if left else ["coffee.jpg", "small.jpg"]
        assert exported() == ("coffee.jpg", left, gone)
    with engine.connect() as db:
        ids = {pair.family_id for pair in reports.pairs(db, 1, LIMIT)} - {None}
        (family,) = reports.families(db, ids)
    assert (family.members, len(family.images)) == ((), 2)


def test_of_each_event_the_first_are_listed_and_all_counted(
    scan: Scan, folder: Path, engine: Engine
) -> None:
    told = changes(engine, scan(folder).run_id, limit=1)
    assert (names(told), told.events) == ([("appeared", "coffee.jpg")], {"appeared": 4})


def test_a_family_that_ends_is_a_change(
    scan: Scan, folder: Path, engine: Engine, settings: Settings
) -> None:
    scan(folder)
    paths = (str(folder / "coffee.jpg"), str(folder / "sub" / "small.jpg"))
    jobs.decide(engine, settings, *paths, "not-copy", "seen", "me")
    [ended] = changes(engine, scan(folder).run_id).families
    assert (ended.before, ended.after, ended.joined) == (2, 0, ())
    assert ended.source_before and Path(ended.source_before).name == "coffee.jpg"
    assert ended.source_after is None


def test_no_family_is_left_out_because_another_is_large(
    scan: Scan, folder: Path, engine: Engine, coffee: Image.Image, rocket: Image.Image
) -> None:
    for quality in (95, 85, 75, 65):
        (folder / f"coffee-{quality}.jpg").write_bytes(edits.jpeg(coffee, quality))
    (folder / "mirrored.jpg").write_bytes(edits.jpeg(edits.mirror(rocket), 90))
    run = int(scan(folder).run_id)
    with engine.connect() as db:
        counts = [pair for pair in reports.pairs(db, run, LIMIT) if not pair.suppressed]
    families = [pair.family_id for pair in counts]
    large = max(families, key=families.count)
    assert families.count(large) > 6 and len(set(families)) == 2
    assert families[:7].count(large) == 5


def test_what_a_run_found_is_its_own(
    scan: Scan, folder: Path, engine: Engine, rocket: Image.Image
) -> None:
    (folder / "broken.jpg").write_bytes(b"not a picture")
    scan(folder)
    (folder / "later.jpg").write_bytes(edits.jpeg(edits.thumbnail(rocket, 200)))
    (folder / "empty.jpg").touch()
    scan(folder)
    scan(folder)
    with engine.connect() as db:
        bins = [reports.histogram(db, run) for run in (1, 2, 3)]
        found = [reports.found(db, run) for run in (1, 2, 3)]
    assert [round(b.low * 20) for b in bins[0]] == list(range(20))
    pairs = [(sum(b.pairs for b in of), sum(b.suppressed for b in of)) for of in bins]
    assert pairs == [(1, 0), (1, 0), (0, 0)]
    assert found == [
        Found(1, 0, {"not-an-image": 1}),
        Found(1, 0, {"empty": 1}),
        Found(0, 0, {}),
    ]


def test_what_a_run_found_stays_so_whatever_was_said_since(
    scan: Scan, folder: Path, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    scan(folder)
    whole, small = str(folder / "coffee.jpg"), str(folder / "sub" / "small.jpg")

    def told() -> tuple[Found, tuple[Bin, ...], str]:
        page = jobs.report(engine, open_previews(settings), 1, tmp_path / "page.html")
        with engine.connect() as db:
            tiles = page.read_text("utf-8").split('<ul class="tiles">')[1].split("</ul>")[0]
            new = re.findall(r"<b>(\d+)</b> (?:<a[^>]*>)?matches", tiles)
            return reports.found(db, 1), reports.histogram(db, 1), *new

    before = told()
    assert (before[0].families, before[2]) == (1, "2")
    jobs.decide_source(engine, settings, small, small, "it is the print", "Ada")
    assert told() == before
    jobs.decide(engine, settings, whole, small, "not-copy", "no", "Ada")
    assert told() == before
    jobs.erase(settings, small, "a test", "me", allow_return=True)
    scan(folder)
    assert told() == before
