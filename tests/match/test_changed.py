"""What was changed is found where it was changed, in the derived picture as that lies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image

from ris_jobs.demo import edits
from ris_jobs.match.alignment import Alignment
from ris_jobs.match.cells import GRID, unpacked
from ris_jobs.match.changed import changed
from ris_jobs.match.orientation import turn
from tests.match.scenes import NOON, scene

# Where a patch lies in what both show, in cells of the derived picture: left, top, right, bottom.
PATCH = (2, 9, 6, 12)


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(turn(np.asarray(picture), orientation)))


def patched(picture: Image.Image) -> Image.Image:
    """With a patch of another picture over some of its cells."""
    x0, y0, x1, y1 = (
        round(cell / GRID * side) for cell, side in zip(PATCH, picture.size * 2, strict=True)
    )
    picture = picture.copy()
    picture.paste(Image.new("RGB", (x1 - x0, y1 - y0), (250, 20, 240)), (x0, y0))
    return picture


def expected() -> np.ndarray:
    cells = np.zeros((GRID, GRID), np.bool_)
    cells[PATCH[1] : PATCH[3], PATCH[0] : PATCH[2]] = True
    return cells


def pixels_of(one, other, collection, decide):
    """The pixels of the match, the same whichever of the two has the lower sha256."""
    found = []
    for names in ("ab", "ba"):
        pair = zip((one, other), names, strict=True)
        match = decide(*(replace(side, sha256=letter * 64) for side, letter in pair))
        found.append((match.derived_id, match.evidence["pixels"]))
    (derived, first), (also, second) = found
    assert derived == also
    assert first["cells_of"]["picture"] == second["cells_of"]["picture"]
    assert first["cells_of"]["box"] == pytest.approx(second["cells_of"]["box"], abs=0.005)
    differ = unpacked(first["changed_cells"]) ^ unpacked(second["changed_cells"])
    assert differ.sum() <= 2, "but for cells at the threshold"
    return first


def shows_the_patch(pixels):
    cells = unpacked(pixels["changed_cells"])
    assert cells.mean() == pytest.approx(pixels["changed"], abs=1e-4)
    np.testing.assert_array_equal(cells & expected(), expected())
    assert cells.sum() <= expected().sum() + 14, "the patch and what it touches"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_whole_picture_was_changed_where_it_was(orientation, collection, decide):
    source = collection.add(edits.png(scene(70)))
    small = turned(edits.thumbnail(scene(70), 200), orientation)
    derived = collection.add(edits.png(patched(small)))
    pixels = pixels_of(source, derived, collection, decide)
    assert pixels["cells_of"] == {"picture": "derived", "box": [0.0, 0.0, 1.0, 1.0]}
    shows_the_patch(pixels)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_crop_was_changed_where_it_was(orientation, collection, decide):
    whole = scene(71, (480, 360))
    source = collection.add(edits.png(whole))
    part = turned(whole.crop((40, 30, 340, 270)), orientation)
    derived = collection.add(edits.jpeg(patched(part), 90))
    pixels = pixels_of(source, derived, collection, decide)
    assert pixels["cells_of"]["picture"] == "derived"
    assert pixels["cells_of"]["box"] == pytest.approx([0, 0, 1, 1], abs=0.01)
    shows_the_patch(pixels)


@pytest.mark.parametrize("orientation", [1, 2])
def test_what_was_pasted_was_changed_within_its_box(orientation, collection, decide):
    source = collection.add(edits.png(scene(72, (480, 360))))
    over = patched(turned(scene(72, (480, 360)).resize((240, 180)), orientation))
    under = scene(73, (480, 400))
    under.paste(over, (130, 90))
    pixels = pixels_of(source, collection.add(edits.jpeg(under, 92)), collection, decide)
    assert pixels["cells_of"]["picture"] == "derived"
    box = [130 / 480, 90 / 400, 370 / 480, 270 / 400]
    assert pixels["cells_of"]["box"] == pytest.approx(box, abs=0.01)
    shows_the_patch(pixels)


@pytest.mark.parametrize("days", [1, -1])
def test_cells_are_those_of_the_picture_that_a_bent_one_was_laid_on(days, collection, decide):
    source = collection.add(edits.png(scene(74, (480, 360))))
    over = patched(scene(74, (480, 360)))
    turned = over.rotate(20, Image.Resampling.BICUBIC, expand=True)
    data = edits.jpeg(turned, 92)
    derived = collection.add(data, first_seen_at=NOON + timedelta(days=days))
    pixels = pixels_of(source, derived, collection, decide)
    assert pixels["cells_of"]["picture"] == ("source" if days > 0 else "derived")
    assert pixels["cells_of"]["box"] == pytest.approx([0, 0, 1, 1], abs=0.01)
    shows_the_patch(pixels)


def test_nothing_is_said_where_a_preview_is_gone():
    assert changed(Alignment(1, None, None, True), of_first=True) is None
