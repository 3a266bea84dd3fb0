"""How a probability follows from what was seen: feature by feature, to check it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ris_jobs.match.calibration import Calibration
from ris_jobs.match.probability import logistic

__all__ = ["Derivation", "Term", "derivation"]

# Evidence keeps four digits of each feature; a probability changes by a quarter of its score.
_ROUNDED = 0.00005 / 4
_STORED = 1e-6


@dataclass(frozen=True, slots=True)
class Term:
    """One feature: its ``value``, its ``weight``, and what both add to the score."""

    feature: str
    value: float
    weight: float

    @property
    def contribution(self) -> float:
        return self.value * self.weight


@dataclass(frozen=True, slots=True)
class Derivation:
    """``score`` is ``intercept`` plus all contributions; ``probability`` (0–1) is
    1 / (1 + exp(−score)); ``unweighted`` are the features that count for nothing."""

    intercept: float
    terms: tuple[Term, ...]
    unweighted: Mapping[str, float]
    probability: float

    @property
    def score(self) -> float:
        return self.intercept + sum(term.contribution for term in self.terms)

    def gives(self, stored: float) -> bool:
        """Whether it gives a stored probability, as far as rounded features can tell."""
        slack = _STORED + _ROUNDED * sum(abs(term.weight) for term in self.terms)
        return abs(self.probability - stored) <= slack


def derivation(features: Mapping[str, float], calibration: Calibration) -> Derivation | None:
    """The largest contributions first; None where a weighted feature is not known."""
    model = logistic(features, calibration)
    if not features or not model.weights.keys() <= features.keys():
        return None
    terms = [Term(name, features[name], weight) for name, weight in model.weights.items()]
    terms.sort(key=lambda term: -abs(term.contribution))
    unweighted = {name: v for name, v in features.items() if name not in model.weights}
    return Derivation(model.intercept, tuple(terms), unweighted, model.probability(features))
