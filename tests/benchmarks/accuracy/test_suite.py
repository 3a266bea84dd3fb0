from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.accuracy import negatives, sheet
from benchmarks.accuracy.edits import VARIANTS
from benchmarks.accuracy.plan import plan, roles
from benchmarks.accuracy.suite import Suite, build, load
from ris_jobs.errors import ConfigError
from ris_jobs.match import Relation
from tests.match.scenes import scene

PHOTOS = 24


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(PHOTOS):
        scene(number, (200, 150)).save(folder / f"{number}.jpg", quality=92)
    scene(99, (90, 60)).save(folder / "too-small.jpg")
    (folder / "broken.jpg").write_bytes((folder / "0.jpg").read_bytes()[:2000])
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def suite(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return build(photos, tmp_path_factory.mktemp("built") / "suite", per_variant=1)


def test_the_same_call_writes_the_same_bytes(photos, suite, tmp_path):
    again = build(photos, tmp_path / "suite", per_variant=1)
    names = sorted(path.relative_to(suite.folder) for path in suite.folder.rglob("*.*"))
    assert names == sorted(path.relative_to(again.folder) for path in again.folder.rglob("*.*"))
    for name in names:
        assert (suite.folder / name).read_bytes() == (again.folder / name).read_bytes(), name


def test_the_truth_is_about_the_files(suite):
    assert load(suite.folder) == suite
    assert suite.about["files"] == len(suite.rows) == len(list((suite.folder / "images").iterdir()))
    assert suite.about["photos"] == PHOTOS
    assert suite.about["counts"] == dict(Counter(row.kind for row in suite.rows))
    for number, path in enumerate(suite.paths):
        assert int(path.stem) == number
        with Image.open(path) as image:
            image.load()


def test_photos_have_one_role_each(photos, suite):
    by_kind = {
        kind: {row.photo for row in suite.rows if row.kind == kind and row.photo}
        for kind in ("source", "copy", "distractor", "distractor_copy", "negative")
    }
    assert by_kind["copy"] == by_kind.pop("source")
    used = [name for names in by_kind.values() for name in names]
    assert len(used) == len(set(used))
    assert len(set(used)) == PHOTOS - round(0.15 * PHOTOS), "hosts are no files of the suite"
    assert "too-small.jpg" not in used
    for path, row in zip(suite.paths, suite.rows, strict=True):
        if row.kind in ("source", "distractor"):
            assert path.read_bytes() == (photos / row.photo).read_bytes()


def test_copies_name_their_source_and_their_edit(suite):
    variants = {variant.name: variant for variant in VARIANTS}
    copies = [row for row in suite.rows if row.kind == "copy"]
    assert Counter(row.edit for row in copies) == dict.fromkeys(variants, 1)
    for row in copies:
        source, variant = suite.rows[row.source], variants[row.edit]
        assert (source.kind, source.photo) == ("source", row.photo)
        assert (row.family, row.strength) == (variant.family, variant.strength)
        assert row.trained == variant.trained
        assert row.relation is None or Relation(row.relation)
        assert len(row.parameters["steps"]) >= len(variant.steps)


def test_each_source_is_copied_about_equally_often(suite):
    counts = Counter(row.photo for row in suite.rows if row.kind == "copy").values()
    assert max(counts) - min(counts) <= 1


def test_every_group_of_negatives_is_there(suite):
    groups = Counter(row.group for row in suite.rows if row.kind == "negative")
    of_photos = {negatives.SAME_SCENE, negatives.SCENE_VIEWS, *negatives.SHOWING}
    assert set(groups) == {*negatives.GROUPS, *of_photos}
    assert min(groups.values()) >= 2


def test_at_the_default_scale_there_is_enough_of_everything(tmp_path):
    paths = [tmp_path / f"{number}.jpg" for number in range(300)]
    cast = roles(paths)
    aside = [cast.distractors, cast.copied, cast.scenes, cast.views, cast.shown]
    parts = [cast.sources, cast.hosts, *aside]
    assert [len(part) for part in parts] == [180, 45, 13, 25, 13, 12, 12]
    assert {path for part in parts for path in part} == set(paths)
    assert len(plan(paths, 0, 40).jobs) > 5000


def test_a_suite_is_reused_and_another_is_never_overwritten(photos, suite):
    before = (suite.folder / "suite.json").stat().st_mtime_ns
    assert build(photos, suite.folder, per_variant=1) == suite
    assert (suite.folder / "suite.json").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="another suite"):
        build(photos, suite.folder, per_variant=1, seed=1)


def test_a_folder_that_is_no_suite_is_left_alone(photos, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="holds no suite"):
        build(photos, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("folder", [".", "missing"])
def test_too_few_photos_are_refused(tmp_path, folder):
    with pytest.raises(ConfigError, match="has 0 photos"):
        build(tmp_path / folder, tmp_path / "suite")


def test_a_build_that_was_ended_leaves_no_suite(photos, suite, tmp_path):
    unfinished = tmp_path / "suite.unfinished"
    unfinished.mkdir()
    (unfinished / "left.over").touch()
    with pytest.raises(ConfigError, match="holds no suite"):
        load(unfinished)
    build(photos, tmp_path / "suite", per_variant=1, limit=10)
    assert [path.name for path in tmp_path.iterdir()] == ["suite"]


@pytest.mark.parametrize("which", [[], ["--negatives"]])
def test_a_contact_sheet(suite, tmp_path, which):
    sheet.main([str(suite.folder), str(tmp_path / "sheet.png"), *which])
    with Image.open(tmp_path / "sheet.png") as page:
        assert page.width == 1800
    truth = [json.loads(line) for line in (suite.folder / "truth.jsonl").open()]
    name = next(row["photo"] for row in truth if row["kind"] == "source")
    assert sheet.of_photo(suite)[0].photo == name
