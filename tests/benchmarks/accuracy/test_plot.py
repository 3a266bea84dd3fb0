from __future__ import annotations

from pathlib import Path

from PIL import Image

from benchmarks.accuracy.plot import plot
from benchmarks.accuracy.results import Report


def test_the_plot_is_a_picture(report: Report, tmp_path: Path) -> None:
    plot(report, tmp_path / "recall.png")
    with Image.open(tmp_path / "recall.png") as picture:
        assert picture.format == "PNG" and picture.width > 1000
