"""Where places of one picture lie in another, as maps between fractions of their sides."""

from __future__ import annotations

import numpy as np

from ris_jobs.match.containment import Box
from ris_jobs.match.geometry import Matrix, Points
from ris_jobs.match.orientation import swaps_sides

__all__ = ["bounds", "turning", "whole", "within"]


def turning(orientation: int) -> Matrix:
    """(2, 2), how :func:`ris_jobs.match.orientation.turn` moves places around the centre."""
    matrix = np.array([[0, 1], [1, 0]]) if swaps_sides(orientation) else np.eye(2)
    flips = [-1 if orientation in values else 1 for values in ((2, 3, 6, 7), (3, 4, 7, 8))]
    return np.asarray(np.diag(flips) @ matrix, np.float64)


def whole(orientation: int) -> Matrix:
    """(3, 3), from a picture to what the transform ``orientation`` (EXIF 1–8) makes of it."""
    turned, centre = turning(orientation), np.array([0.5, 0.5])
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turned, centre - turned @ centre
    return matrix


def within(box: Box) -> Matrix:
    """(3, 3), from a picture to the one in whose ``box`` (x0, y0, x1, y1) all of it shows."""
    x0, y0, x1, y1 = box
    return np.array([[x1 - x0, 0, x0], [0, y1 - y0, y0], [0, 0, 1]], np.float64)


def bounds(polygon: Points) -> Box:
    """The box around places (k, 2) of a picture, fractions, as far as it lies in the picture."""
    low, high = np.clip(polygon.min(axis=0), 0, 1), np.clip(polygon.max(axis=0), 0, 1)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
