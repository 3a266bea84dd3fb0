from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from PIL import Image
from skimage import data

from benchmarks.accuracy.edits.encoding import web
from benchmarks.accuracy.negatives import show, view
from ris_jobs.demo import edits
from ris_jobs.fingerprint import descriptor
from ris_jobs.match import Candidate
from ris_jobs.match.calibration import Calibration
from ris_jobs.match.compared import Compared
from ris_jobs.match.examine import Reached
from ris_jobs.match.judge import judge_many
from ris_jobs.match.ruling import rule
from ris_jobs.match.suppression import LOOK_ALIKE, likenesses, look_alike
from tests.match.scenes import scene
from tests.match.test_detail import form


@pytest.fixture
def judged(collection):
    """Judges two files by the built-in coefficients, as pictures that are this common."""

    def judged(one, two, common, cosine=0.97):
        sides = [collection.add(data) for data in (one, two)]
        known = {s.image_id: replace(s, commonness=(common,)) for s in sides}
        limits = {
            "calibration": Calibration.for_model(descriptor.spec("builtin").id),
            "min_probability": 0.5,
            "load_preview": collection.previews.get,
        }
        pair = Candidate(*known, cosine)
        compared = Compared.of([pair], known)
        match = next(judge_many([pair], compared, **limits, reached=Reached()), None)
        assert (rule(pair, compared, **limits).stop is None) == (match is not None)
        return match

    return judged


def test_a_form_filled_in_otherwise_is_kept_as_a_look_alike(judged):
    one, two = form("Anna Arendt"), form("Bert Brecht")
    match = judged(edits.jpeg(one, 92), edits.jpeg(two, 92), common=0.7)
    assert match.probability < 0.7
    assert match.suppressed == LOOK_ALIKE


def test_a_copy_of_a_form_is_a_copy(judged):
    match = judged(edits.png(form("Anna Arendt")), edits.jpeg(form("Anna Arendt"), 70), common=0.7)
    assert match.probability > 0.95
    assert match.suppressed is None


def test_a_photo_is_not_drawn_however_common(judged):
    photo = Image.fromarray(data.chelsea())
    match = judged(edits.png(photo), edits.jpeg(edits.caption(photo)), common=0.6)
    assert not look_alike(match.evidence["features"], 0.5)
    assert match.suppressed is None


def test_another_picture_in_one_frame_is_kept_as_a_look_alike(judged):
    frames = (web(show("frame", 5, 7, scene(n)), Random(n))[0] for n in (1, 2))
    match = judged(*frames, common=0.25)
    assert match.evidence["features"]["filled"] >= 0.5
    assert match.suppressed == LOOK_ALIKE


@pytest.mark.parametrize("seed", range(3))
def test_another_view_of_a_scene_is_kept_as_a_look_alike(judged, seed):
    views = (view(Image.fromarray(data.chelsea()), Random(seed), side) for side in (0, 1))
    match = judged(*map(edits.jpeg, views), common=0.2)
    assert match.evidence["keypoints"]["parallax"] > 0.14
    assert match.suppressed == LOOK_ALIKE


def test_another_view_that_looks_like_a_part_is_kept_as_a_look_alike(judged):
    photo = edits.thumbnail(Image.fromarray(data.chelsea()), 240)
    match = judged(*(edits.jpeg(view(photo, Random(4), side)) for side in (0, 1)), common=0.2)
    assert match.evidence["inside"] is not None
    assert match.suppressed == LOOK_ALIKE


def test_without_previews_nothing_is_known_to_be_drawn():
    assert not look_alike({"common": 0.9}, 0.5)


@pytest.mark.parametrize(
    ("seen", "sure", "expected"),
    [
        ({"common": 0.5, "plain": 0.3}, 0.8, ["drawn"]),
        ({"common": 0.5, "plain": 0.3}, 0.9, []),
        ({"common": 0.5, "plain": 0.8}, 0.9, ["drawn"]),
        ({"common": 0.5, "plain": 0.8}, 0.96, []),
        ({"filled": 0.4}, 0.9, ["filled"]),
        ({"filled": 0.4}, 0.99, []),
        ({"filled": 1.0, "parallax": 0.5}, 1.0, ["filled", "parallax"]),
        ({"parallax": 0.3}, 0.6, []),
    ],
)
def test_how_two_pictures_look_alike(seen, sure, expected):
    assert list(likenesses({"common": 0.1, **seen}, sure)) == expected
