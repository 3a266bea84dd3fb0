"""A box to a part of a pixel: where fine texture is laid half a pixel off, it agrees no more.

What lies in the box is laid on the picture that shows in it by maximising their correlation (ECC:
Evangelidis and Psarakis, "Parametric Image Alignment Using Enhanced Correlation Coefficient
Maximization", PAMI 2008).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.containment import Box, cut
from ris_jobs.match.pixels import KEPT, SIDE, View

__all__ = ["refined", "sampled"]

Rgb = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float32]

# What lies there comes near in fewer steps; what does not goes on for ever.
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 8, 1e-4)
# How much of a part's size shear may move its far edge by, lest it be no box.
_SHEAR = 0.02
# The shorter side of a part, pixels: less does not say where it lies, and more is compared so
# coarsely that a pixel does not matter.
_SMALLEST, _LARGEST = 8, 2 * SIDE
# What lies further outside, pixels, does not show all of the part.
_BEYOND = 1.0
_WHOLE = 1e-4


def refined(inner: View, outer: View, box: Box) -> Box | None:
    """The box (fractions) near this one of what ``outer`` shows of all of ``inner``; None where
    none is found, the pictures lie askew, or so large a part needs none."""
    plane = outer.luma(KEPT)
    height, width = plane.shape
    corner = np.array([box[0] * width, box[1] * height])
    spanned = np.array([box[2] * width, box[3] * height]) - corner
    size = (round(spanned[0]), round(spanned[1]))
    if not _SMALLEST <= min(size) <= _LARGEST:
        return None
    part = cv2.resize(inner.luma(KEPT), size, interpolation=cv2.INTER_AREA)
    start = _placed(corner, spanned / size)
    try:
        _, found = cv2.findTransformECC(part, plane, start, cv2.MOTION_AFFINE, _STEPS)
    except cv2.error:  # It does not converge.
        return None
    (scale_x, skew_x, left), (skew_y, scale_y, top) = found.tolist()
    if max(abs(skew_x) * size[1] / size[0], abs(skew_y) * size[0] / size[1]) > _SHEAR:
        return None
    # What shear is left moves the middle of the first column and of the first row.
    x = left + skew_x * (size[1] - 1) / 2 + 0.5 - scale_x / 2
    y = top + skew_y * (size[0] - 1) / 2 + 0.5 - scale_y / 2
    far_x, far_y = x + scale_x * size[0], y + scale_y * size[1]
    if min(x, y, width - far_x, height - far_y) < -_BEYOND or min(scale_x, scale_y) <= 0:
        return None
    edges = x / width, y / height, far_x / width, far_y / height
    x0, y0, x1, y1 = (min(1.0, max(0.0, edge)) for edge in edges)
    return x0, y0, x1, y1


def sampled(picture: Rgb, box: Box) -> Rgb:
    """The part of ``picture`` (h, w, 3) inside ``box``, of about as many pixels, which are
    interpolated where the box is not of whole ones."""
    shape = np.array(picture.shape[1::-1])
    edges = np.array(box).reshape(2, 2) * shape
    if np.abs(edges - edges.round()).max() < _WHOLE:
        return cut(picture, box)
    spanned = edges[1] - edges[0]
    size = np.maximum(1, spanned.round().astype(int))
    matrix = _placed(edges[0], spanned / size)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    wide, high = size.tolist()
    border = cv2.BORDER_REPLICATE
    part = cv2.warpAffine(picture, matrix, (wide, high), flags=flags, borderMode=border)
    return np.asarray(part, np.uint8)


def _placed(corner: npt.NDArray[np.float64], scale: npt.NDArray[np.float64]) -> Matrix:
    """The (2, 3) map from pixels of a part to those of the picture in which its ``corner`` (x, y)
    lies there; OpenCV counts from the middle of the first pixel."""
    shift = corner + scale / 2 - 0.5
    return np.array([[scale[0], 0, shift[0]], [0, scale[1], shift[1]]], np.float32)
