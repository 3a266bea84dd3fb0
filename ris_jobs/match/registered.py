"""Alignment by keypoints: of pictures that are tilted or in perspective, of small crops, and of
what was pasted into another picture. One is warped onto the other and what overlaps compared."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.alignment import Alignment, Inside, Verified
from ris_jobs.match.collage import cell
from ris_jobs.match.containment import around, surround
from ris_jobs.match.detail import detailed
from ris_jobs.match.geometry import (
    Matrix,
    Points,
    Registration,
    overlap,
    plane,
    project,
    squares,
)
from ris_jobs.match.orientation import ORIENTATIONS
from ris_jobs.match.parallax import parallax
from ris_jobs.match.pixels import KEPT, SIDE, compare, view
from ris_jobs.match.placement import bounds, turning

__all__ = ["aligned"]

Rgb = npt.NDArray[np.uint8]

# Fewer keypoints, or less of either picture, are no evidence; what more they are worth is fitted.
_INLIERS, _COVERED = 8, 0.3
# How much must agree, and over which share of the overlap keypoints must lie, unless nearly all
# agrees: of 743 pairs of photos under one caption 2 do so much, of 248 copies 242.
_AGREEMENT, _SPREAD, _CLEARLY = 0.15, 0.15, 0.8
# Or how many keypoints, which share of those that matched, must agree over how much of it, whatever
# was laid over the rest: of 656 pairs of drawn look-alikes and 129 of other photos none do so, of
# 32 striped, covered or marked copies that do not agree enough 11.
_MANY, _NEARLY_ALL, _WIDE = 20, 0.75, 0.3
# The least side of what lies inside the other picture, as a share of that.
_THINNEST = 0.02
# The share of a picture from which all of it is in the other.
_WHOLE, _WHOLE_BENT = 0.97, 0.6
# What is around a bent picture and this plain is the ground that bending it left bare.
_BARE = 0.95
# How far an edge may lean: of 91 copies framed straight 4 seem to lean more, of 104 bent ones 101.
_STRAIGHT = 0.012


def aligned(first: Rgb, second: Rgb, registration: Registration) -> Alignment | None:
    """How two previews, uint8 (h, w, 3), lie on each other by their keypoints; None where these
    are too few or share too little."""
    shared = overlap(registration)
    if shared is None or registration.inliers < _INLIERS:
        return None
    if max(shared.coverage) < _COVERED or min(shared.coverage) < _THINNEST**2:
        return None
    inner_first = shared.coverage[0] >= shared.coverage[1]
    straight = _leaning(registration if inner_first else registration.inverse()) <= _STRAIGHT
    laid, filled = squares(first, second, registration, shared, KEPT), None
    if straight and min(shared.coverage) < _WHOLE:
        filled = cell(first, second, registration, shared, laid)
    if filled is not None:
        shared, inner_first = filled.shared, filled.cut_first
        laid = squares(first, second, registration, shared, KEPT)
    one, two, both = laid
    mask = cv2.resize(both.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0
    pixels = compare(view(one), view(two), shared=mask)
    spread = _hull(registration.first) / shared.coverage[0]
    agrees = pixels.agreement >= _AGREEMENT and spread >= _SPREAD
    if not (agrees or pixels.agreement >= _CLEARLY or _all_over(registration, spread)):
        return None
    outer, polygon = (second, shared.second) if inner_first else (first, shared.first)
    inside = None
    if not _is_whole(straight, min(shared.coverage), outer, polygon):
        box = bounds(polygon)
        if min(box[2] - box[0], box[3] - box[1]) < _THINNEST:
            return None
        beyond, cut = surround(outer, box), filled is not None
        inside = Inside(inner_first, box, pixels.agreement, beyond, cut)
    verified = Verified(
        registration.inliers,
        registration.matched,
        parallax(registration, plane(first), plane(second)),
        shared.coverage,
        _places(shared.first),
        _places(shared.second),
        straight,
    )
    pixels = detailed(pixels, one, two, both)
    middle = shared.first.mean(axis=0)
    orientation = _orientation(registration.matrix, middle, first.shape, second.shape)
    return Alignment(orientation, pixels, inside, True, verified)


def _all_over(registration: Registration, spread: float) -> bool:
    nearly_all = registration.inliers >= _NEARLY_ALL * registration.matched
    return registration.inliers >= _MANY and nearly_all and spread >= _WIDE


def _is_whole(straight: bool, share: float, outer: Rgb, polygon: Points) -> bool:
    """Whether the outer picture, of which the inner one takes a ``share``, is all the inner one:
    nearly all, or bent on bare ground."""
    if straight:
        return share >= _WHOLE
    return share >= _WHOLE_BENT or around(outer, polygon) >= _BARE


def _leaning(registration: Registration) -> float:
    """How far the edges of the first picture, laid onto the second, run off the upright, as a
    share of its bounds there."""
    corners = project(registration.matrix, np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64))
    edges = np.abs(np.roll(corners, -1, axis=0) - corners) / np.ptp(corners, axis=0)
    return float(edges.min(axis=1).max())


def _hull(points: Points) -> float:
    """The area of the convex hull of (n, 2) points, as a share of the picture."""
    return float(cv2.contourArea(cv2.convexHull(points.astype(np.float32))))


def _places(polygon: Points) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in polygon)


def _orientation(
    matrix: Matrix, middle: Points, first: tuple[int, ...], second: tuple[int, ...]
) -> int:
    """The EXIF value (1–8) of the transform that turns the second nearest to the first around
    the ``middle`` (2,) of what they share."""
    step = 1e-3
    moved = project(matrix, middle + np.array([[0, 0], [step, 0], [0, step]]))
    slope = (moved[1:] - moved[0]).T / step
    to_pixels = np.diag([second[1], second[0]]) @ slope @ np.diag([1 / first[1], 1 / first[0]])
    back = np.linalg.inv(to_pixels)
    scores = [float(np.trace(_TURNS[o].T @ back)) for o in ORIENTATIONS]
    return int(np.argmax(scores)) + 1


_TURNS = {o: turning(o) for o in ORIENTATIONS}
