"""Where a pair's changed cells lie on what both of its pictures show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ris_jobs.match.cells import GRID, unpacked
from ris_jobs.match.geometry import project
from ris_jobs.report.explanation import Explanation
from ris_jobs.report.overlay import Overlay
from ris_jobs.report.views import PairView

__all__ = ["changed_places"]

Mask = npt.NDArray[np.bool_]


def changed_places(said: Explanation, laid: Overlay, side: int) -> Mask | None:
    """Which pixels of the squares (side, side) of :func:`ris_jobs.match.geometry.squares` lie in
    cells that differ; None where the row does not say: it is of an earlier version, its previews
    were gone, or there is none."""
    seen = said.pair and said.pair.evidence.get("pixels")
    if said.pair is None or not seen or "changed_cells" not in seen:
        return None
    box = np.array(seen["cells_of"]["box"]).reshape(2, 2)
    places = _places(laid, side, in_first=_is_first(said, said.pair, seen["cells_of"]["picture"]))
    cells = np.floor((places - box[0]) / (box[1] - box[0]) * GRID)
    # What is found again lies a little off.
    column, row = cells.clip(0, GRID - 1).astype(int).T
    return np.asarray(unpacked(seen["changed_cells"])[row, column].reshape(side, side))


def _is_first(said: Explanation, pair: PairView, picture: str) -> bool:
    """Whether that side of the pair is the image that was asked for first."""
    side = pair.derived if picture == "derived" else pair.source
    return side.sha256 == said.images[0].sha256


def _places(laid: Overlay, side: int, *, in_first: bool) -> npt.NDArray[np.float64]:
    """Where the pixels of the squares, row by row, lie in the first picture or the second: (n, 2),
    fractions."""
    shared, matrix = laid.shared, laid.registration.matrix
    framed_by_first = shared.coverage[0] >= shared.coverage[1]
    polygon = shared.first if framed_by_first else shared.second
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    middles = (np.arange(side) + 0.5) / side
    pixels = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2)
    places = np.asarray(low + pixels * (high - low), np.float64)
    if in_first is framed_by_first:
        return places
    forth = matrix if framed_by_first else np.asarray(np.linalg.inv(matrix), np.float64)
    return project(forth, places)
