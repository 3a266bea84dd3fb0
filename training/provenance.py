"""Fits what clues are worth in telling the source of a family.

    python -m training.provenance PHOTOS --out DIR [--dry-run]

Families (:mod:`benchmarks.provenance`) are made of the photos of the calibration split, several
times by chance, scanned, and weights fitted so that the source is as probable as can be; what is
printed of families of the validation split was not fitted. Writes ris_jobs/provenance/model.json.
What is in DIR already is not made again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import logit

from benchmarks.provenance.scan import scan
from benchmarks.provenance.suite import Family, build
from benchmarks.reliability import bins, table
from ris_jobs import provenance
from ris_jobs.jobs.resolve import facts_among
from ris_jobs.provenance.clues import CLUES, Kin
from ris_jobs.provenance.model import Model, from_entry
from ris_jobs.settings import Settings
from ris_jobs.store import images, matches
from ris_jobs.store.postgres import open_engine
from training.splits import split

DESTINATION = Path(provenance.__file__).with_name("model.json")
FAMILIES, FOLDS = 190, 10
# What copies are made of the calibration photos, and of the validation photos.
SEEDS, HELD_OUT = (1, 11, 12, 13), 2
# Anybody can write the name of a camera into a file: it may not outweigh what the pixels say. Nor
# may an earlier JPEG: no source in the families was one, but sources are stored twice, too.
MOST = {"camera": 1.0, "generation": 1.0}
# No copy in the families is blurred. Of 106 such copies pairs show for 97 that they lost detail,
# and of 24 that were sharpened for none that the other one did (ris_jobs/match/direction.py).
# Few of them hold a lossless copy of an encoding, which nothing else leaves.
LEAST = {"faded": 2.0, "pixels": 4.0, "smoothed": 4.0}
# No copy in the families has a manifest: what these are worth is set, not fitted.
SET = {"manifest": 6.0}
# The chances that may be the least of a named source: two equals have 0.5 each, and that one 2/3
# which further copies are told from, where nothing tells these from the other; a little more, for
# nothing is never exactly so.
THRESHOLDS = [hundredths / 100 for hundredths in range(68, 100)]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A family: for each member its clues from each other member, float64 (others, kinds), and
    which share of the truth it has: 1 for the source, 1/2 for each of two that cannot be told.
    ``apart``: members that are apart from another (:meth:`Kin.apart`). ``photo``: what it is made
    of."""

    photo: str
    decidable: bool
    clues: Sequence[Floats]
    truth: Floats
    apart: npt.NDArray[np.bool_]


def cases(photos: Sequence[Path], out: Path, seed: int) -> list[Case]:
    families = build(photos, FAMILIES, out / "files", seed)
    scan(families, out / "files", out)
    kin, ids = _kin(out)
    found = (_case(family, kin, ids) for family in families)
    return [case for case in found if case is not None]


def _kin(out: Path) -> tuple[Kin, Mapping[str, int]]:
    """The stored matches, and file name → image id."""
    with open_engine(Settings(home=out / "home")) as engine, engine.connect() as db:
        every = images.all_ids(db)
        names = {Path(uri).name: i for i, uri in images.uris(db, every).items()}
        return Kin(matches.pairs(db, every), facts_among(db, every)), names


def _case(family: Family, kin: Kin, ids: Mapping[str, int]) -> Case | None:
    roots = [ids[f.name] for f in family.files if f.role == "root" and f.name in ids]
    tied = {other for root in roots for other in kin.ties.get(root, ())}
    own = {ids[f.name] for f in family.members if f.name in ids}
    members = sorted(own & (tied | set(roots)))
    if not roots or len(members) < 2:
        return None
    clues = [_rows(member, members, kin) for member in members]
    truth = np.array([(member in roots) / len(roots) for member in members])
    apart = [any(kin.apart(m, o) for o in members if o in kin.ties[m]) for m in members]
    return Case(family.photo, family.source is not None, clues, truth, np.array(apart))


def _rows(image: int, members: Sequence[int], kin: Kin) -> Floats:
    found = [kin.clues(image, other) for other in members if other in kin.ties.get(image, ())]
    rows = [[clues.get(kind, 0.0) for kind in CLUES] for clues in found]
    return np.array(rows, np.float64).reshape(-1, len(CLUES))


def fit(data: Sequence[Case], ridge: float = 0.00015) -> Floats:
    """Weights within their bounds, none below 0, that make the truth most probable; ``ridge`` keeps
    them finite."""

    def loss(weights: Floats) -> tuple[float, Floats]:
        total, slope = 0.0, np.zeros_like(weights)
        for case in data:
            doubt, change = _doubts(case, weights)
            chance = np.exp(-doubt) / np.exp(-doubt).sum()
            total -= float(case.truth @ np.log(chance + 1e-12))
            slope += (case.truth - chance) @ change
        penalty = ridge * len(data)
        return total + penalty * float(weights @ weights) / 2, slope + penalty * weights

    start = np.ones(len(CLUES))
    least = SET | LEAST
    bounds = [(least.get(kind, 0), SET.get(kind, MOST.get(kind))) for kind in CLUES]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    weights: Floats = np.round(found.x, 2)
    return weights


