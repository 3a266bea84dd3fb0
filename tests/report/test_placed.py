"""Where a pair lies says how its pictures are laid on each other."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from ris_jobs.match.orientation import turn
from ris_jobs.report.placed import derived_inside, placed
from tests.report.conftest import image, pair

PAIR = pair(image("file:///b.jpg"), image("file:///a.jpg"), "edited", 0.9)
BOX = (0.25, 0.125, 0.75, 0.625)


def picture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def laid(inner: np.ndarray, outer: np.ndarray, matrix: np.ndarray) -> float:
    """The mean difference (grey values) where the inner picture comes to lie on the outer."""
    height, width = outer.shape[:2]
    # A pixel's place is that of its centre.
    centres = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    fractions = np.diag([1 / inner.shape[1], 1 / inner.shape[0], 1]) @ centres
    pixels = np.linalg.inv(centres) @ np.diag([width, height, 1.0]) @ matrix @ fractions
    on = cv2.warpAffine(inner, pixels[:2], (width, height))
    there = cv2.warpAffine(np.full_like(inner, 255), pixels[:2], (width, height)) == 255
    assert there.mean() > 0.2
    return float(np.abs(on.astype(float) - outer)[there].mean())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("relation", ["edited", "crop", "padded"])
def test_the_inner_picture_comes_to_lie_on_what_it_shows(orientation: int, relation: str) -> None:
    source = picture(160, 320)
    part = source[20:100, 80:240] if relation == "crop" else source
    derived = np.ascontiguousarray(turn(part, orientation))
    if relation == "padded":
        height, width = derived.shape[:2]
        page = np.zeros((2 * height, 2 * width, 3), np.uint8)
        page[height // 4 : height // 4 + height, width // 2 : width // 2 + width] = derived
        derived = page
    box = None if relation == "edited" else BOX
    said = replace(PAIR, relation=relation, orientation=orientation, box=box)
    inner, outer = (derived, source) if derived_inside(said) else (source, derived)
    assert laid(inner, outer, placed(said)) < 8
    other = replace(said, orientation=orientation % 8 + 1)
    assert laid(inner, outer, placed(other)) > 30


def test_evidence_says_which_lies_inside_where_the_relation_does_not() -> None:
    part = replace(PAIR, box=BOX)
    assert not derived_inside(part)
    assert derived_inside(replace(part, evidence={"inside": {"inner": "derived"}}))
    assert not derived_inside(
        replace(part, relation="crop", evidence={"inside": {"inner": "source"}})
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_only_what_shows_of_the_inner_picture_is_laid_on_its_box(orientation: int) -> None:
    """A picture that was cut to fill its cell."""
    source = picture(160, 320)
    cell = np.ascontiguousarray(turn(source[16:144, 80:240], orientation))
    height, width = cell.shape[:2]
    page = np.zeros((2 * height, 2 * width, 3), np.uint8)
    page[height // 4 : height // 4 + height, width // 2 : width // 2 + width] = cell
    shown = [(0.25, 0.1), (0.75, 0.1), (0.75, 0.9), (0.25, 0.9)]
    points = {"straight": True, "overlap": {"source": shown}}
    said = replace(
        PAIR,
        relation="composite",
        orientation=orientation,
        box=(0.25, 0.125, 0.75, 0.625),
        evidence={"inside": {"inner": "source"}, "keypoints": points},
    )
    matrix = placed(said)
    ends = np.array([matrix @ [x, y, 1] for x, y in shown])[:, :2]
    assert (*ends.min(axis=0), *ends.max(axis=0)) == pytest.approx(said.box)
    assert laid(source[16:144, 80:240], page, matrix @ part_of((0.25, 0.1, 0.75, 0.9))) < 8


def part_of(box: tuple[float, float, float, float]) -> np.ndarray:
    """From a part of a picture to the picture."""
    return np.array([[box[2] - box[0], 0, box[0]], [0, box[3] - box[1], box[1]], [0, 0, 1]])
