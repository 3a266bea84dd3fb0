"""How far probabilities can be taken at their word, as figures, a table and a picture.

Expected calibration error: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities
using Bayesian binning", AAAI 2015; the diagram: DeGroot and Fienberg, "The comparison and
evaluation of forecasters", 1983.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

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


def bins(chance: Floats, truth: Floats, weight: Floats) -> list[Bin]:
    """The bins that hold pairs; all arrays are (pairs,), ``truth`` is 1 for copies."""
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


def plot(named: Mapping[str, Sequence[Bin]], picture: Path) -> None:
    """Writes a PNG: a panel for each name, marks as large as the pairs are many."""
    figure = Figure(figsize=(4.6 * len(named), 4.8), layout="constrained")
    for axes, (name, found) in zip(
        np.ravel(figure.subplots(1, len(named), sharey=True)), named.items(), strict=True
    ):
        axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1)
        said, true = [one.said for one in found], [one.true for one in found]
        axes.plot(said, true, color="#D55E00", linewidth=1.2)
        sizes = [20 + 60 * np.log10(one.pairs) for one in found]
        axes.scatter(said, true, sizes, color="#D55E00", zorder=3)
        for one in found:
            at = (one.said, one.true)
            axes.annotate(f"{one.pairs:,}", at, (10, -12), textcoords="offset points", fontsize=8)
        axes.set(xlabel="probability", xlim=(-0.03, 1.08), ylim=(-0.08, 1.05))
        axes.set_title(f"{name}: error {error(found):.4f}", fontsize=10)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("share of copies (with how many pairs)")
    figure.savefig(picture, dpi=110)


def _bin(
    low: float, inside: npt.NDArray[np.bool_], chance: Floats, truth: Floats, weight: Floats
) -> Bin:
    said, true = (float(np.average(v[inside], weights=weight[inside])) for v in (chance, truth))
    share = float(weight[inside].sum() / weight.sum())
    return Bin(float(low), int(inside.sum()), share, said, true)
