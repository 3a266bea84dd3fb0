"""Where a picture was changed: the cells that differ, as they lie in one picture of a pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_jobs.match.alignment import Alignment
from ris_jobs.match.cells import packed, unpacked
from ris_jobs.match.containment import Box
from ris_jobs.match.orientation import inverse, turn
from ris_jobs.match.placement import bounds

__all__ = ["Changed", "changed", "shown_box"]

_ALL: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Changed:
    """``cells`` as of :func:`ris_jobs.match.cells.packed`: they part the ``box`` (fractions) of the
    first picture or of the second, upright, in 16 × 16. Where only a part of the box shows in both
    the rest has not changed."""

    cells: str
    of_first: bool
    box: Box


def changed(alignment: Alignment, *, of_first: bool) -> Changed | None:
    """As they lie in the first picture or the second; in the other one where one of the two is
    bent and that is the one that all was laid on. None where previews are gone."""
    if alignment.pixels is None:
        return None
    cells, on_first = alignment.pixels.changed_cells, _on_first(alignment)
    if of_first is not on_first and not alignment.bent:
        turned = alignment.orientation if of_first else inverse(alignment.orientation)
        cells, on_first = packed(turn(unpacked(cells), turned)), of_first
    return Changed(cells, on_first, shown_box(alignment, of_first=on_first))


def _on_first(alignment: Alignment) -> bool:
    """Whether the pictures were compared as the first lies: as :func:`ris_jobs.match.geometry.
    squares` has it, or :func:`ris_jobs.match.pixels.lay`."""
    found, inside = alignment.verified, alignment.inside
    if found is not None:
        return found.coverage[0] >= found.coverage[1]
    return inside is None or inside.inner_first


def shown_box(alignment: Alignment, *, of_first: bool) -> Box:
    """The bounds, in the first picture or the second, of what both show."""
    found, inside = alignment.verified, alignment.inside
    if found is not None:
        return bounds(np.array(found.first if of_first else found.second))
    return _ALL if inside is None or inside.inner_first is of_first else inside.box
