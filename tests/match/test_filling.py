from __future__ import annotations

from random import Random

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy.edits.encoding import web
from benchmarks.accuracy.negatives import show
from ris_jobs.demo import edits
from tests.match.scenes import scene
from tests.match.test_detail import opened, seen


def shown(group: str, series: int, photo: int) -> Image.Image:
    image = show(group, 5 * series, 7, scene(photo))
    return opened(web(image, Random(photo))[0])


@pytest.mark.parametrize("group", ["screen", "frame"])
@pytest.mark.parametrize("series", range(4))
def test_another_picture_in_one_frame_stands_apart_in_what_is_drawn(group, series):
    found = seen(shown(group, series, 1), shown(group, series, 2))
    assert found.apart > 0.06
    assert found.drawn > 0.25


@pytest.mark.parametrize("edit", [edits.caption, edits.greyscale])
@pytest.mark.parametrize("seed", range(3))
def test_what_has_grain_is_less_drawn_than_any_frame(edit, seed):
    assert seen(scene(seed), edit(scene(seed))).drawn < 0.25


def test_apart_is_the_share_of_the_largest_patch_with_other_things():
    picture, other = np.asarray(scene(4, (320, 320))), np.asarray(scene(5, (320, 320)))
    covered = picture.copy()
    covered[:160, :160] = other[:160, :160]
    covered[240:, 240:] = other[240:, 240:]
    assert seen(picture, picture).apart == 0
    assert seen(Image.fromarray(picture), Image.fromarray(covered)).apart == pytest.approx(
        0.25, abs=0.04
    )


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize(("depth", "share"), [(60, 0.0), (110, 0.0), (160, 0.5)])
def test_a_band_along_one_side_is_no_picture_in_a_frame(turns, depth, share):
    picture = np.asarray(scene(4, (320, 320)))
    captioned = picture.copy()
    captioned[-depth:] = 255 - picture[-depth:]
    one, two = (Image.fromarray(np.rot90(image, turns)) for image in (picture, captioned))
    assert seen(one, two).apart == pytest.approx(share, abs=0.07)


def test_only_what_both_show_counts():
    picture, other = np.asarray(scene(4, (320, 320))), np.asarray(scene(5, (320, 320)))
    half = np.zeros((256, 256), np.bool_)
    half[:, :128] = True
    both = np.concatenate([picture[:, :160], other[:, 160:]], axis=1)
    assert seen(Image.fromarray(picture), Image.fromarray(both), half).apart == 0


def test_order_does_not_matter():
    one, two = shown("frame", 1, 1), shown("frame", 1, 2)
    there, back = seen(one, two), seen(two, one)
    assert (there.apart, there.drawn) == (back.apart, back.drawn)
