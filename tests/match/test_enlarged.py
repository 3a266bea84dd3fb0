from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from ris_jobs.demo import edits
from ris_jobs.match.direction import linear_ratio
from ris_jobs.match.enlarged import is_enlarged, own_detail
from tests.match.scenes import scene

RESAMPLINGS = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS]


def asked(collection, one, two):
    """is_enlarged with the real preview of the larger."""
    larger = one if linear_ratio(one.fingerprint, two.fingerprint) > 1 else two
    preview = collection.previews[larger.image_id]
    return is_enlarged(one.fingerprint, two.fingerprint, lambda: preview)


@pytest.mark.parametrize("resample", RESAMPLINGS)
@pytest.mark.parametrize("factor", [1.5, 2, 3])
def test_an_enlargement_is_told_from_either_side(factor, resample, collection):
    small = collection.add(edits.jpeg(scene(1), 90))
    large = collection.add(edits.jpeg(edits.upscale(scene(1), factor, resample), 88))
    assert asked(collection, small, large) and asked(collection, large, small)


@pytest.mark.parametrize("factor", [8, 16])
def test_large_enlargements_are_told_by_the_few_bands_they_fill(factor, collection):
    picture = scene(1, (160, 120))
    small = collection.add(edits.jpeg(picture, 90))
    large = collection.add(edits.jpeg(edits.upscale(picture, factor), 88))
    assert asked(collection, small, large)
    native = collection.add(edits.jpeg(scene(1, (160 * factor, 120 * factor)), 90))
    assert not asked(collection, small, native)


@pytest.mark.parametrize("side", [48, 64, 128, 200, 230])
@pytest.mark.parametrize("seed", range(5))
def test_a_thumbnail_is_not_the_original_of_an_enlargement(seed, side, collection):
    large = collection.add(edits.jpeg(scene(seed), 90))
    small = collection.add(edits.jpeg(edits.thumbnail(scene(seed), side)))
    assert not asked(collection, small, large)


@pytest.mark.parametrize("factor", [2, 3])
def test_a_picture_without_detail_cannot_be_told_from_its_enlargement(factor, collection):
    soft = scene(1).filter(ImageFilter.GaussianBlur(8))
    small = collection.add(edits.jpeg(soft, 92))
    large = collection.add(edits.jpeg(edits.upscale(soft, factor), 92))
    thumbnail = collection.add(edits.jpeg(edits.thumbnail(soft, 150), 92))
    assert asked(collection, small, large) is None
    assert asked(collection, small, thumbnail) is None


@pytest.mark.parametrize("resample", RESAMPLINGS)
@pytest.mark.parametrize("factor", [1.05, 1.1, 1.2])
@pytest.mark.parametrize("seed", range(3))
def test_of_nearly_equal_sizes_only_what_was_reduced_is_told(seed, factor, resample, collection):
    native = collection.add(edits.jpeg(scene(seed), 90))
    larger = collection.add(edits.jpeg(edits.upscale(scene(seed), factor, resample), 88))
    smaller = collection.add(edits.jpeg(edits.upscale(scene(seed), 1 / factor, resample), 88))
    assert asked(collection, native, larger) is None
    assert asked(collection, native, smaller) is False


def test_the_preview_is_loaded_only_when_spectra_ask_for_it(collection):
    large = collection.add(edits.jpeg(scene(2)))
    small = collection.add(edits.jpeg(edits.thumbnail(scene(2), 100)))

    def load():
        raise AssertionError("loaded")

    assert not is_enlarged(large.fingerprint, small.fingerprint, load)


def test_spectra_decide_alone_where_the_preview_is_gone(collection):
    small = collection.add(edits.jpeg(scene(3), 90))
    large = collection.add(edits.jpeg(edits.upscale(scene(3), 2), 90))
    assert is_enlarged(small.fingerprint, large.fingerprint, lambda: None)


def test_own_detail_is_a_matter_of_what_a_smaller_copy_cannot_hold():
    native = np.asarray(scene(4))
    enlarged = np.asarray(edits.upscale(scene(4), 2))
    assert own_detail(native, 0.5) > 0.45
    assert own_detail(enlarged, 0.5) < 0.35
    assert own_detail(np.full((90, 120, 3), 77, np.uint8), 0.5) == 0.0
