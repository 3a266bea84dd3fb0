"""How well a model finds copies, and how fast it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.accuracy import suite as suites
from benchmarks.accuracy.described import Described, similarity
from benchmarks.accuracy.evaluate import evaluate
from benchmarks.accuracy.results import Interval
from benchmarks.accuracy.suite import Suite
from benchmarks.accuracy.systems import Model, described_once
from ris_jobs.fingerprint.descriptor.weights import read

DIMS = (32, 64, 128, 192, 256)
BATCH = 64
_ROUNDS = 9
_PER_VARIANT = 10

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Of one vector an image, shares 0–1, by the bench's protocol (:mod:`benchmarks.accuracy`):
    µAP; the source is nearest; the pair is among the 20 nearest of either."""

    uap: Interval
    recall_1: Interval
    candidates_20: Interval


@dataclass(frozen=True, slots=True)
class Point:
    """A model at one input size. `seconds` are those of each round, for :data:`BATCH` pictures."""

    name: str
    size: int
    accuracy: Accuracy
    seconds: tuple[float, ...]

    @property
    def speed(self) -> float:
        """Images a second through the model, decoding left out."""
        return BATCH / median(self.seconds)


def copies(photos: Sequence[Path], folder: Path, seed: int) -> Suite:
    """The suite of these photos, built in `folder` or found there."""
    with TemporaryDirectory() as linked:
        for photo in photos:
            Path(linked, photo.name).symlink_to(photo.resolve())
        return suites.build(Path(linked), folder, seed=seed, per_variant=_PER_VARIANT)


def described(model: Model, paths: Sequence[Path], folder: Path, files: str) -> Described:
    """What the model says of the files that ``files`` names, kept in `folder` for the next time."""
    title = f"{model.name} at {model.spec.input_size} px"
    return described_once(model, paths, folder, files, title)


def accuracy(suite: Suite, said: Described, seed: int) -> Accuracy:
    """Of plain cosines, which every network has; intervals are drawn by `seed`."""
    plain = replace(said, commonness=None)
    found = evaluate(suite.rows, plain, similarity(said, said), seed=seed).overall.measures
    return Accuracy(found["uap"], found["recall_1"], found["candidates_20"])


def by_dimension(
    suite: Suite, said: Described, background: Vectors, seed: int
) -> Iterator[tuple[int, Accuracy]]:
    """Accuracy with ever more of the principal components of `background`, (n, dim)."""
    mean, axes = components(background)
    for dim in (dim for dim in DIMS if dim <= len(axes)):
        short = projected(said.codes, mean, axes[:dim])
        yield dim, accuracy(suite, replace(said, codes=short), seed)


def components(vectors: Vectors) -> tuple[Vectors, Vectors]:
    """Of (n, dim) vectors: their mean (dim,), and the axes (dim, dim) of most variance first."""
    mean = vectors.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov(vectors, rowvar=False))
    return mean, np.ascontiguousarray(axes[:, ::-1].T, np.float32)


def projected(vectors: Vectors, mean: Vectors, axes: Vectors) -> Vectors:
    """(n, dim) on (k, dim) axes: (n, k), rows of length 1."""
    short = (vectors - mean) @ axes.T
    return np.asarray(short / np.linalg.norm(short, axis=1, keepdims=True), np.float32)


def seconds(models: Sequence[Model], seed: int) -> list[tuple[float, ...]]:
    """Wall-clock seconds that each model takes for a batch, round by round after one to warm up.
    The models take turns, so that what else the machine does is shared by all."""
    rng = np.random.default_rng(seed)
    loaded = [m.open(m.spec, read(m.spec, m.weights)) for m in models]
    batches = [
        rng.integers(0, 256, (BATCH, 3, m.spec.input_size, m.spec.input_size), np.uint8)
        for m in models
    ]
    taken: list[list[float]] = [[] for _ in models]
    for _ in tqdm(range(_ROUNDS + 1), desc="speed", unit=" rounds", disable=None):
        for model, batch, times in zip(loaded, batches, taken, strict=True):
            began = time.perf_counter()
            model.embed(batch)
            times.append(time.perf_counter() - began)
    return [tuple(times[1:]) for times in taken]
