"""Fits the probabilities of matches, and measures matching, on photos kept apart for it.

    python -m training.calibrate PHOTOS [--model builtin] [--dry-run]

Copies are made of the reserved photos (:mod:`training.splits`), every image looks for its
nearest neighbours as a scan does, and pairs of one photo are the copies, pairs of two photos
are not. One half of the photos fits the coefficients in ``ris_jobs/match/calibration.json``,
the other half gives every figure that is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ris_jobs.demo import edits
from ris_jobs.fingerprint import descriptor, preview
from ris_jobs.fingerprint.pipeline import Pipeline, Processed
from ris_jobs.jobs.models import model_of
from ris_jobs.match import Candidate, Match, Relation, Side
from ris_jobs.match import judge as judging
from ris_jobs.match.alignment import align
from ris_jobs.match.calibration import ANY_MODEL, Calibration, Logistic, entry_version
from ris_jobs.match.candidates import Described, pair_up
from ris_jobs.match.pixels import View, view
from ris_jobs.match.probability import features
from ris_jobs.match.rerank import HashDistance, hash_distances
from ris_jobs.settings import Settings
from ris_jobs.store.vectors import open_vectors
from training.splits import split

DESTINATION = Path(judging.__file__).parent / "calibration.json"
COPIES = 12
PAIRS = 2500
SEARCHES = 5
# For models that were never calibrated: their cosines are not known to mean anything.
ANY_SEARCH = 0.5
OF_THE_MODEL = ("cosine", "partly", "common")
HASHES = (*OF_THE_MODEL, "hashes", "complexity")
PIXELS = ("held", "agreement", "correlation", "inside", *HASHES)
COUNTED = ("pairs", "found", "relation", "direction", "wrong")

Picture = Image.Image
Floats = npt.NDArray[np.float64]
_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a copy is made, and the relation it has to its photo."""

    make: Callable[[Picture], bytes]
    relation: Relation


