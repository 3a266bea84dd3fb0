"""How far probabilities can be taken at their word, as figures and a table.

Expected calibration error: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities
using Bayesian binning", AAAI 2015.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs whose probability lies between ``low`` and the next bin's: how many there are, which
    ``share`` of all pairs of a scan they stand for, their mean probability ``said``, and the share
    ``true`` of copies among them; all 0–1 but ``pairs``."""

    low: float
    pairs: int
    share: float
    said: float
    true: float


def bins(chance: Floats, truth: Floats, weight: Floats | None = None) -> list[Bin]:
    """The bins that hold pairs; all arrays are (pairs,), ``truth`` is 1 for copies. Pairs weigh the
    same unless ``weight`` is given."""
    weight = np.ones_like(chance) if weight is None else weight
    places = np.minimum((chance * BINS).astype(int), BINS - 1)
    return [_bin(n / BINS, places == n, chance, truth, weight) for n in np.unique(places)]


def error(found: Sequence[Bin]) -> float:
    """The expected calibration error, 0–1."""
    return sum(one.share * abs(one.said - one.true) for one in found)


def table(found: Sequence[Bin]) -> Iterator[str]:
    for one in found:
        band = f"{one.low:.1f}–{one.low + 1 / BINS:.1f}"
        yield f"  {band}  {one.pairs:6d} pairs  said {one.said:.3f}  true {one.true:.3f}"
    pairs = sum(one.pairs for one in found)
    yield f"  expected calibration error {error(found):.4f} over {pairs} pairs"


def _bin(
    low: float, inside: npt.NDArray[np.bool_], chance: Floats, truth: Floats, weight: Floats
) -> Bin:
    said, true = (float(np.average(v[inside], weights=weight[inside])) for v in (chance, truth))
    share = float(weight[inside].sum() / weight.sum())
    return Bin(float(low), int(inside.sum()), share, said, true)
