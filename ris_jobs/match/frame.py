"""Plain margins that two pictures share: borders and bars agree whatever they surround."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ris_jobs.match.containment import Box, cut
from ris_jobs.match.orientation import turn
from ris_jobs.match.pixels import Evidence, View, compare, view

__all__ = ["content", "within_shared_frame"]

# Grey values over which a line of one colour may spread (JPEG leaves some ringing), and the
# fraction of a side below which a margin does not matter.
_PLAIN = 20
_NARROW = 0.02


def within_shared_frame(first: View, second: View, orientation: int) -> Evidence | None:
    """The two pictures compared without the margins that both have, ``second`` after the
    transform ``orientation``; None where they share no margin."""
    turned = np.ascontiguousarray(turn(second.picture, orientation))
    a, b = content(first.picture), content(turned)
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    if max(box[0], box[1], 1 - box[2], 1 - box[3]) < _NARROW:
        return None
    return compare(view(cut(first.picture, box)), view(cut(turned, box)))


def content(picture: npt.NDArray[np.uint8]) -> Box:
    """The box (fractions) inside the plain margins of uint8 (h, w, 3); all of a flat picture."""
    x0, x1 = _busy(picture, 0)
    y0, y1 = _busy(picture, 1)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else (0.0, 0.0, 1.0, 1.0)


def _busy(picture: npt.NDArray[np.uint8], along: int) -> tuple[float, float]:
    """From the first to the last line that is not of one colour, as fractions; lines run along
    axis 0 or 1."""
    low, high = (cv2.reduce(picture, along, kind) for kind in (cv2.REDUCE_MIN, cv2.REDUCE_MAX))
    spread = (high - low).reshape(-1, picture.shape[2]).max(axis=1)
    places = np.flatnonzero(spread > _PLAIN)
    if not len(places):
        return 0.0, 0.0
    return float(places[0] / len(spread)), float((places[-1] + 1) / len(spread))
