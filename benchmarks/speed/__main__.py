"""Measures how fast the built-in model is.

python -m benchmarks.speed                prints the figures
python -m benchmarks.speed --device cuda  computes vectors on a GPU
python -m benchmarks.speed --json FILE    writes the figures, too
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import machine, versions, where
from benchmarks.speed import measure
from benchmarks.speed.measure import COMPILED, RESNET50, Figure
from ris_jobs.fingerprint.descriptor import load
from ris_jobs.fingerprint.descriptor.inference import device_of
from ris_jobs.fingerprint.descriptor.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Report:
    """Vectors of one run by what computed them (``vectors_s``, ``times_resnet50``,
    ``warm_up_s``), stages before the network (milliseconds a photo, one thread), and the model
    in a fresh process. ``load_average`` is that of the minute before it and of its last minute:
    more than ``threads`` says that other work took part of the machine."""

    machine: dict[str, Any]
    versions: dict[str, str]
    threads: int
    load_average: tuple[float, float]
    seed: int
    images: int
    rounds: int
    vectors_s: dict[str, Figure]
    times_resnet50: dict[str, Figure]
    warm_up_s: dict[str, float]
    not_compiled: str | None
    stages_ms: dict[str, Figure]
    load_s: Figure
    torch_mib: float
    peak_mib: float
    weights_mb: float


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--images", type=int, default=64, help="at once: %(default)s")
    add("--rounds", type=int, default=7, help="after one to warm up: %(default)s")
    add("--seed", type=int, default=0)
    add("--device", default="cpu", help="cpu, cuda, cuda:1, auto: %(default)s")
    add("--json", type=Path, metavar="FILE", help="write the figures there too")
    args = parser.parse_args(argv)
    report = run(args.images, args.rounds, args.seed, device_of(args.device))
    print(text(report))
    if args.json:
        args.json.write_text(json.dumps(asdict(report), indent=1, ensure_ascii=False), "utf-8")


def run(images: int, rounds: int, seed: int, device: torch.device) -> Report:
    load_before = os.getloadavg()[0]
    fresh = [_fresh(images) for _ in range(rounds)]
    model = load("builtin", None)
    works = measure.networks(images, seed, device)
    stages, photos = measure.stages(model)
    warm_up, failure = measure.warmed(works | stages)
    seconds = measure.rounds({n: w for n, w in (works | stages).items() if n in warm_up}, rounds)
    networks = {name: seconds[name] for name in works if name in seconds}
    return Report(
        machine(torch.cuda.get_device_name(device) if device.type == "cuda" else None),
        versions(),
        torch.get_num_threads(),
        (load_before, os.getloadavg()[0]),
        seed,
        images,
        rounds,
        {name: Figure.of(images / took) for name, took in networks.items()},
        {name: Figure.of(seconds[RESNET50] / took) for name, took in networks.items()},
        {name: warm_up[name] for name in networks},
        failure,
        {name: Figure.of(1000 * seconds[name] / photos) for name in stages},
        Figure.of(process["load_s"] for process in fresh),
        max(process["torch_mib"] for process in fresh),
        max(process["peak_mib"] for process in fresh),
        (MODELS / model.spec.file).stat().st_size / 1e6,
    )


def _fresh(images: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.speed.fresh", str(images)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def text(report: Report) -> str:
    """For people; the tables are GitHub Markdown."""
    before, after = report.load_average
    return "\n".join(
        [
            where(report.machine, report.versions),
            f"{report.threads} threads, load {before:.1f} before and {after:.1f} after;"
            f" {report.images} at once, {report.rounds} rounds, seed {report.seed};"
            " median (least–greatest)",
            "",
            "| vectors by | vectors/s | times ResNet50 | first call, s |",
            "| --- | --- | --- | --- |",
            *(_row(report, name) for name in report.vectors_s),
            *([f"\n- not run: {COMPILED}, {report.not_compiled}"] if report.not_compiled else []),
            "",
            "| before the network, one thread | ms a photo |",
            "| --- | --- |",
            *(f"| {name} | {_span(took)} |" for name, took in report.stages_ms.items()),
            "",
            f"weights {report.weights_mb:.2f} MB; loaded in {_span(report.load_s)} s after torch;"
            f" peak memory {report.peak_mib:.0f} MiB, {report.torch_mib:.0f} of it torch",
        ]
    )


def _row(report: Report, name: str) -> str:
    rate, times = _span(report.vectors_s[name]), _span(report.times_resnet50[name])
    return f"| {name} | {rate} | {times} | {report.warm_up_s[name]:.1f} |"


def _span(figure: Figure) -> str:
    """Three digits that count."""
    middle, low, high = (f"{v:.3g}" for v in (figure.median, figure.low, figure.high))
    return f"{middle} ({low}–{high})"


if __name__ == "__main__":
    main()
