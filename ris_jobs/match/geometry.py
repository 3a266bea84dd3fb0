"""Geometric verification: the map that lays one picture onto another, found by local features.

SIFT keypoints (Lowe, "Distinctive image features from scale-invariant keypoints", 2004) with
RootSIFT (Arandjelović and Zisserman, CVPR 2012) are paired by mutual nearest neighbours and the
ratio test, and an affine map or a homography is fitted by MAGSAC++ (Barath et al., CVPR 2020). A
mirrored picture is found by reordering its descriptors (Zhao and Ngo, "Flip-invariant SIFT for
copy and object detection", TIP 2013). Whether what overlaps shows the same is told by comparing it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

__all__ = [
    "COUNT",
    "STEPS",
    "Keypoints",
    "Overlap",
    "Registration",
    "Squares",
    "keypoints",
    "overlap",
    "plane",
    "recipe",
    "register",
    "squares",
]

Rgb = npt.NDArray[np.uint8]
Bytes = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Values = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Squares = tuple[Rgb, Rgb, npt.NDArray[np.bool_]]
"""As of :func:`squares`."""

# Long side that keypoints are looked for at, and what smaller pictures are enlarged to, pixels.
_SIDE, _LEAST_SIDE = 480, 240
_CONTRAST = 0.02
COUNT = 800
"""The most keypoints of a picture."""
STEPS = 64
"""To which part of a pixel their places are told."""
_RATIO = 0.8
_FEWEST = 6
# Pixels of the planes within which MAGSAC counts a pair fully.
_NEAR = 3.0
# A homography has two more degrees of freedom than an affine map and must explain more, of what
# lies nearer than MAGSAC asks.
_BETTER, _MORE, _NEARER = 1.15, 4, 1.0
# Linear scale and stretch beyond which a map is no edit.
_SCALE, _STRETCH = 20.0, 3.0
_SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


@dataclass(frozen=True, slots=True)
class Keypoints:
    """``places`` uint16 (n, 2) in 1/64 pixels of a plane of ``size`` (width, height), and SIFT
    ``descriptors`` uint8 (n, 128)."""

    places: npt.NDArray[np.uint16]
    descriptors: Bytes
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Registration:
    """``matrix`` (3, 3) maps places of the first picture to places of the second, both as
    fractions (x, y) of the picture. Of the keypoints that matched those at ``first`` and
    ``second``, (n, 2) fractions likewise, agree with it, and those at ``off`` of the first and of
    the second picture do not."""

    matrix: Matrix
    first: Points
    second: Points
    off: tuple[Points, Points]

    @property
    def inliers(self) -> int:
        """How many keypoints agree."""
        return len(self.first)

    @property
    def matched(self) -> int:
        """How many keypoints look alike, wherever they are."""
        return len(self.first) + len(self.off[0])

    def inverse(self) -> Registration:
        """The same from the second picture to the first."""
        back = np.linalg.inv(self.matrix)
        return Registration(back / back[2, 2], self.second, self.first, self.off[::-1])


@dataclass(frozen=True, slots=True)
class Overlap:
    """What both pictures show: a convex polygon, float64 (k, 2), in fractions of the ``first`` and
    of the ``second``, and which share of each picture, 0–1, it covers."""

    first: Points
    second: Points
    coverage: tuple[float, float]


def keypoints(picture: Rgb) -> Keypoints:
    """The strongest keypoints of a picture, uint8 (h, w, 3)."""
    grey, size = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), plane(picture)
    if size != grey.shape[::-1]:
        method = cv2.INTER_AREA if max(size) < max(grey.shape) else cv2.INTER_CUBIC
        grey = cv2.resize(grey, size, interpolation=method)
    sift = cv2.SIFT.create(COUNT, contrastThreshold=_CONTRAST)
    found, values = sift.detectAndCompute(grey, None)
    if values is None:
        return Keypoints(np.empty((0, 2), np.uint16), np.empty((0, 128), np.uint8), size)
    # OpenCV counts from the middle of the first pixel, and adds ties with the last; its
    # descriptors are whole numbers.
    pixels = np.array([point.pt for point in found[:COUNT]]) + 0.5
    places = np.round(pixels * STEPS).astype(np.uint16)
    return Keypoints(places, values[:COUNT].astype(np.uint8), size)


def plane(picture: Rgb) -> tuple[int, int]:
    """The (width, height) at which keypoints of a picture, uint8 (h, w, 3), are looked for."""
    longest = max(picture.shape[:2])
    scale = min(_SIDE, max(_LEAST_SIDE, longest)) / longest
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return width, height


def recipe() -> str:
    """How keypoints are made, in words: by another recipe they may differ."""
    return f"{_SIDE} {_LEAST_SIDE} {COUNT} {_CONTRAST} {STEPS} OpenCV {cv2.__version__}"


def register(first: Keypoints, second: Keypoints) -> Registration | None:
    """The map that most keypoints agree with, upright or mirrored; None where there is none."""
    if min(len(first.places), len(second.places)) < _FEWEST:
        return None
    one, two = _rooted(first.descriptors), _rooted(second.descriptors)
    pairs = max(_paired(one, two), _paired(one, two[:, _MIRRORED]), key=len)
    if len(pairs) < _FEWEST:
        return None
    p = first.places[pairs[:, 0]].astype(np.float32) / np.float32(STEPS)
    q = second.places[pairs[:, 1]].astype(np.float32) / np.float32(STEPS)
    found = _fitted(p, q)
    if found is None:
        return None
    pixels, near = found
    if not _sound(pixels, first):
        return None
    matrix = np.diag([1 / second.size[0], 1 / second.size[1], 1]) @ pixels
    matrix = matrix @ np.diag([first.size[0], first.size[1], 1.0])
    at, to = (
        np.asarray(places / np.array(keys.size), np.float64)
        for places, keys in ((p, first), (q, second))
    )
    return Registration(matrix / matrix[2, 2], at[near], to[near], (at[~near], to[~near]))


def overlap(registration: Registration) -> Overlap | None:
    """What both pictures show; None where that is nothing."""
    second = _clipped(project(registration.matrix, _SQUARE))
    if len(second) < 3:
        return None
    first = np.clip(project(np.asarray(np.linalg.inv(registration.matrix)), second), 0, 1)
    return Overlap(first, second, (_area(first), _area(second)))


def project(matrix: Matrix, points: Points) -> Points:
    """(k, 2) points through a (3, 3) map."""
    moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


def squares(
    first: Rgb, second: Rgb, registration: Registration, shared: Overlap, side: int
) -> Squares:
    """What both pictures show as squares (side, side, 3) that lie on each other, and where (side,
    side) both show it. They are framed by the picture that shows more of itself."""
    inner_first = shared.coverage[0] >= shared.coverage[1]
    polygon = shared.first if inner_first else shared.second
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    frame = np.array([[high[0] - low[0], 0, low[0]], [0, high[1] - low[1], low[1]], [0, 0, 1]])
    forth = registration.matrix if inner_first else np.linalg.inv(registration.matrix)
    inner, outer = (first, second) if inner_first else (second, first)
    one, two = _sampled(inner, frame, side), _sampled(outer, forth @ frame, side)
    corners = (polygon - low) / (high - low) * side
    mask = np.zeros((side, side), np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    return (one, two, mask > 0) if inner_first else (two, one, mask > 0)


def _clipped(polygon: Points) -> Points:
    """What of a convex polygon lies in the unit square (Sutherland and Hodgman, "Reentrant polygon
    clipping", 1974); no points where nothing does."""
    for axis, bound, side in ((0, 0, 1), (0, 1, -1), (1, 0, 1), (1, 1, -1)):
        if not len(polygon):
            break
        depth = side * (polygon[:, axis] - bound)
        kept = []
        for n, point in enumerate(polygon):
            before, last = polygon[n - 1], depth[n - 1]
            if (depth[n] >= 0) != (last >= 0):
                kept.append(before + (point - before) * (last / (last - depth[n])))
            if depth[n] >= 0:
                kept.append(point)
        polygon = np.array(kept, np.float64).reshape(-1, 2)
    return polygon


def _area(polygon: Points) -> float:
    """Of the unit square, 0–1, by the shoelace formula."""
    x, y = polygon.T
    twice = float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))
    return min(1.0, twice / 2)