RECIPES: dict[str, Recipe] = {
    "jpeg 85": Recipe(lambda p: edits.jpeg(p, 85), Relation.RECOMPRESSED),
    "jpeg 50": Recipe(lambda p: edits.jpeg(p, 50), Relation.RECOMPRESSED),
    "jpeg 20": Recipe(lambda p: edits.jpeg(p, 20), Relation.RECOMPRESSED),
    "webp": Recipe(lambda p: edits.webp(p, 60), Relation.RECOMPRESSED),
    "png": Recipe(edits.png, Relation.RECOMPRESSED),
    "thumbnail 64": Recipe(lambda p: edits.jpeg(edits.thumbnail(p, 64)), Relation.THUMBNAIL),
    "thumbnail 128": Recipe(lambda p: edits.jpeg(edits.thumbnail(p, 128)), Relation.THUMBNAIL),
    "thumbnail 200": Recipe(lambda p: edits.webp(edits.thumbnail(p, 200)), Relation.THUMBNAIL),
    "upscaled 1.5": Recipe(lambda p: edits.jpeg(edits.upscale(p, 1.5), 90), Relation.UPSCALED),
    "upscaled 2": Recipe(lambda p: edits.jpeg(edits.upscale(p, 2), 85), Relation.UPSCALED),
    "mirrored": Recipe(lambda p: edits.jpeg(edits.mirror(p), 85), Relation.MIRRORED),
    "rotated 90": Recipe(lambda p: edits.jpeg(edits.rotate(p, 90), 85), Relation.ROTATED),
    "rotated 180": Recipe(lambda p: edits.jpeg(edits.rotate(p, 180), 85), Relation.ROTATED),
    "greyscale": Recipe(lambda p: edits.jpeg(edits.greyscale(p), 85), Relation.EDITED),
    "colour shift": Recipe(lambda p: edits.jpeg(edits.colour_shift(p), 85), Relation.EDITED),
    "brightness": Recipe(lambda p: edits.jpeg(edits.brightness(p), 85), Relation.EDITED),
    "contrast": Recipe(lambda p: edits.jpeg(edits.contrast(p), 85), Relation.EDITED),
    "caption": Recipe(lambda p: edits.jpeg(edits.caption(p), 85), Relation.EDITED),
    "watermark": Recipe(lambda p: edits.jpeg(edits.watermark(p), 85), Relation.EDITED),
    "blur": Recipe(lambda p: edits.jpeg(edits.blur(p), 85), Relation.EDITED),
    "sharpen": Recipe(lambda p: edits.jpeg(edits.sharpen(p), 85), Relation.EDITED),
    "border": Recipe(lambda p: edits.jpeg(edits.pad(p), 85), Relation.PADDED),
    "letterbox": Recipe(lambda p: edits.jpeg(edits.letterbox(p, 16 / 9), 85), Relation.PADDED),
    "caption band": Recipe(lambda p: edits.jpeg(edits.caption_band(p), 85), Relation.PADDED),
    "crop 80 %": Recipe(lambda p: edits.jpeg(edits.crop(p, 0.8, 0.2, 0.7), 85), Relation.CROP),
    "crop 50 %": Recipe(lambda p: edits.jpeg(edits.crop(p, 0.5, 0.3, 0.6), 85), Relation.CROP),
    "crop 25 %": Recipe(lambda p: edits.jpeg(edits.crop(p, 0.25, 0.7, 0.4), 85), Relation.CROP),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One image of the collection: the copy ``recipe`` ("" for the photo itself) of a photo;
    ``descriptors`` (regions, dim), the whole first."""

    photo: int
    recipe: str
    side: Side
    picture: npt.NDArray[np.uint8]
    descriptors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scan:
    """A collection, its candidate pairs (ids are places in ``items``) and which of them are
    ``same``: pictures of one photo."""

    items: Sequence[Item]
    pairs: list[Candidate]
    distances: list[HashDistance]
    same: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """Pairs with their features, ``truth`` (1 for copies) and ``weight``: how many pairs of the
    scan each stands for."""

    rows: list[dict[str, float]]
    truth: Floats
    weight: Floats


# The collection


def collection(
    photos: Sequence[Path], distractors: Sequence[Path], model: str, rng: np.random.Generator
) -> list[Item]:
    """The photos, :data:`COPIES` copies of each by recipes drawn at random, and distractors."""
    names = list(RECIPES)
    pipeline = Pipeline(
        descriptor.load(model, _DEFAULTS.weights),
        max_pixels=_DEFAULTS.max_pixels,
        truncated=_DEFAULTS.truncated,
        preview_size=_DEFAULTS.preview_size,
    )
    items: list[Item] = []
    for number, path in enumerate([*photos, *distractors]):
        drawn = rng.permutation(names)[: COPIES if number < len(photos) else 0].tolist()
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        files = [path.read_bytes(), *(RECIPES[name].make(picture) for name in drawn)]
        for recipe, data, found in zip(["", *drawn], files, pipeline.run(files), strict=True):
            assert isinstance(found, Processed), f"{path}: {found}"
            sha256 = hashlib.sha256(data).hexdigest()
            at, common = datetime(2000, 1, 1, tzinfo=UTC), found.commonness.tolist()
            side = Side(len(items), sha256, found.fingerprint, at, common)
            items.append(Item(number, recipe, side, preview.load(found.preview), found.descriptors))
    return items


def scan(items: Sequence[Item], model: str) -> Scan:
    """Candidate pairs as a scan finds them, with the distances of their hashes."""
    vectors_of = {place: item.descriptors for place, item in enumerate(items)}
    hashes = {place: item.side.fingerprint.hashes.pdq for place, item in enumerate(items)}
    described = Described.of(vectors_of, hashes)
    with TemporaryDirectory() as home:
        settings = replace(_DEFAULTS, home=Path(home), model=model)
        with open_vectors(settings, model_of(settings)) as vectors:
            vectors.upsert(described)
            searches = vectors.neighbours(described, settings.top_k + 1)
    pairs = pair_up(
        searches,
        top_k=_DEFAULTS.top_k,
        min_cosine=_DEFAULTS.min_cosine,
        load=lambda ids: {i: vectors_of[i] for i in ids},
    )
    sides = [(items[p.image_id].side, items[p.other_id].side) for p in pairs]
    distances = hash_distances([(a.fingerprint.hashes, b.fingerprint.hashes) for a, b in sides])
    same = [items[p.image_id].photo == items[p.other_id].photo for p in pairs]
    return Scan(items, pairs, distances, np.array(same))


# Fitting


def search_cosine(fitted: Scan) -> float:
    """From which cosine pixels are looked at though hashes are far apart: 99.5 % of such copies
    reach it, unless more than :data:`SEARCHES` other pairs an image do too; then cost decides."""
    far = np.array([not judging.hashes_near(d) for d in fitted.distances])
    cosines = np.array([p.cosine for p in fitted.pairs])
    others = -np.sort(-cosines[far & ~fitted.same])
    affordable = others[: SEARCHES * len(fitted.items)][-1]
    return round(float(max(np.quantile(cosines[fitted.same & far], 0.005), affordable)), 3)


def sample(of: Scan, search: float, rng: np.random.Generator) -> Sample:
    """Features of at most :data:`PAIRS` pairs of each kind, copies and others, among those
    that are near enough for their pixels to be looked at."""
    looked_at = np.array(
        [
            judging.hashes_near(distance) or pair.cosine >= search
            for pair, distance in zip(of.pairs, of.distances, strict=True)
        ]
    )
    views = [view(item.picture) for item in of.items]
    chosen: list[int] = []
    weight: list[float] = []
    for kind in (True, False):
        places = np.flatnonzero(looked_at & (of.same == kind))
        kept = rng.permutation(places)[:PAIRS]
        chosen.extend(kept.tolist())
        weight.extend([len(places) / max(1, len(kept))] * len(kept))
    rows = [_features(of, place, views) for place in chosen]
    return Sample(rows, of.same[chosen].astype(float), np.array(weight))


def _features(of: Scan, place: int, views: Sequence[View]) -> dict[str, float]:
    pair, distance = of.pairs[place], of.distances[place]
    found = align(views[pair.image_id], views[pair.other_id], distance.orientation, search=True)
    sides = (of.items[pair.image_id].side, of.items[pair.other_id].side)
    return features(sides, pair.parts, pair.cosine, distance, found)


def near(data: Sample, combined: int) -> Sample:
    """The pairs whose hashes are within ``combined`` bits."""
    kept = np.array([row["hashes"] <= combined / 64 for row in data.rows])
    rows = [row for row, keep in zip(data.rows, kept, strict=True) if keep]
    return Sample(rows, data.truth[kept], data.weight[kept])


def fit(data: Sample, names: Sequence[str], ridge: float = 0.01) -> dict[str, Any]:
    """Weighted logistic regression by Newton's method; ``ridge`` keeps weights finite where
    the pairs separate."""
    x = np.array([[row[name] for name in names] + [1.0] for row in data.rows])
    weight = data.weight / data.weight.mean()
    penalty = ridge * np.diag([1.0] * len(names) + [0.0]) * len(x) / 1000
    beta = np.zeros(x.shape[1])
    for _ in range(100):
        chance = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        slope = x.T @ (weight * (data.truth - chance)) - penalty @ beta
        curve = (x * (weight * chance * (1 - chance))[:, None]).T @ x + penalty
        step = np.linalg.solve(curve + 1e-9 * np.eye(len(beta)), slope)
        beta += np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-6:
            break
    weights = {name: round(float(b), 4) for name, b in zip(names, beta, strict=False)}
    return {"intercept": round(float(beta[-1]), 4), "weights": weights}


def entry(
    data: Sample, search: float, *, of_the_model: bool, made: dict[str, Any]
) -> dict[str, Any]:
    """What calibration.json holds for one model."""
    left_out = () if of_the_model else OF_THE_MODEL
    names = [[n for n in group if n not in left_out] for group in (PIXELS, HASHES)]
    by_hashes = fit(near(data, judging.HASHES_NEAR), names[1])
    fitted = {"search_cosine": search, "pixels": fit(data, names[0]), "hashes": by_hashes}
    return {**fitted, "version": entry_version(fitted), "made": made}


# Measuring


def reliability(data: Sample, model: Logistic) -> Iterator[str]:
    """Lines of a reliability table, and the expected calibration error."""
    chance = np.array([model.probability(row) for row in data.rows])
    share, error = data.weight / data.weight.sum(), 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (chance >= low) & (chance < low + 0.1 + (low > 0.85))
        if not inside.any():
            continue
        mass = share[inside].sum()
        said, true = (
            float(np.average(v[inside], weights=share[inside])) for v in (chance, data.truth)
        )
        error += mass * abs(said - true)
        band = f"{low:.1f}–{low + 0.1:.1f}"
        yield f"  {band}  {inside.sum():6d} pairs  said {said:.3f}  true {true:.3f}"
    yield f"  expected calibration error {error:.4f} over {len(chance)} pairs"


def measure(held: Scan, calibration: Calibration) -> Iterator[str]:
    """Lines of a table: per recipe how many photo–copy pairs were found, with the right
    relation, with the right and with the wrong direction; then the precision of all pairs."""
    items = held.items
    found = judged(held, calibration)
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    original = items[0]
    for item in items:
        if item.recipe:
            key = frozenset((original.side.image_id, item.side.image_id))
            _count(tally[item.recipe], found.get(key), item)
        else:
            original = item
    for name in RECIPES:
        counts = (f"{kind} {tally[name][kind]:3d}" for kind in COUNTED)
        yield f"  {name:14s} " + "  ".join(counts)
    kept = [match for match in found.values() if match.suppressed is None]
    wrong = [m for m in kept if items[m.derived_id].photo != items[m.source_id].photo]
    yield f"  {len(kept)} unsuppressed matches, {len(wrong)} of them of different photos"
    for match in wrong[:10]:
        names = [f"{items[i].photo} {items[i].recipe}" for i in (match.derived_id, match.source_id)]
        yield f"    {match.relation} {match.probability:.3f} {names}"


def judged(held: Scan, calibration: Calibration) -> dict[frozenset[int], Match]:
    """The matches of a scan, by their pair of ids."""
    matches = judging.judge_many(
        held.pairs,
        {item.side.image_id: item.side for item in held.items},
        calibration=calibration,
        min_probability=_DEFAULTS.min_probability,
        load_preview=lambda image_id: held.items[image_id].picture,
    )
    return {frozenset((m.derived_id, m.source_id)): m for m in matches}


def _count(tally: Counter[str], match: Match | None, copy: Item) -> None:
    tally["pairs"] += 1
    if match is None:
        return
    tally["found"] += 1
    tally["relation"] += match.relation == RECIPES[copy.recipe].relation
    if match.evidence["direction"] != "undetermined":
        tally["direction" if match.derived_id == copy.side.image_id else "wrong"] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("photos", type=Path, help="folder of the training photos")
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true", help="print, but write nothing")
    options = parser.parse_args()
    started = time.monotonic()
    parts, spec = split(options.photos), descriptor.spec(options.model)
    rng = np.random.default_rng(options.seed)
    fitted, held = (
        scan(
            collection(parts.calibration[i::2], parts.validation[i::2], options.model, rng),
            options.model,
        )
        for i in (0, 1)
    )
    search = search_cosine(fitted)
    data, test = sample(fitted, search, rng), sample(held, search, rng)
    made = {
        "command": "python -m training.calibrate PHOTOS",
        "model": options.model,
        "seed": options.seed,
        "weights_sha256": spec.sha256,
        "pairs": len(data.rows),
    }
    entries = {
        spec.id: entry(data, search, of_the_model=True, made=made),
        ANY_MODEL: entry(data, ANY_SEARCH, of_the_model=False, made=made),
    }
    print(f"{spec.id}, seed {options.seed}, numpy {np.__version__}, {platform.machine()}")
    print(f"pixels are looked at from cosine {search}; {len(held.pairs)} held-out candidates")
    for name, values in entries.items():
        calibration = Calibration.from_entry(name, values)
        print(f"{name}, by pixels: {json.dumps(values['pixels'])}")
        print(*reliability(test, calibration.pixels), sep="\n")
        print(f"{name}, by hashes within {judging.HASHES_SURE}: {json.dumps(values['hashes'])}")
        print(*reliability(near(test, judging.HASHES_SURE), calibration.hashes), sep="\n")
    print("per edit, of the held-out photos and their copies:")
    print(*measure(held, Calibration.from_entry(spec.id, entries[spec.id])), sep="\n")
    if not options.dry_run:
        write(entries)
    print(f"{time.monotonic() - started:.0f} s")


def write(entries: dict[str, dict[str, Any]]) -> None:
    """Puts entries into calibration.json; those of other models stay."""
    models = json.loads(DESTINATION.read_text("utf-8"))["models"] if DESTINATION.exists() else {}
    text = json.dumps({"models": {**models, **entries}}, indent=2, sort_keys=True)
    DESTINATION.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
