"""Draws the frontier: accuracy against speed, and against the dimension."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from training.frontier.measure import Point
from training.frontier.networks import NETWORKS, SHIPPED
from training.frontier.report import FLOAT, Report, Trained, front

# Told apart in any colour vision: Okabe and Ito, "Color Universal Design", 2008.
_COLOURS = dict(zip(NETWORKS, ("#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#E69F00"), strict=True))
_MARKERS = dict(zip(NETWORKS, "osD^v", strict=True))
_TICKS = (1, 1.5, 2, 3, 5, 7)
_OFFSET: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": "0.25"}
_AREA = 1 / 200  # of a marker, in points², for each pixel of the input


def plot(report: Report, picture: Path) -> None:
    """Writes a PNG."""
    figure = Figure(figsize=(12.5, 6.8), layout="constrained")
    panels = figure.subplot_mosaic(
        [["weights", "dimension"], ["networks", "dimension"]],
        width_ratios=(1.7, 1),
        height_ratios=(1, 2.2),
    )
    panels["weights"].sharex(panels["networks"])
    _networks(panels["networks"], report)
    _weights(panels["weights"], report)
    _dimensions(panels["dimension"], report)
    for axes in panels.values():
        axes.set_ylabel("µAP")
        axes.margins(0.1, 0.2)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=110)


def _networks(axes: Axes, report: Report) -> None:
    best = front(report.points)
    axes.plot(*_places(best), color="0.85", linewidth=10, solid_capstyle="round", label="front")
    for network in report.networks:
        points = [point for point in report.points if point.name == network.name]
        _line(axes, points, _COLOURS[network.name], _MARKERS[network.name], _shape(network))
    chosen = [p for p in report.points if (p.name, p.size) == (SHIPPED, report.input_size)]
    axes.plot(*_places(chosen), "ko", markersize=17, fillstyle="none", label="what ships")
    views = max(network.views for network in report.networks)
    sizes = ", ".join(str(side) for side in sorted({p.size for p in report.points}))
    _title(axes, f"Trained alike, {views:,} views each; marks grow with the input: {sizes} px")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel(f"images per second, {report.machine['cpu']}, {report.threads} threads")
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def _shape(network: Trained) -> str:
    blocks = "·".join(map(str, network.depths))
    return (
        f"{network.name}\n{network.widths[0]}–{network.widths[-1]} channels\n"
        f"{blocks} blocks\n{network.parameters / 1e6:.1f} M values"
    )


def _weights(axes: Axes, report: Report) -> None:
    _line(axes, report.shipped, _COLOURS[SHIPPED], "*", report.model)
    for point in report.shipped:
        _note(axes, f"{point.size} px", point.speed, point.accuracy.uap.value)
    _title(axes, f"{report.model}: the weights that ship, from a longer run")
    axes.tick_params(labelbottom=False)


def _line(axes: Axes, points: Sequence[Point], colour: str, marker: str, label: str) -> None:
    """Markers are as large as the input."""
    axes.plot(*_places(points), color=colour, marker=marker, markersize=6, label=label)
    areas = [_AREA * point.size**2 for point in points]
    axes.scatter(*_places(points), areas, color=colour, marker=marker, zorder=3)


def _dimensions(axes: Axes, report: Report) -> None:
    values = {dim: accuracy.uap.value for dim, accuracy in report.dimensions.items()}
    whole = next(p for p in report.shipped if p.size == report.input_size).accuracy.uap.value
    axes.axhline(whole, color="0.5", linestyle="--", linewidth=1)
    axes.annotate(f"as trained: {whole:.3f}", (min(values), whole), (0, 5), **_OFFSET)
    axes.plot(list(values), list(values.values()), color=_COLOURS[SHIPPED], marker="o")
    for dim, value in values.items():
        _note(axes, f"{value:.3f}", dim, value)
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(values), [f"{dim}\n{FLOAT * dim:,} B" for dim in values], fontsize=8)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("dimension, bytes an image")
    _title(axes, f"{report.model} by principal components")


def _note(axes: Axes, text: str, x: float, y: float) -> None:
    """Beside a place of a curve."""
    axes.annotate(text, (x, y), (8, -10), **_OFFSET)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=10, loc="left")


def _places(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [p.speed for p in points], [p.accuracy.uap.value for p in points]
