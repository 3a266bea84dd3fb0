"""Draws the frontier: accuracy against speed, and against the dimension."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from training.frontier.measure import Point
from training.frontier.networks import SHIPPED
from training.frontier.report import FLOAT, Report, Trained, front

# Told apart in any colour vision: Okabe and Ito, "Color Universal Design", 2008.
_COLOURS = ("#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#E69F00")
_MARKERS = "osD^v"
_SHIPPED = "#D55E00"  # of the network it is, and of its weights
_TICKS = (1, 1.5, 2, 3, 5, 7)


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
        axes.margins(0.08, 0.15)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=110)


def _networks(axes: Axes, report: Report) -> None:
    best = front(report.points)
    axes.plot(*_places(best), color="0.85", linewidth=10, solid_capstyle="round", label="front")
    for index, network in enumerate(report.networks):
        points = [point for point in report.points if point.name == network.name]
        _line(axes, points, _COLOURS[index], _MARKERS[index], _shape(network))
    chosen = [p for p in report.points if (p.name, p.size) == (SHIPPED, report.input_size)]
    axes.plot(*_places(chosen), "ko", markersize=17, fillstyle="none", label="what ships")
    views = max(network.views for network in report.networks)
    _title(axes, f"Networks trained alike, {views:,} views each")
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
    _line(axes, report.shipped, _SHIPPED, "*", report.model)
    _title(axes, f"{report.model}: the weights that ship, from a longer run")
    axes.tick_params(labelbottom=False)


def _line(axes: Axes, points: Sequence[Point], colour: str, marker: str, label: str) -> None:
    size = 13 if marker == "*" else 7
    axes.plot(*_places(points), color=colour, marker=marker, markersize=size, label=label)
    for point in points:
        place = (point.speed, point.accuracy.uap.value)
        axes.annotate(
            f"{point.size} px", place, xytext=(0, 10), textcoords="offset points",
            ha="center", fontsize=8, color=colour,
        )  # fmt: skip


def _dimensions(axes: Axes, report: Report) -> None:
    values = {dim: accuracy.uap.value for dim, accuracy in report.dimensions.items()}
    axes.plot(list(values), list(values.values()), color=_SHIPPED, marker="o")
    for dim, value in values.items():
        axes.annotate(
            f"{value:.3f}", (dim, value), xytext=(0, 10), textcoords="offset points",
            ha="center", fontsize=8,
        )  # fmt: skip
    whole = next(p for p in report.shipped if p.size == report.input_size).accuracy.uap.value
    axes.axhline(whole, color="0.5", linestyle="--", linewidth=1)
    axes.annotate(
        f"as trained: {whole:.3f}", (min(values), whole), xytext=(0, 4),
        textcoords="offset points", fontsize=8, color="0.35",
    )  # fmt: skip
    axes.set_xticks(list(values), [f"{dim}\n{FLOAT * dim:,} B" for dim in values])
    axes.set_xlabel("dimension, bytes an image")
    _title(axes, f"{report.model} by principal components")


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=11, loc="left")


def _places(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [p.speed for p in points], [p.accuracy.uap.value for p in points]
