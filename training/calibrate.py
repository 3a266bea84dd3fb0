"""Fits the probabilities of matches, and measures matching, on photos kept apart for it.

    python -m training.calibrate PHOTOS [--model builtin] [--dry-run]

Two suites (:mod:`benchmarks.accuracy.suite`) are built of the reserved photos
(:mod:`training.splits`): copies by every edit, and pictures that look alike but are no copies.
Every image looks for its nearest neighbours as a scan does, and what a scan would confirm is
sampled: pairs of one photo are copies, all others are not. One suite fits the coefficients in
``ris_jobs/match/calibration.json``, the other gives every figure that is printed.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.optimize import minimize
from scipy.special import expit
from tqdm import tqdm

from benchmarks.accuracy import suite as suites
from benchmarks.accuracy.truth import Row
from ris_jobs.demo import edits
from ris_jobs.fingerprint import descriptor, preview
from ris_jobs.fingerprint.pipeline import Pipeline, Processed
from ris_jobs.jobs.models import model_of
from ris_jobs.match import Candidate, Match, Relation, Side, examine
from ris_jobs.match import judge as judging
from ris_jobs.match.calibration import ANY_MODEL, Calibration, Logistic, entry_version
from ris_jobs.match.candidates import Described, pair_up
from ris_jobs.match.rerank import HashDistance, hash_distances
from ris_jobs.settings import Settings
from ris_jobs.store.vectors import open_vectors
from training.reliability import Bin, bins, plot, table
from training.splits import split

RECORD = Path(__file__).parent / "record"
DESTINATION = Path(judging.__file__).parent / "calibration.json"
PER_VARIANT = 8
_BATCH = 64
# Pairs taken of each kind: copies, pictures that look alike, others.
PAIRS = 2500
SEARCHES = 8
# For models that were never calibrated: their cosines are not known to mean anything.
ANY_SEARCH = 0.5
OF_THE_MODEL = ("cosine", "partly", "common", "template", "unlike")
HASHES = ("cosine", "partly", "common", "hashes", "complexity")
PIXELS = (
    *("agreement", "correlation", "differs", "template", "unlike"),
    *("inside", "verified", "inliers", "plain", "other"),
    *HASHES,
)
# What speaks for a copy may not be fitted to speak against one, nor the reverse: pictures that
# look alike are the nearest of all, and a fit left to itself turns the cosine round.
FOR = frozenset({"agreement", "correlation", "inliers", "cosine", "complexity"})
AGAINST = frozenset({"differs", "template", "unlike", "common", "hashes", "plain", "other"})
COUNTED = ("copies", "found", "relation", "direction", "wrong")
# What one pair of drawn pictures counts: each is here in three files, which are ninefold pairs.
_DRAWN = 1 / 9
# Copies of two photos that may share a third one.
_MIXED = frozenset({"pasted", "collage", "phone", "desktop", "blend", "covered", "chain"})

# Drawn pictures that have copies of their own; all flat fields are alike.
_GRAPHICS = frozenset({"template", "logo", "placeholder", "document", "interface"})

Floats = npt.NDArray[np.float64]
Kinds = npt.NDArray[np.int64]
_DEFAULTS = Settings()


@dataclass(frozen=True, slots=True)
class Item:
    """One image of the collection; ``descriptors`` (regions, dim), the whole first."""

    row: Row
    side: Side
    picture: bytes
    descriptors: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scan:
    """A collection, its candidate pairs (ids are places in ``items``), the distances of their
    hashes, and the kind of each: 0 for copies, 1 for pictures that look alike, 2 for others."""

    items: Sequence[Item]
    pairs: list[Candidate]
    distances: list[HashDistance]
    kinds: Kinds

    @property
    def same(self) -> npt.NDArray[np.bool_]:
        """(pairs,), whether both show one photo."""
        return self.kinds == 0


@dataclass(frozen=True, slots=True)
class Sample:
    """Pairs with their features, ``kinds`` as in :class:`Scan`, and ``weight``: how many pairs of
    the scan each stands for."""

    rows: list[dict[str, float]]
    kinds: Kinds
    weight: Floats

    @property
    def truth(self) -> Floats:
        """(pairs,), 1 for copies."""
        return (self.kinds == 0).astype(float)

    def only(self, kept: npt.NDArray[np.bool_]) -> Sample:
        rows = [row for row, keep in zip(self.rows, kept, strict=True) if keep]
        return Sample(rows, self.kinds[kept], self.weight[kept])


# The collection


def collection(photos: Sequence[Path], model: str, seed: int) -> list[Item]:
    """The suite of these photos, described; what cannot be read is left out."""
    pipeline = Pipeline(
        descriptor.load(model, _DEFAULTS.weights),
        max_pixels=_DEFAULTS.max_pixels,
        truncated=_DEFAULTS.truncated,
        preview_size=_DEFAULTS.preview_size,
    )
    items: list[Item] = []
    with TemporaryDirectory() as folder:
        linked = Path(folder, "photos")
        linked.mkdir()
        for photo in photos:
            (linked / photo.name).symlink_to(photo.resolve())
        suite = suites.build(linked, Path(folder, "suite"), seed=seed, per_variant=PER_VARIANT)
        files = list(_files(suite))
        for start in tqdm(range(0, len(files), _BATCH), "describe", disable=None):
            rows, datas = zip(*files[start : start + _BATCH], strict=True)
            for row, data, found in zip(rows, datas, pipeline.run(datas), strict=True):
                if isinstance(found, Processed):
                    items.append(_item(len(items), row, data, found))
    return items


def _files(suite: suites.Suite) -> Iterator[tuple[Row, bytes]]:
    """All files; of pictures that were drawn also copies, of which a suite has none."""
    for row, path in zip(suite.rows, suite.paths, strict=True):
        data = path.read_bytes()
        if row.group not in _GRAPHICS:
            yield row, data
            continue
        drawn = replace(row, photo=row.file)
        yield drawn, data
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
        for copied in (edits.jpeg(picture, 60), edits.jpeg(edits.thumbnail(picture, 200), 85)):
            yield drawn, copied


def _item(number: int, row: Row, data: bytes, found: Processed) -> Item:
    at, common = datetime(2000, 1, 1, tzinfo=UTC), found.commonness.tolist()
    side = Side(number, sha256(data).hexdigest(), found.fingerprint, at, common)
    return Item(row, side, found.preview, found.descriptors)


def scan(items: Sequence[Item], model: str) -> Scan:
    """Candidate pairs as a scan finds them, less those whose truth is not known."""
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
    told = [(pair, _kind(items[pair.image_id].row, items[pair.other_id].row)) for pair in pairs]
    pairs = [pair for pair, kind in told if kind is not None]
    sides = [(items[p.image_id].side, items[p.other_id].side) for p in pairs]
    distances = hash_distances([(a.fingerprint.hashes, b.fingerprint.hashes) for a, b in sides])
    return Scan(items, pairs, distances, np.array([kind for _, kind in told if kind is not None]))


def _kind(one: Row, other: Row) -> int | None:
    """As in :class:`Scan`; None where both may show a third photo."""
    if "negative" in (one.kind, other.kind) and one.file != other.file:
        return 1 if one.group == other.group else 2
    if one.photo == other.photo:
        return 0
    return None if {one.family, other.family} <= _MIXED else 2


# Fitting


def search_cosine(fitted: Scan) -> float:
    """From which cosine pixels are looked at though hashes are far apart: 99.5 % of such copies
    reach it, unless more than :data:`SEARCHES` other pairs an image do too; then cost decides."""
    far = np.array([not examine.hashes_near(d) for d in fitted.distances])
    far &= np.array([pair.rank < examine.SEARCHED for pair in fitted.pairs])
    cosines = np.array([p.cosine for p in fitted.pairs])
    others = -np.sort(-cosines[far & ~fitted.same])
    affordable = others[: SEARCHES * len(fitted.items)][-1]
    return round(float(max(np.quantile(cosines[fitted.same & far], 0.005), affordable)), 3)


def sample(of: Scan, search: float, rng: np.random.Generator) -> Sample:
    """What a scan would confirm of at most :data:`PAIRS` pairs of each kind."""
    places, weight = [], []
    for kind in range(3):
        all_of_it = np.flatnonzero(of.kinds == kind)
        kept = rng.permutation(all_of_it)[:PAIRS]
        places.extend(kept.tolist())
        each = _DRAWN if kind == 1 else 1.0
        weight.extend([each * len(all_of_it) / max(1, len(kept))] * len(kept))
    order = sorted(range(len(places)), key=places.__getitem__)
    sides = {item.side.image_id: item.side for item in of.items}
    seen = examine.examine(
        [of.pairs[places[n]] for n in order],
        sides,
        examine.Previews(_load(of)),
        search,
        examine.Reached(),
    )
    rows, kinds, weights = [], [], []
    for n, found in zip(order, tqdm(seen, "examine", len(order), disable=None), strict=True):
        if found is not None:
            rows.append(dict(found.features))
            kinds.append(of.kinds[places[n]])
            weights.append(weight[n])
    return Sample(rows, np.array(kinds), np.array(weights))


def _load(of: Scan) -> examine.LoadPreview:
    return lambda image_id: preview.load(of.items[image_id].picture)


def near(data: Sample, combined: int) -> Sample:
    """The pairs whose hashes are within ``combined`` bits."""
    return data.only(np.array([row["hashes"] <= combined / 64 for row in data.rows]))


def fit(data: Sample, names: Sequence[str], ridge: float = 0.01) -> dict[str, Any]:
    """Weighted logistic regression with the signs of :data:`FOR` and :data:`AGAINST`; ``ridge``
    keeps weights finite where the pairs separate."""
    x = np.array([[row[name] for name in names] + [1.0] for row in data.rows])
    weight = data.weight / data.weight.mean()
    penalty = ridge * len(x) / 1000 * np.array([1.0] * len(names) + [0.0])

    def loss(beta: Floats) -> tuple[float, Floats]:
        score = x @ beta
        wrong = np.logaddexp(0, score) - data.truth * score
        slope = x.T @ (weight * (expit(score) - data.truth)) + penalty * beta
        return float(weight @ wrong + penalty @ np.square(beta) / 2), slope

    bounds = [(0 if n in FOR else None, 0 if n in AGAINST else None) for n in names]
    found = minimize(
        loss,
        np.zeros(x.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
        options={"maxiter": 5000},
    )
    weights = {name: round(float(b), 4) for name, b in zip(names, found.x, strict=False)}
    return {"intercept": round(float(found.x[-1]), 4), "weights": weights}


def entry(
    data: Sample, search: float, *, of_the_model: bool, made: dict[str, Any]
) -> dict[str, Any]:
    """What calibration.json holds for one model."""
    left_out = () if of_the_model else OF_THE_MODEL
    names = [[n for n in group if n not in left_out] for group in (PIXELS, HASHES)]
    by_hashes = fit(near(data, examine.HASHES_SURE), names[1])
    fitted = {"search_cosine": search, "pixels": fit(data, names[0]), "hashes": by_hashes}
    return {**fitted, "version": entry_version(fitted), "made": made}


# Measuring


def reliability(data: Sample, model: Logistic) -> list[Bin]:
    """How true the model's probabilities are."""
    chance = np.array([model.probability(row) for row in data.rows])
    return bins(chance, data.truth, data.weight)


