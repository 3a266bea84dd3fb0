"""A run can be judged again from what is stored, and what is not as it was is named."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, text

from ris_jobs import jobs
from ris_jobs.demo import edits
from ris_jobs.demo.folder import PHOTOS, write
from ris_jobs.errors import NotFound
from ris_jobs.match import examine, kin
from ris_jobs.progress import LogProgress
from ris_jobs.report.replayed import Replayed
from ris_jobs.settings import Settings
from ris_jobs.store.postgres import open_engine
from ris_jobs.store.previews import open_previews
from tests.jobs.conftest import FormerScan, Scan, row_versions

Replay = Callable[..., Replayed]


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings) as engine:
        yield engine


@pytest.fixture
def replay(engine: Engine, settings: Settings) -> Replay:
    def replay(run_id: int, settings: Settings = settings) -> Replayed:
        return jobs.replay(engine, open_previews(settings), settings, run_id, LogProgress())

    return replay


@pytest.fixture
def copies(folder: Path, coffee: Image.Image, rocket: Image.Image) -> Path:
    """More kinds of copies: by hashes, by pixels, by keypoints, and one inside another."""
    made = {
        "mirrored.jpg": edits.jpeg(edits.mirror(coffee)),
        "grey.jpg": edits.jpeg(edits.greyscale(coffee), 90),
        "crop.jpg": edits.jpeg(rocket.crop((100, 60, 400, 300)), 90),
        "page.jpg": edits.jpeg(_page(rocket), 90),
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return folder


def _page(photo: Image.Image) -> Image.Image:
    page = Image.effect_noise((900, 700), 90).convert("RGB")
    page.paste(photo.resize((360, 240)), (330, 250))
    return page


def test_a_run_comes_out_as_it_was(
    scan: Scan, copies: Path, engine: Engine, replay: Replay
) -> None:
    scan(copies)
    before = row_versions(engine)
    done = replay(1)
    assert done.differences == []
    assert done.rows == len(before["match"]) > 6
    assert (done.verdicts.differences, done.same) == ([], True)
    assert done.verdicts.rows == len(before["family"]) > 1
    assert (done.by_other_rules, done.model[:8]) == (False, "builtin-")
    assert row_versions(engine) == before


@pytest.mark.parametrize("code", ["0.1.0", "0.1.0+00000000"])
def test_a_run_by_other_rules_is_told_from_one_by_these(
    scan: Scan, folder: Path, engine: Engine, replay: Replay, code: str
) -> None:
    scan(folder)
    with engine.begin() as db:
        db.execute(text("UPDATE ris.run SET code_version = :code"), {"code": code})
    assert replay(1).by_other_rules


def test_what_came_after_the_run_does_not_matter(
    scan: Scan, copies: Path, engine: Engine, settings: Settings, replay: Replay
) -> None:
    """Neither decisions, nor another calibration that judged the pairs again, nor settings of
    now."""
    scan(copies)
    pair = (str(copies / "grey.jpg"), str(copies / "coffee.jpg"))
    jobs.decide(engine, settings, *pair, "not-copy", "no", "Ada")
    rows = replay(1).rows
    with engine.begin() as db:
        run = "INSERT INTO ris.run (kind, settings, settings_hash, code_version) "
        db.execute(text(run + "VALUES ('scan', '{}', 'a', '9')"))
        db.execute(text("UPDATE ris.match SET run_id = 2, calibration = 'x', probability = 0.5"))
    done = replay(1, replace(settings, min_probability=1.0))
    assert (done.rows, done.differences) == (rows, [])


@pytest.mark.slow(22)
def test_a_run_of_the_demo_comes_out_with_equal_rows(
    scan: Scan, tmp_path: Path, engine: Engine, replay: Replay
) -> None:
    write(tmp_path / "demo")
    scan(tmp_path / "demo")
    done = replay(1)
    with engine.connect() as db:
        rows = [db.scalar(text(f"SELECT count(*) FROM ris.{t}")) for t in ("match", "family")]
        families = db.execute(text("SELECT source_uri, reasons FROM ris.family_by_uri")).all()
    assert [done.rows, done.verdicts.rows] == rows
    # Every photo, though most are the smaller of two: their enlargements are there as well. But for
    # retina, which has no detail: nothing tells whether it or its enlargement came first.
    sources = {Path(f.source_uri).stem for f in families if f.source_uri}
    assert sources == {Path(photo).stem for photo in PHOTOS} - {"retina"}
    (open_,) = (f.reasons for f in families if not f.source_uri)
    assert open_[1] == "missing: nothing tells the two most probable ones apart"
    assert done.same and done.verdicts.by_other_weights == done.verdicts.erased == 0


def test_verdicts_are_found_again_as_of_then(
    scan: Scan, copies: Path, engine: Engine, settings: Settings, replay: Replay
) -> None:
    """Whatever became of the families: another source by decision, more members, an erasure."""
    scan(copies)
    rows = replay(1).verdicts.rows
    small, whole = copies / "sub" / "small.jpg", copies / "coffee.jpg"
    jobs.decide_source(engine, settings, str(small), str(small), "it is the print", "Ada")
    with Image.open(copies / "rocket.jpg") as rocket:
        (copies / "late.jpg").write_bytes(edits.jpeg(edits.thumbnail(rocket, 200)))
    scan(copies)
    for run_id, count in ((1, rows), (2, 1)):
        done = replay(run_id).verdicts
        assert (done.rows, done.differences) == (count, [])
    jobs.erase(settings, str(whole), "a test", "me")
    done = replay(1).verdicts
    assert (done.rows, done.differences, done.erased) == (rows - 1, [], 1)


def test_what_was_erased_and_came_back_says_what_it_said(
    scan: Scan, copies: Path, settings: Settings, replay: Replay
) -> None:
    scan(copies)
    rows = replay(1).verdicts.rows
    jobs.erase(settings, str(copies / "coffee.jpg"), "a test", "me", allow_return=True)
    jobs.crawl_only(settings, [copies], LogProgress())  # it is not fingerprinted yet
    done = replay(1).verdicts
    assert (done.rows, done.differences, done.erased) == (rows - 1, [], 1)
    scan(copies)
    done = replay(1).verdicts
    assert (done.rows, done.differences, done.erased) == (rows, [], 0)


def test_a_file_that_was_touched_since_leaves_a_verdict_as_it_was(
    scan: Scan, copies: Path, replay: Replay
) -> None:
    scan(copies)
    os.utime(copies / "coffee.jpg", (1_577_836_800, 1_577_836_800))  # 2020-01-01
    scan(copies)
    assert replay(1).verdicts.differences == []


def test_a_verdict_that_is_not_as_it_was_is_named(
    scan: Scan, copies: Path, engine: Engine, replay: Replay
) -> None:
    scan(copies)
    with engine.begin() as db:
        db.execute(text("ALTER TABLE ris.family DISABLE TRIGGER keep"))
        one, *others = db.scalars(text("SELECT family_id FROM ris.family ORDER BY 1")).all()
        change = "UPDATE ris.family SET source_id = NULL, confidence = 0.1 WHERE family_id = :one"
        db.execute(text(change), {"one": one})
        db.execute(
            text("UPDATE ris.family SET model = 'older' WHERE family_id <> :one"), {"one": one}
        )
    done = replay(1)
    (found,) = done.verdicts.differences
    assert not done.same and not done.differences
    assert found.family_id == one and {c.what for c in found.changes} == {"source", "confidence"}
    assert (done.verdicts.rows, done.verdicts.by_other_weights) == (1, len(others))


def test_a_row_that_is_not_as_it_was_is_named(
    scan: Scan, copies: Path, engine: Engine, replay: Replay
) -> None:
    scan(copies)
    change = (
        "UPDATE ris.match SET relation = 'edited', "
        "evidence = jsonb_set(evidence, '{hashes,pdq}', '77') WHERE relation = 'thumbnail' "
        "AND source_id = (SELECT image_id FROM ris.image_uri WHERE uri LIKE '%/coffee.jpg')"
    )
    with engine.begin() as db:
        db.execute(text("ALTER TABLE ris.match DISABLE TRIGGER keep"))
        assert db.execute(text(change)).rowcount == 1
    (found,) = replay(1).differences
    names = (Path(found.derived_uri).name, Path(found.source_uri).name)
    assert names == ("small.jpg", "coffee.jpg")
    told = {c.what: c.kept for c in found.changes}
    assert told == {"relation": "edited", "evidence.hashes.pdq": 77}
    assert {c.what: c.now for c in found.changes}["relation"] == "thumbnail"


def test_pairs_that_were_not_among_the_nearest_come_out_as_they_were(
    scan: Scan,
    tmp_path: Path,
    coffee: Image.Image,
    engine: Engine,
    replay: Replay,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A picture is sought in its nearest only; it has more copies here than these are."""
    for module in (examine, kin, sys.modules["ris_jobs.jobs.replay"]):
        monkeypatch.setattr(module, "SEARCHED", 4)
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "tilted.jpg").write_bytes(edits.jpeg(coffee.rotate(2), 90))
    for quality in range(60, 84, 4):
        (folder / f"{quality}.jpg").write_bytes(edits.jpeg(coffee, quality))
    scan(folder)
    ask = (
        "SELECT count(*) FROM ris.match_by_uri WHERE derived_uri || source_uri LIKE '%/tilted.jpg%'"
    )
    with engine.connect() as db:
        assert db.scalar(text(ask)) > 4
    assert replay(1).differences == []


