"""From pairs to the coefficients in calibration.json."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ris_jobs.match import examine
from ris_jobs.match.calibration import entry_version
from ris_jobs.match.compared import Compared
from training.calibrate.pairs import COPIES, GRAPHICS, NINEFOLD, OTHERS, Scan, loader

# Pairs taken of copies, of each group of pictures that look alike, and of others.
PAIRS = {COPIES: 2500, OTHERS: 2500}
OF_A_GROUP = 800
SEARCHES = 16
# For models that were never calibrated: their cosines are not known to mean anything.
ANY_SEARCH = 0.5
OF_THE_MODEL = ("cosine", "partly", "common", "template", "unlike")
HASHES = ("cosine", "partly", "common", "hashes", "complexity")
PIXELS = (
    *("agreement", "correlation", "differs", "template", "unlike"),
    *("inside", "verified", "inliers", "plain", "other"),
    *("filled", "parallax", "stray"),
    *HASHES,
)
# What speaks for a copy may not be fitted to speak against one, nor the reverse: pictures that
# look alike are the nearest of all, and a fit left to itself turns the cosine round.
FOR = frozenset({"agreement", "correlation", "inliers", "cosine", "complexity"})
AGAINST = frozenset(
    {"differs", "template", "unlike", "common", "hashes", "plain", "other"}
    | {"filled", "parallax", "stray"}
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Pairs with their features, ``groups`` as of :meth:`Scan.groups`, and ``weight``: how many
    pairs of the scan each stands for."""

    rows: list[dict[str, float]]
    groups: npt.NDArray[np.str_]
    weight: Floats

    @property
    def truth(self) -> Floats:
        """(pairs,), 1 for copies."""
        return (self.groups == COPIES).astype(float)

    def only(self, kept: npt.NDArray[np.bool_]) -> Sample:
        rows = [row for row, keep in zip(self.rows, kept, strict=True) if keep]
        return Sample(rows, self.groups[kept], self.weight[kept])


def search_cosine(fitted: Scan) -> float:
    """From which cosine pixels are looked at though hashes are far apart: 99.5 % of such copies
    reach it, unless more than :data:`SEARCHES` other pairs an image do too; then cost decides."""
    far = np.array([not examine.hashes_near(d) for d in fitted.distances])
    far &= np.array([pair.rank < examine.SEARCHED for pair in fitted.pairs])
    cosines = np.array([p.cosine for p in fitted.pairs])
    others = -np.sort(-cosines[far & ~fitted.same])
    affordable = others[: SEARCHES * len(fitted.items)][-1:]
    return round(float(max(np.quantile(cosines[fitted.same & far], 0.005), *affordable)), 3)


def sample(
    of: Scan, search: float, rng: np.random.Generator, without: Collection[str] = ()
) -> Sample:
    """What a scan would confirm of some pairs of each group, but for some groups."""
    places, groups, weight = [], [], []
    for name, all_of_it in of.groups().items():
        if name in without:
            continue
        kept = rng.permutation(all_of_it)[: PAIRS.get(name, OF_A_GROUP)]
        places.extend(kept.tolist())
        groups.extend([name] * len(kept))
        each = NINEFOLD if name in GRAPHICS else 1.0
        weight.extend([each * len(all_of_it) / len(kept)] * len(kept))
    order = sorted(range(len(places)), key=places.__getitem__)
    sides = {item.side.image_id: item.side for item in of.items}
    pairs = [of.pairs[places[n]] for n in order]
    seen = examine.examine(
        pairs,
        Compared.of(pairs, sides),
        examine.Previews(loader(of)),
        search,
        examine.Reached(),
    )
    rows, confirmed = [], []
    with threadpool_limits(1, "blas"):
        for n, found in zip(order, tqdm(seen, "examine", len(order), disable=None), strict=True):
            if found is not None:
                rows.append(dict(found.features))
                confirmed.append(n)
    return Sample(rows, np.array(groups)[confirmed], np.array(weight)[confirmed])


def with_more(suite: Sample, further: Sample) -> Sample:
    """Both together; each group of ``further`` weighs what it weighs in the suite."""
    groups = np.concatenate([suite.groups, further.groups])
    weight = np.concatenate([suite.weight, np.zeros(len(further.rows))])
    for name in np.unique(further.groups):
        weight[groups == name] = weight[groups == name].mean()
    return Sample([*suite.rows, *further.rows], groups, weight)


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


def renewed(shipped: Mapping[str, Any], entries: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What calibration.json holds with ``entries``, by model: those of other models stay, and those
    that are replaced are kept by their version, for what was judged by them."""
    models = {**shipped["models"], **entries}
    before = {e["version"]: {**e, "model": name} for name, e in shipped["models"].items()}
    former = shipped["former"] | before
    for current in models.values():
        former.pop(current["version"], None)
    return {"former": former, "models": models}
