"""How far probabilities can be taken at their word, as a picture.

A reliability diagram: DeGroot and Fienberg, "The comparison and evaluation of forecasters", 1983.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.reliability import Bin, error

__all__ = ["plot"]


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
