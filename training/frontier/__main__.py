"""Trains and measures the networks; writes frontier.json and frontier.png.

    python -m training.frontier --photos PHOTOS --out DIR

Stop it at any time: the same command goes on where it was. Speed is measured at the end, of all
networks in one go; let nothing else run then.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

import torch

from benchmarks.accuracy.suite import Suite
from benchmarks.accuracy.systems import Model
from benchmarks.machine import machine, versions
from ris_jobs.errors import RisError
from ris_jobs.fingerprint.descriptor import registry
from training import export, splits, train, views
from training.frontier import measure, networks
from training.frontier.measure import Accuracy, Point
from training.frontier.networks import NETWORKS
from training.frontier.plot import plot
from training.frontier.report import Report, Trained, table, to_json


def main(argv: list[str] | None = None) -> None:
    parser = _parser()
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    chosen = {
        name: networks.settings(NETWORKS[name], args.views, args.seed) for name in args.networks
    }
    try:
        report = run(splits.split(args.photos), args.out, chosen, args.seed)
    except (RisError, ValueError) as error:
        parser.error(str(error))
    (args.out / "frontier.json").write_text(to_json(report), "utf-8")
    plot(report, args.out / "frontier.png")
    print(table(report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.frontier",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--photos", type=Path, required=True, help="the photos that training.train takes")
    add("--out", type=Path, required=True)
    add("--views", type=int, default=60_000, help="that each network learns from: %(default)s")
    add("--seed", type=int, default=0)
    add("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="these only")
    return parser


def run(photos: splits.Split, out: Path, chosen: dict[str, train.Settings], seed: int) -> Report:
    """Everything from training to figures; what `out` holds of an earlier run is not done again."""
    training = cache(lambda: views.read(photos.train))
    runs = {}
    for number, (name, wanted) in enumerate(chosen.items(), 1):
        print(f"{name}, network {number} of {len(chosen)}", flush=True)
        runs[name] = networks.trained(wanted, training, out / name)
    suite = measure.copies(photos.validation, out / "suite", seed)
    models = [m for name, done in runs.items() for m in networks.models(done, name, out / name)]
    shipped = networks.shipped()
    spec = registry.spec(export.NAME)
    dimensions = _dimensions(shipped, suite, photos.train, out, seed)
    points = _points([*models, *shipped], suite, out, seed)
    return Report(
        seed=seed,
        threads=torch.get_num_threads(),
        machine=machine(),
        versions=versions(),
        suite=dict(suite.about),
        networks=tuple(_trained(name, done) for name, done in runs.items()),
        points=points[: len(models)],
        model=spec.id,
        input_size=spec.input_size,
        shipped=points[len(models) :],
        dimensions=dimensions,
    )


def _dimensions(
    shipped: Iterable[Model], suite: Suite, photos: list[Path], out: Path, seed: int
) -> dict[int, Accuracy]:
    model = next(m for m in shipped if m.spec.input_size == registry.spec(m.name).input_size)
    said = measure.described(model, suite.paths, out / "described", suite.digest)
    names = sha256("".join(path.name for path in photos).encode()).hexdigest()[:12]
    background = measure.described(model, photos, out / "described", names).codes
    return dict(measure.by_dimension(suite, said, background, seed))


def _points(models: list[Model], suite: Suite, out: Path, seed: int) -> tuple[Point, ...]:
    """Speed comes last: nothing else of ours runs then."""
    kept = out / "described"
    said = [measure.described(model, suite.paths, kept, suite.digest) for model in models]
    accuracies = [measure.accuracy(suite, each, seed) for each in said]
    return tuple(
        Point(model.name, model.spec.input_size, accuracy, seconds)
        for model, accuracy, seconds in zip(
            models, accuracies, measure.seconds(models, seed), strict=True
        )
    )


def _trained(name: str, done: train.Run) -> Trained:
    s = done.settings
    parameters = sum(p.numel() for p in done.net.parameters())
    views_seen = 2 * s.pairs * done.step
    return Trained(name, s.widths, s.depths, parameters, views_seen, round(done.seconds / 60, 2))


if __name__ == "__main__":
    main()
