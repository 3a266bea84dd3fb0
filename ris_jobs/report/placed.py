"""How the two pictures of a pair lie on each other."""

from __future__ import annotations

import numpy as np

from ris_jobs.match.containment import Box
from ris_jobs.match.geometry import Matrix
from ris_jobs.match.placement import bounds, whole, within
from ris_jobs.report.views import PairView

__all__ = ["derived_inside", "placed"]


def derived_inside(pair: PairView) -> bool:
    """Whether the derived picture lies in the source, so that the pair's box is one of the source.
    True for pairs without a box, too: the whole of one is laid on the whole of the other."""
    inner = (pair.evidence.get("inside") or {}).get("inner")
    return pair.box is None or (inner == "derived" if inner else pair.relation == "crop")


def placed(pair: PairView) -> Matrix:
    """(3, 3), from the inner picture to the outer, both in fractions of their sides; the derived
    one is the inner where :func:`derived_inside` says so."""
    turned = whole(pair.orientation)
    upright = np.linalg.inv(turned) if derived_inside(pair) else turned
    if pair.box is None:
        return np.asarray(upright, np.float64)
    shown = np.linalg.inv(within(_shown(pair)))
    return np.asarray(within(pair.box) @ upright @ shown, np.float64)


def _shown(pair: PairView) -> Box:
    """The part of the inner picture that shows in the pair's box: all of it, unless keypoints tell
    of less."""
    points = pair.evidence.get("keypoints") or {}
    if not points.get("straight") or "overlap" not in points:
        return 0.0, 0.0, 1.0, 1.0
    return bounds(np.array(points["overlap"]["derived" if derived_inside(pair) else "source"]))
