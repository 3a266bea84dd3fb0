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


def parallax(registration: Registration, first: tuple[int, int], second: tuple[int, int]) -> float:
    """How far neighbouring keypoints lie off the best map together, the mean of both ways: root
    mean product of what is left, in pixels of the planes (width, height) that keypoints were found
    in; 0 where neighbours have nothing in common."""
    back = registration.inverse()
    ways = _parallax(registration, first, second), _parallax(back, second, first)
    return sum(ways) / 2


def _parallax(registration: Registration, first: tuple[int, int], second: tuple[int, int]) -> float:
    left = _left(registration, second)
    distances = _distances(registration.first * first)
    distances[distances <= _ONE_PLACE] = np.inf
    near = np.argsort(distances, axis=1, kind="stable")[:, :_NEIGHBOURS]
    known = np.isfinite(np.take_along_axis(distances, near, axis=1))
    products = (left[:, None] * left[near]).sum(axis=2)
    return float(np.sqrt(max(0.0, products[known].mean()))) if known.any() else 0.0


def _left(registration: Registration, size: tuple[int, int]) -> Floats:
    """What no map of the plane explains of the places in the second picture, (n, 2) pixels: the
    registration's own may be off by more than keypoints are."""
    mapped = project(registration.matrix, registration.first)
    off = ((mapped - registration.second) * size).ravel()
    ways = (_ways(mapped) * size).reshape(8, -1).T
    explained = ways @ np.linalg.lstsq(ways, off)[0]
    return np.asarray((off - explained).reshape(-1, 2), np.float64)


def _ways(places: Floats) -> Floats:
    """How places (n, 2) move with each of the eight parameters of a homography, (8, n, 2)."""
    x, y = places.T
    one, none = np.ones_like(x), np.zeros_like(x)
    affine = [(one, none), (x, none), (y, none), (none, one), (none, x), (none, y)]
    return np.array([*affine, (x * x, x * y), (x * y, y * y)]).transpose(0, 2, 1)


def _distances(points: Floats) -> Floats:
    """Of (n, 2) points, (n, n)."""
    apart = points[:, None] - points[None]
    return np.asarray(np.hypot(apart[..., 0], apart[..., 1]), np.float64)