def _doubts(case: Case, weights: Floats) -> tuple[Floats, Floats]:
    """Each member's suspicion (:func:`ris_jobs.provenance.verdict.suspicion`) and its gradient."""
    odds = [np.exp(rows @ weights) for rows in case.clues]
    doubt = np.array([np.log1p(o.sum()) for o in odds])
    slope = [o @ rows / (1 + o.sum()) for o, rows in zip(odds, case.clues, strict=True)]
    return doubt, np.array(slope)


def chances(case: Case, weights: Floats) -> Floats:
    doubt, _ = _doubts(case, weights)
    found: Floats = np.exp(-doubt) / np.exp(-doubt).sum()
    return found


def named(case: Case, weights: Floats) -> tuple[int, float]:
    """The member that would be named and its chance, 0 where it is not named."""
    chance = chances(case, weights)
    best = int(chance.argmax())
    rows = case.clues[best]
    enlarged = (rows[:, CLUES.index("enlargement")] > 0) & (rows @ weights > 0)
    return best, 0.0 if case.apart[best] or enlarged.any() else float(chance[best])


def apart_from(data: Sequence[Case]) -> list[tuple[int, float]]:
    """What :func:`named` says of each family by weights that were fitted without its photo."""
    photos = sorted({case.photo for case in data})
    folds = [photos.index(case.photo) % FOLDS for case in data]
    weights = [
        fit([case for case, other in zip(data, folds, strict=True) if other != fold])
        for fold in range(FOLDS)
    ]
    return [named(case, weights[fold]) for case, fold in zip(data, folds, strict=True)]


def confidence(data: Sequence[Case], said: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Slope and intercept that turn the log-odds of a source's chance, from the first of
    ``THRESHOLDS`` on, into those of its being right: chances also allow for equals, which are not
    named. Few sources are wrong, so that they are held near 1 and 0, as by a normal prior of spread
    1 each."""
    both = zip(data, said, strict=True)
    chosen = [(chance, c.truth[best] == 1) for c, (best, chance) in both if chance >= THRESHOLDS[0]]
    odds, true = logit([chance for chance, _ in chosen]), np.array([right for _, right in chosen])

    def loss(line: Floats) -> float:
        score = line[0] * odds + line[1]
        prior = np.square(line - (1, 0)).sum() / 2
        return float((np.logaddexp(0, score) - true * score).sum() + prior)

    slope, intercept = minimize(loss, np.array([1.0, 0.0])).x
    return round(float(slope), 3), round(float(intercept), 3)


def threshold(
    data: Sequence[Case], said: Sequence[tuple[int, float]], line: tuple[float, float]
) -> float:
    """The least chance at which at most 8 % of the families that cannot be decided are decided, and
    a named source is, by the ``line`` of its confidence, as probably right as not."""
    slope, intercept = line
    best = [chance for case, (_, chance) in zip(data, said, strict=True) if not case.decidable]
    return next(
        least
        for least in THRESHOLDS
        if np.mean(np.array(best) >= least) <= 0.08 and slope * logit(least) + intercept >= 0
    )


def measured(data: Sequence[Case], model: Model) -> Iterator[str]:
    counts, said = Counter[str](), list[tuple[float, float]]()
    weights = np.array([model.weights.get(kind, 0.0) for kind in CLUES])
    for case in data:
        best, chance = named(case, weights)
        kind = "decidable" if case.decidable else "undecidable"
        counts[kind] += 1
        if chance < model.threshold:
            counts[f"{kind}, undetermined"] += 1
            continue
        right = case.truth[best] == 1
        counts[f"{kind}, {'right' if right else 'wrong'}"] += 1
        said.append((model.confidence(chance), float(right)))
    yield from (f"  {kind}: {count}" for kind, count in sorted(counts.items()))
    sure, true = np.array(said).T
    yield from table(bins(sure, true))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("photos", type=Path, help="folder of the training photos")
    parser.add_argument("--out", type=Path, default=Path("build/provenance-fit"))
    parser.add_argument("--dry-run", action="store_true", help="print, but write nothing")
    options = parser.parse_args()
    parts = split(options.photos)
    out = options.out
    fitted = [c for n in SEEDS for c in cases(parts.calibration, out / f"calibration-{n}", n)]
    held = cases(parts.validation, out / "validation", HELD_OUT)
    weights = fit(fitted)
    said = apart_from(fitted)
    line = confidence(fitted, said)
    entry = model_entry(weights, threshold(fitted, said, line), line, len(fitted))
    print(json.dumps(entry, indent=1))
    model = from_entry(entry)
    for name, data in (("fitted", fitted), ("held out", held)):
        print(name, *measured(data, model), sep="\n")
    if not options.dry_run:
        DESTINATION.write_text(json.dumps(entry, indent=1) + "\n", "utf-8")


def model_entry(
    weights: Floats, least: float, line: tuple[float, float], count: int
) -> dict[str, Any]:
    """What model.json holds; weights of nothing are left out."""
    named = {kind: float(w) for kind, w in zip(CLUES, weights, strict=True) if w}
    values = {"weights": named, "threshold": least, "confidence": line}
    version = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
    made = {"command": "python -m training.provenance PHOTOS", "families": count}
    return {"version": version, "made": made, **values}


if __name__ == "__main__":
    main()
