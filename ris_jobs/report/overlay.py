"""How the two pictures of an explanation lie on each other, found again from their previews."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ris_jobs.match.geometry import Matrix, Overlap, Registration, keypoints, overlap, register
from ris_jobs.match.placement import whole, within
from ris_jobs.report.explanation import Explanation
from ris_jobs.report.placed import derived_inside, placed
from ris_jobs.report.views import PairView

__all__ = ["Overlay", "overlay"]

Rgb = npt.NDArray[np.uint8]

# Fewer keypoints are chance and would mislead who looks at them.
_FEWEST = 8
_NONE = np.empty((0, 2), np.float64)


@dataclass(frozen=True, slots=True)
class Overlay:
    """``registration`` maps the first picture to the second and holds the keypoints that agree;
    ``decided``: the decision rests on them, else they are for looking at only."""

    registration: Registration
    shared: Overlap
    decided: bool


def overlay(said: Explanation, first: Rgb | None, second: Rgb | None) -> Overlay | None:
    """Of the previews of the two images as they were asked for, uint8 (h, w, 3); None where one
    is gone or nothing lays them on each other."""
    if first is None or second is None:
        return None
    points = None if said.identical else _registered(said, first, second)
    decided = _by_keypoints(said)
    if decided and points is None:
        return None
    matrix = points.matrix if decided and points else _matrix(said)
    nothing = Registration(matrix, _NONE, _NONE, (_NONE, _NONE))
    registration = replace(points, matrix=matrix) if points else nothing
    shared = (_stored(said) if decided else None) or overlap(registration)
    return None if shared is None else Overlay(registration, shared, decided)


def _registered(said: Explanation, first: Rgb, second: Rgb) -> Registration | None:
    """By keypoints, in the order in which the pair is judged: that of the sha256."""
    turned = said.images[0].sha256 > said.images[1].sha256
    one, two = (second, first) if turned else (first, second)
    found = register(keypoints(one), keypoints(two))
    if found is None or found.inliers < _FEWEST:
        return None
    return found.inverse() if turned else found


def _by_keypoints(said: Explanation) -> bool:
    if said.pair is not None:
        return said.pair.evidence.get("keypoints") is not None
    alignment = said.judged.ruling.alignment if said.judged else None
    return alignment is not None and alignment.verified is not None


def _stored(said: Explanation) -> Overlap | None:
    """What both show, as the row has it: less than the map says where one was cut to fit."""
    points, sides = said.pair.evidence["keypoints"] if said.pair else {}, ("derived", "source")
    if said.pair is None or "overlap" not in points:
        return None
    if said.pair.derived.sha256 != said.images[0].sha256:
        sides = ("source", "derived")
    first, second = (np.array(points["overlap"][side], np.float64) for side in sides)
    return Overlap(first, second, (points["coverage"][sides[0]], points["coverage"][sides[1]]))


def _matrix(said: Explanation) -> Matrix:
    """From the first image to the second, where boxes and orientations say how they lie."""
    if said.identical:
        return np.eye(3)
    if said.pair is not None:
        matrix, starts = _of_match(said.pair)
    else:
        matrix, starts = _of_ruling(said)
    straight = starts == said.images[0].sha256
    return matrix if straight else np.asarray(np.linalg.inv(matrix), np.float64)


def _of_match(pair: PairView) -> tuple[Matrix, str]:
    """A map, and the sha256 of the image that it starts from."""
    inner = pair.derived if derived_inside(pair) else pair.source
    return placed(pair), inner.sha256


def _of_ruling(said: Explanation) -> tuple[Matrix, str]:
    first, second = sorted(image.sha256 for image in said.images)
    if said.judged is None:
        return np.eye(3), first
    alignment = said.judged.ruling.alignment
    if alignment is None:
        return whole(said.judged.ruling.distance.orientation), second
    if alignment.inside is None:
        return whole(alignment.orientation), second
    return within(alignment.inside.box), first if alignment.inside.inner_first else second
