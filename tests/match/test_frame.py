from __future__ import annotations

import numpy as np
import pytest

from ris_jobs.demo import edits
from ris_jobs.match.alignment import align
from ris_jobs.match.frame import content, within_shared_frame
from ris_jobs.match.pixels import view
from tests.match.scenes import scene

FRAMES = {
    "wide white": lambda p: edits.pad(p, 0.3),
    "black": lambda p: edits.pad(p, 0.15, edits.BLACK),
    "bars": lambda p: edits.letterbox(p, 2.2),
}


def seen(picture):
    return view(np.asarray(picture))


@pytest.mark.parametrize("frame", FRAMES)
def test_pictures_in_the_same_frame_are_no_copies(frame):
    for seed in range(8):
        one, two = (FRAMES[frame](scene(s)) for s in (seed, seed + 50))
        assert not align(seen(one), seen(two), 1, search=True).held


@pytest.mark.parametrize("frame", FRAMES)
def test_a_copy_is_found_with_its_frame(frame):
    framed = FRAMES[frame](scene(3))
    copy = edits.caption(edits.thumbnail(framed, 150))
    assert align(seen(framed), seen(copy), 1, search=True).held


@pytest.mark.parametrize("orientation", [1, 2, 6])
def test_the_shared_margin_is_left_out_in_any_orientation(orientation):
    one, two = edits.pad(scene(1), 0.2), edits.pad(scene(2), 0.2)
    found = within_shared_frame(seen(one), seen(two), orientation)
    assert found is not None and found.agreement < 0.2


def test_a_margin_of_one_picture_alone_is_not_shared():
    assert within_shared_frame(seen(scene(1)), seen(edits.pad(scene(1), 0.2)), 1) is None


def test_content_of_a_padded_picture_is_the_picture():
    padded = np.asarray(edits.pad(scene(1), 0.1))
    inside = content(padded)
    assert inside == pytest.approx((30 / 360, 30 / 280, 330 / 360, 250 / 280), abs=0.02)


def test_a_flat_picture_is_all_content():
    assert content(np.full((9, 9, 3), 5, np.uint8)) == (0.0, 0.0, 1.0, 1.0)
