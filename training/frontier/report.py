"""What a run found, as JSON and as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from training.frontier.measure import BATCH, Accuracy, Point

FLOAT = 4  # bytes of a stored value


@dataclass(frozen=True, slots=True)
class Trained:
    """A network, how large it is, and what its training took."""

    name: str
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    parameters: int
    views: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Report:
    """`points` are of the networks trained here, `shipped` of the weights in the package, which are
    `model` and take pictures of `input_size`; `dimensions` is of their vectors reduced."""

    seed: int
    threads: int
    machine: dict[str, Any]
    versions: dict[str, str]
    suite: dict[str, Any]
    networks: tuple[Trained, ...]
    points: tuple[Point, ...]
    model: str
    input_size: int
    shipped: tuple[Point, ...]
    dimensions: dict[int, Accuracy]


def front(points: Iterable[Point]) -> list[Point]:
    """Those that no other point beats in both speed and µAP, the fastest first."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (-p.speed, -p.accuracy.uap.value)):
        if not best or point.accuracy.uap.value > best[-1].accuracy.uap.value:
            best.append(point)
    return best


def to_json(report: Report) -> str:
    """With the speed of each point beside its rounds, and the bytes of each dimension."""
    fields = asdict(report) | {"batch": BATCH}
    for name in ("points", "shipped"):
        fields[name] = [asdict(p) | {"images_per_second": p.speed} for p in getattr(report, name)]
    fields["dimensions"] = [
        {"dim": dim, "bytes": FLOAT * dim, **asdict(accuracy)}
        for dim, accuracy in report.dimensions.items()
    ]
    return json.dumps(fields, indent=1)


def table(report: Report) -> str:
    """GitHub Markdown: every point, the front marked; then the dimensions."""
    best = front(report.points)
    lines = ["| network | input | µAP | recall@1 | candidates@20 | images/s | front |"]
    lines.append("| --- " * 7 + "|")
    for point in (*report.points, *report.shipped):
        shares, mark = _shares(point.accuracy), "yes" if point in best else ""
        lines.append(f"| {point.name} | {point.size} | {shares} | {point.speed:.0f} | {mark} |")
    lines += ["", "| dim | bytes | µAP | recall@1 | candidates@20 |", "| --- " * 5 + "|"]
    for dim, accuracy in report.dimensions.items():
        lines.append(f"| {dim} | {FLOAT * dim} | {_shares(accuracy)} |")
    return "\n".join(lines)


def _shares(accuracy: Accuracy) -> str:
    measures = (accuracy.uap, accuracy.recall_1, accuracy.candidates_20)
    return " | ".join(f"{measure.value:.3f}" for measure in measures)