def measure(held: Scan, calibration: Calibration) -> Iterator[str]:
    """Lines of a table: per family of edits how many copies were tied to their source, with the
    right relation, with the right and with the wrong direction; then the precision of all pairs."""
    items, places = held.items, {item.row.file: n for n, item in enumerate(held.items)}
    found = judged(held, calibration)
    sources = {item.row.photo: item for item in items if item.row.kind == "source"}
    tally: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item.row.kind == "copy" and item.row.photo in sources:
            pair = frozenset((places[item.row.file], places[sources[item.row.photo].row.file]))
            _count(tally[str(item.row.family)], found.get(pair), item)
    for family, counts in sorted(tally.items()):
        yield f"  {family:14s} " + "  ".join(f"{kind} {counts[kind]:3d}" for kind in COUNTED)
    total = sum(tally.values(), Counter())
    yield "  all            " + "  ".join(f"{kind} {total[kind]:3d}" for kind in COUNTED)
    kind_of = dict(zip(map(_both, held.pairs), held.kinds.tolist(), strict=True))
    kept = [(pair, m) for pair, m in found.items() if m.suppressed is None]
    wrong = [(pair, match) for pair, match in kept if kind_of[pair]]
    yield f"  {len(kept)} unsuppressed matches, {len(wrong)} of them no copies"
    for pair, match in wrong[:20]:
        rows = [items[i].row for i in pair]
        names = [row.group or f"{row.photo} {row.edit}" for row in rows]
        yield f"    {match.relation} {match.probability:.3f} {names}"


