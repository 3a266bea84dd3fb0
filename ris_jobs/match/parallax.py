"""Whether two pictures are two views of one scene rather than copies.

What is nearer moves more from one view to the next, so what the best map of the plane leaves of
the keypoints' places is shared by neighbours. A copy leaves only errors of finding them, which each
keypoint has its own (plane and parallax: Irani and Anandan, "Parallax geometry of pairs of points
for 3D scene analysis", ECCV 1996).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ris_jobs.match.geometry import Registration, project

__all__ = ["parallax"]

Floats = npt.NDArray[np.float64]

_NEIGHBOURS = 4
# Pixels within which two keypoints are one place, found twice.
_ONE_PLACE = 2.0
# Pixels off the map beyond which a keypoint is another thing that looks alike, and those from
# which a keypoint says no more, lest two that do so by chance outweigh all others.
_BEYOND, _MOST = 20.0, 0.5


def parallax(registration: Registration, first: tuple[int, int], second: tuple[int, int]) -> float:
    """How far neighbouring keypoints lie off the best map together, the mean of both ways: root
    mean product of what is left, of which no keypoint counts more than half a pixel, in pixels
    (0–0.5) of the planes (width, height) that keypoints were found in; 0 where neighbours have
    nothing in common."""
    back = registration.inverse()
    ways = _parallax(registration, first, second), _parallax(back, second, first)
    return sum(ways) / 2


def _parallax(registration: Registration, first: tuple[int, int], second: tuple[int, int]) -> float:
    places = np.concatenate([registration.first, registration.off[0]])
    left = _left(registration, places, second)
    length = np.hypot(*left.T)
    near = length <= _BEYOND
    left *= np.minimum(1, _MOST / np.maximum(length, _MOST))[:, None]
    return _shared(places[near] * first, left[near])


def _shared(places: Floats, left: Floats) -> float:
    """Root mean product of what is ``left`` (n, 2) of neighbours among ``places`` (n, 2)."""
    distances = _squared_distances(places)
    distances[distances <= _ONE_PLACE**2] = np.inf
    near = np.argpartition(distances, min(_NEIGHBOURS, len(places)) - 1, axis=1)[:, :_NEIGHBOURS]
    known = np.isfinite(np.take_along_axis(distances, near, axis=1))
    products = (left[:, None] * left[near]).sum(axis=2)
    return float(np.sqrt(max(0.0, products[known].mean()))) if known.any() else 0.0


def _left(registration: Registration, places: Floats, size: tuple[int, int]) -> Floats:
    """What no map of the plane explains of where ``places`` (n, 2) lie in the second picture,
    (n, 2) pixels: the registration's own may be off by more than keypoints are. The map is that
    of the keypoints that agree, which come first."""
    mapped = project(registration.matrix, places)
    off = (mapped - np.concatenate([registration.second, registration.off[1]])) * size
    ways = (_ways(mapped) * size).transpose(1, 2, 0)
    agree = slice(registration.inliers)
    fitted = np.linalg.lstsq(ways[agree].reshape(-1, 8), off[agree].ravel())[0]
    return np.asarray(off - ways @ fitted, np.float64)


def _ways(places: Floats) -> Floats:
    """How places (n, 2) move with each of the eight parameters of a homography, (8, n, 2)."""
    x, y = places.T
    one, none = np.ones_like(x), np.zeros_like(x)
    affine = [(one, none), (x, none), (y, none), (none, one), (none, x), (none, y)]
    return np.array([*affine, (x * x, x * y), (x * y, y * y)]).transpose(0, 2, 1)


def _squared_distances(points: Floats) -> Floats:
    """Of (n, 2) points, (n, n)."""
    x, y = (along[:, None] - along for along in points.T)
    return np.asarray(x * x + y * y, np.float64)
