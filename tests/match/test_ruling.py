"""Each way a pair can fail has its name, and a match has none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ris_jobs.demo import edits
from ris_jobs.match import Candidate
from ris_jobs.match.compared import Compared
from ris_jobs.match.examine import HASHES_NEAR, SEARCHED
from ris_jobs.match.ruling import Stop, rule
from tests.match.scenes import scene


@pytest.fixture
def ruled(collection, calibration):
    def ruled(a, b, cosine=0.9, min_probability=0.5, rank=0):
        candidate = Candidate(a.image_id, b.image_id, cosine, rank)
        return rule(
            candidate,
            Compared.of([candidate], collection.sides),
            calibration=calibration,
            min_probability=min_probability,
            load_preview=collection.previews.get,
        )

    return ruled


def test_far_pairs_are_not_looked_at(collection, ruled):
    a, b = (collection.add(edits.jpeg(scene(seed))) for seed in (1, 2))
    ruling = ruled(a, b, cosine=0.1)
    assert (ruling.stop, ruling.alignment, ruling.probability) == (Stop.FAR, None, None)
    assert ruling.distance.combined > 40


def test_different_pictures_near_by_cosine_are_not_aligned(collection, ruled):
    a, b = (collection.add(edits.jpeg(scene(seed))) for seed in (1, 2))
    ruling = ruled(a, b)
    assert ruling.stop is Stop.UNALIGNED
    assert not ruling.alignment.held and ruling.features is None


def test_a_copy_is_a_match_unless_more_is_asked_for(collection, ruled, decide):
    a, b = collection.add(edits.jpeg(scene(1), 92)), collection.add(edits.jpeg(scene(1), 30))
    ruling, match = ruled(a, b), decide(a, b)
    assert ruling.stop is None and ruling.probability == match.probability
    assert ruled(a, b, min_probability=1.0).stop is Stop.IMPROBABLE
    assert ruled(b, a).features == ruling.features


def test_a_flat_field_is_kept_however_improbable(collection, ruled):
    flat = Image.new("RGB", (200, 150), (90, 140, 200))
    a, b = (collection.add(save(flat)) for save in (edits.png, edits.jpeg))
    assert ruled(a, b, cosine=1.0, min_probability=1.0).stop is None


def striped(share: float) -> Image.Image:
    """White bars over a share of it, so that hardly a block of pixels is as it was."""
    pixels = np.array(scene(1))
    pixels[np.arange(len(pixels)) * 8 / len(pixels) % 1 < share] = 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize("cosine", [0.9, 0.1])
def test_where_hashes_are_near_keypoints_tell_however_many_are_nearer(collection, ruled, cosine):
    a, b = (collection.add(edits.jpeg(image)) for image in (scene(1), striped(0.3)))
    ruling = ruled(a, b, cosine=cosine, rank=SEARCHED)
    assert ruling.distance.combined <= HASHES_NEAR
    assert ruling.stop is None and ruling.alignment.verified.inliers > 20
