"""Draws a run's log as a picture: python -m training.plot LOG.jsonl CURVE.png"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def plot(log: Path, picture: Path) -> None:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    seen = [line["views"] / 1000 for line in lines]
    figure, left = plt.subplots(figsize=(8, 4.5), layout="constrained")
    left.plot(seen, [line["accuracy"] for line in lines], color="tab:blue")
    left.set(xlabel="thousand views", ylabel="copies nearest to their photo", ylim=(0, 1))
    left.yaxis.label.set_color("tab:blue")
    right = left.twinx()
    right.plot(seen, [line["contrast"] for line in lines], color="tab:orange")
    right.set_ylabel("InfoNCE loss", color="tab:orange")
    left.set_title(f"{lines[-1]['step']:,} steps in {lines[-1]['minutes']:.0f} minutes")
    left.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    plot(Path(sys.argv[1]), Path(sys.argv[2]))