def judged(held: Scan, calibration: Calibration) -> dict[frozenset[int], Match]:
    """The matches of a scan, by their pair of ids."""
    matches = judging.judge_many(
        held.pairs,
        {item.side.image_id: item.side for item in held.items},
        calibration=calibration,
        min_probability=_DEFAULTS.min_probability,
        load_preview=_load(held),
    )
    return {frozenset((m.derived_id, m.source_id)): m for m in matches}


def _both(pair: Candidate) -> frozenset[int]:
    return frozenset((pair.image_id, pair.other_id))


def _count(tally: Counter[str], match: Match | None, copy: Item) -> None:
    tally["copies"] += 1
    if match is None or match.suppressed is not None:
        return
    tally["found"] += 1
    expected = copy.row.relation
    tally["relation"] += expected is None or match.relation == Relation(expected)
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
        scan(collection(photos, options.model, options.seed + n), options.model)
        for n, photos in enumerate((parts.calibration, parts.validation), 1)
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
    found: dict[str, list[Bin]] = {}
    for name, values in entries.items():
        calibration = Calibration.from_entry(name, values)
        print(f"{name}, by pixels: {json.dumps(values['pixels'])}")
        found[name] = reliability(test, calibration.pixels)
        print(*table(found[name]), sep="\n")
        print(f"{name}, by hashes within {examine.HASHES_SURE}: {json.dumps(values['hashes'])}")
        by_hashes = reliability(near(test, examine.HASHES_SURE), calibration.hashes)
        print(*table(by_hashes), sep="\n")
    if not options.dry_run:
        write(entries)
        plot(found, RECORD / f"calibration-{spec.id}.png")
    print("per family of edits, of the held-out photos:", flush=True)
    print(*measure(held, Calibration.from_entry(spec.id, entries[spec.id])), sep="\n")
    print(f"{time.monotonic() - started:.0f} s")


def write(entries: dict[str, dict[str, Any]]) -> None:
    """Puts entries into calibration.json; those of other models stay."""
    models = json.loads(DESTINATION.read_text("utf-8"))["models"] if DESTINATION.exists() else {}
    text = json.dumps({"models": {**models, **entries}}, indent=2, sort_keys=True)
    DESTINATION.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