def test_another_preview_is_noticed(
    scan: Scan, copies: Path, engine: Engine, settings: Settings, replay: Replay
) -> None:
    scan(copies)
    previews = open_previews(settings)
    ask = "SELECT sha256 FROM ris.image i JOIN ris.image_uri u USING (image_id) WHERE u.uri LIKE :n"
    with engine.connect() as db:
        page, grey = (db.scalar(text(ask), {"n": f"%/{n}.jpg"}) for n in ("page", "grey"))
    other = previews.read(str(grey))
    assert other is not None
    previews.write(str(page), other)
    lost = [d for d in replay(1).differences if "page.jpg" in d.derived_uri]
    assert lost and lost[0].changes == []


def test_a_run_by_former_coefficients_comes_out_as_it_was(
    former: FormerScan, folder: Path, replay: Replay
) -> None:
    before = former(folder)
    done = replay(1)
    assert (done.calibration, done.differences) == (before.version, []) and done.rows > 0


def test_a_run_that_cannot_be_replayed_says_why(
    scan: Scan, folder: Path, engine: Engine, settings: Settings, replay: Replay
) -> None:
    jobs.crawl_only(settings, [folder], LogProgress())
    with pytest.raises(NotFound, match="run 1 matched nothing: it was a crawl"):
        replay(1)
    with pytest.raises(NotFound, match="there is no run 7"):
        replay(7)
    scan(folder)
    with engine.begin() as db:
        db.execute(text("UPDATE ris.run SET calibration = 'older' WHERE run_id = 2"))
    with pytest.raises(NotFound, match=r"run 2 was calibrated by older, .* `git log .* older "):
        replay(2)
