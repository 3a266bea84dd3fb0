"""Draws recall against strength: one panel an edit family, one line a system."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from benchmarks.accuracy.edits import FAMILIES
from benchmarks.accuracy.results import RAW, Group, Report, Result

# Told apart in any colour vision (Okabe and Ito, "Color Universal Design", 2008, and a grey), and
# by marker.
COLOURS = (
    "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999",
    "#F0E442",
)  # fmt: skip
MARKERS = "osD^vP*X<>"
COLUMNS = 7
SHOWN = "candidates_50"
KINDS = ("encoding", "orientation", "palette")
"""Families whose variants differ in kind, not in strength: bars, as for those of one strength."""
CHAINS = "chain"


def plot(report: Report, picture: Path) -> None:
    """Writes a PNG of candidate recall@50; of the system with the best µAP also recall at
    precision 0.90, dashed, and 95 % bootstrap intervals. Scores without normalisation are left
    out."""
    systems = [found for found in report.ranked if not found.system.endswith(RAW)]
    curves, bars = _curved(systems[0]), _barred(systems[0])
    rows = ceil(len(curves) / COLUMNS)
    figure = Figure(figsize=(18, 2.2 * (rows + len(bars)) + 0.8), layout="constrained")
    grid = figure.add_gridspec(rows + len(bars), COLUMNS)
    for index, family in enumerate(curves):
        axes = figure.add_subplot(grid[index // COLUMNS, index % COLUMNS])
        _curves(axes, family, systems)
        axes.tick_params(labelleft=index % COLUMNS == 0)
    for index, (title, edits) in enumerate(bars.items()):
        _bars(figure.add_subplot(grid[rows + index, :]), title, edits, systems)
    _legend(figure, systems)
    figure.savefig(picture, dpi=110)


def _curved(found: Result) -> list[str]:
    """Families of several strengths."""
    kinds = (*KINDS, CHAINS)
    return [g.name for g in found.families if g.strength is None and g.name not in kinds]


def _barred(found: Result) -> dict[str, list[str]]:
    """All other edits, by the title of their panel."""
    curved, panels = _curved(found), dict[str, list[str]]()
    for group in found.variants:
        if group.family not in curved:
            title = "chains of edits" if group.family == CHAINS else "other edits"
            panels.setdefault(title, []).append(group.name)
    return panels


def _curves(axes: Axes, family: str, systems: Sequence[Result]) -> None:
    for index, found in reversed(list(enumerate(systems))):  # the best one on top
        variants = _by_strength(found, family)
        recall = [group.measures[SHOWN].value for group in variants]
        axes.plot(recall, **_style(index), clip_on=False)
    best = _by_strength(systems[0], family)
    shown = [group.measures[SHOWN] for group in best]
    low, high = [figure.low for figure in shown], [figure.high for figure in shown]
    axes.fill_between(range(len(best)), low, high, color=COLOURS[0], alpha=0.2, linewidth=0)
    recall = [group.measures["recall_p90"].value for group in best]
    axes.plot(recall, color=COLOURS[0], linestyle="--", linewidth=1.2)
    # Evenly spaced: from 5 to 10 % of the area is as much of a step as from 50 to 95 %.
    axes.set_xticks(range(len(best)), [f"{group.strength:.3g}" for group in best])
    axes.set_xlabel(FAMILIES[family], fontsize=8, labelpad=1)
    _frame(axes, family if any(group.trained for group in best) else f"{family} (never trained)")


def _by_strength(found: Result, family: str) -> list[Group]:
    variants = [group for group in found.variants if group.family == family]
    return sorted(variants, key=lambda group: group.strength or 0)


def _bars(axes: Axes, title: str, edits: Sequence[str], systems: Sequence[Result]) -> None:
    width = 0.8 / len(systems)
    for index, found in enumerate(systems):
        recall = {group.name: group.measures[SHOWN].value for group in found.variants}
        places = np.arange(len(edits)) + (index - (len(systems) - 1) / 2) * width
        heights = [recall[name] for name in edits]
        axes.bar(places, heights, width * 0.9, color=COLOURS[index % len(COLOURS)])
    never = {group.name for group in systems[0].variants if not group.trained}
    labels = [f"{name}\n(never trained)" if name in never else name for name in edits]
    axes.set_xticks(range(len(edits)), labels)
    axes.set_xlim(-0.5, len(edits) - 0.5)
    _frame(axes, title)


def _frame(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_ylim(0, 1)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def _legend(figure: Figure, systems: Sequence[Result]) -> None:
    lines = [Line2D([], [], label=found.system, **_style(i)) for i, found in enumerate(systems)]
    label = f"{systems[0].system}: recall at precision 0.90"
    lines.append(Line2D([], [], color=COLOURS[0], linestyle="--", label=label))
    figure.legend(
        handles=lines,
        loc="outside upper center",
        ncols=len(lines),
        frameon=False,
        title="Share of copies found among 50 candidates, by edit and its strength",
    )


def _style(index: int) -> dict[str, Any]:
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 5,
        "linewidth": 2.2 if index == 0 else 1.3,
    }
