"""Measures a registered descriptor on edited copies of photos it was not trained on.

    python -m training.evaluate --photos DIR [--model builtin] [--queries DIR]

Queries are edits of the validation photos (or of all photos in --queries); references are the
photos themselves among the photos that train the built-in model. Calibration photos stay unused.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from ris_jobs.fingerprint.descriptor import Descriptor, load
from training import edits, splits

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """`recall` maps each edit to recall@1 and recall@20; `uap` is over all pairs pooled."""

    recall: dict[str, tuple[float, float]]
    uap: float
    references: int
    queries: int


def measure(model: Descriptor, photos: list[Path], distractors: list[Path]) -> Accuracy:
    """Each photo's copies are sought among the photos and the distractors, by cosine."""
    references = np.concatenate([embed(model, map(opened, p)) for p in (photos, distractors)])
    own = np.arange(len(photos))
    recall, scores, right = {}, [], []
    for name, edit in tqdm(_edits(distractors).items(), desc="edits", disable=None):
        copies = (edit(opened(path), Random(f"{name} {path.name}")) for path in photos)
        similarity = embed(model, copies) @ references.T
        recall[name] = _recall(similarity, own)
        scores.append(similarity.ravel())
        right.append((own[:, None] == np.arange(len(references))).ravel())
    pooled = average_precision(np.concatenate(scores), np.concatenate(right))
    return Accuracy(recall, pooled, len(references), len(recall) * len(photos))


def average_precision(scores: Vectors, right: npt.NDArray[np.bool_]) -> float:
    """µAP: all pairs of all queries in one ranking, ties ranked with the wrong ones first.

    As in the Image Similarity Challenge (Douze et al., arXiv 2106.09672).
    """
    order = np.lexsort((right, -scores))
    ranks = np.flatnonzero(right[order]) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


def embed(model: Descriptor, pictures: Iterator[Image.Image], size: int = 64) -> Vectors:
    inputs = [model.preprocess(np.asarray(picture)) for picture in pictures]
    parts = [model.embed(np.stack(inputs[i : i + size])) for i in range(0, len(inputs), size)]
    return np.concatenate(parts) if parts else np.empty((0, model.spec.dim), np.float32)


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _edits(distractors: list[Path]) -> dict[str, edits.Edit]:
    return edits.WHOLE | edits.partly([opened(path) for path in distractors[:50]])


def _recall(similarity: Vectors, own: npt.NDArray[np.int_]) -> tuple[float, float]:
    mine = similarity[own, own]
    better = (similarity >= mine[:, None]).sum(1)  # its own row counts: 1 is the first place
    return float((better <= 1).mean()), float((better <= 20).mean())


def table(found: Accuracy) -> str:
    lines = ["| edit | recall@1 | recall@20 |", "| --- | --- | --- |"]
    lines += [f"| {name} | {one:.3f} | {k:.3f} |" for name, (one, k) in found.recall.items()]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="training.evaluate", description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--queries", type=Path, help="photos to copy, not the validation split")
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--weights", type=Path, help="folder of optional models' weights")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    args = parser.parse_args(argv)
    split = splits.split(args.photos)
    queries = sorted(args.queries.iterdir()) if args.queries else split.validation
    found = measure(load(args.model, args.weights), queries, split.train)
    print(table(found))
    print(f"µAP {found.uap:.3f}, {found.queries} queries, {found.references} references")
    if args.json:
        args.json.write_text(json.dumps({"recall": found.recall, "uap": found.uap}, indent=1))


if __name__ == "__main__":
    main()