def _rooted(descriptors: Bytes) -> Values:
    """RootSIFT: float32 (n, 128) with unit rows."""
    values = descriptors.astype(np.float32)
    sums = np.maximum(values.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.sqrt(values / sums), np.float32)


def _paired(one: Values, two: Values) -> npt.NDArray[np.int64]:
    """Rows (a, b) of mutual nearest neighbours, each clearly nearer than the second nearest."""
    # NumPy's BLAS knows more processors than OpenCV's, and takes a quarter of its time. Whoever
    # judges many pairs lets it have one thread: more would wait for each other busily.
    similarity = one @ two.T
    forth, clear = _nearest(similarity)
    rows, columns = np.flatnonzero(clear), forth[clear]
    # Few are clear: only these are looked at from the other side.
    back, clear_back = _nearest(np.ascontiguousarray(similarity[:, columns].T))
    kept = clear_back & (back == rows)
    return np.stack([rows[kept], columns[kept]], axis=1)


def _nearest(similarity: Values) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The nearest column of each row, and whether it passes the ratio test."""
    rows, nearest = np.arange(len(similarity)), similarity.argmax(axis=1)
    best = similarity[rows, nearest]
    # Taken out for a moment, which is many times faster than sorting; no cosine is below -1.
    similarity[rows, nearest] = -2
    second = similarity.max(axis=1)
    similarity[rows, nearest] = best
    # Of unit vectors the squared distance is 2 - 2 times the cosine.
    return nearest, 1 - best < _RATIO**2 * (1 - second)


def _fitted(p: Values, q: Values) -> tuple[Matrix, npt.NDArray[np.bool_]] | None:
    """The map from ``p`` to ``q``, (n, 2) each, and which of them (n,) agree with it."""
    method, tries, sure = cv2.USAC_MAGSAC, 1000, 0.999
    affine, near = cv2.estimateAffine2D(
        p, q, method=method, ransacReprojThreshold=_NEAR, maxIters=tries, confidence=sure
    )
    straight = None if affine is None else np.vstack([affine, [0, 0, 1]]).astype(np.float64)
    enough = _BETTER * _explained(straight, p, q) + _MORE
    if len(p) > enough:
        found, close = cv2.findHomography(p, q, method, _NEAR, maxIters=tries, confidence=sure)
        full = None if found is None else np.asarray(found, np.float64)
        if _explained(full, p, q) > enough:
            return full, close.ravel() > 0
    if straight is None or int(near.sum()) < _FEWEST:
        return None
    return straight, near.ravel() > 0


def _explained(matrix: Matrix | None, p: Values, q: Values) -> int:
    """How many of ``p`` a map brings near to their ``q``."""
    if matrix is None:
        return 0
    off = project(matrix, p.astype(np.float64)) - q
    return int((np.linalg.norm(off, axis=1) < _NEARER).sum())


def _sound(matrix: Matrix, first: Keypoints) -> bool:
    """Whether a map, in pixels, keeps the corners of the first picture in order and its shape
    nearly so."""
    corners = _SQUARE * np.array(first.size)
    if np.ptp(np.sign(np.column_stack([corners, np.ones(4)]) @ matrix[2])) > 0:
        return False
    moved = project(matrix, corners)
    edges = np.linalg.norm(np.roll(moved, -1, axis=0) - moved, axis=1)
    scales = edges / np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    convex = bool(cv2.isContourConvex(moved.astype(np.float32)))
    spread = cv2.contourArea(moved.astype(np.float32)) / (first.size[0] * first.size[1])
    return (
        convex
        # Edges keep their length where a picture is laid flat on one line, too.
        and spread > float(scales.min()) ** 2 / _STRETCH
        and scales.min() > 1 / _SCALE
        and scales.max() < min(_SCALE, _STRETCH * float(scales.min()))
    )


def _sampled(picture: Rgb, frame: Matrix, side: int) -> Rgb:
    """(side, side, 3): what ``frame`` maps the unit square to, in fractions of the picture."""
    height, width = picture.shape[:2]
    corners = project(frame, _SQUARE) * np.array([width, height])
    edges = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    # Reduced first, so that hardly more than one pixel falls on a sample.
    scale = min(1.0, side / max(1.0, float(edges.max())))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = picture.shape[:2]
    # Samples lie in the middle of their cells, as pixels do.
    cells = np.array([[1 / side, 0, 0.5 / side], [0, 1 / side, 0.5 / side], [0, 0, 1]])
    pixels = np.array([[width, 0, -0.5], [0, height, -0.5], [0, 0, 1]])
    matrix = pixels @ frame @ cells
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    warped = cv2.warpPerspective(picture, matrix, (side, side), flags=flags, borderMode=border)
    return np.asarray(warped, np.uint8)


def _mirrored() -> npt.NDArray[np.int64]:
    """Where each of the 128 values stands after mirroring along the keypoint's direction."""
    row, column, angle = np.meshgrid(range(4), range(4), range(8), indexing="ij")
    return np.asarray(((3 - row) * 4 + column) * 8 + (8 - angle) % 8).ravel()


_MIRRORED = _mirrored()
