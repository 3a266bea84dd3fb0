"""The fitted coefficients behind probabilities: versioned data, one entry a descriptor model, and
former entries by their version, so that what was judged by them can be judged again.

``calibration.json`` is written by ``python -m training.calibrate``, which prints how reliable
the probabilities are on pairs it was not fitted on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

__all__ = ["ANY_MODEL", "Calibration", "Logistic", "entry_version"]

# The entry for models that were never calibrated: it gives the cosine no weight.
ANY_MODEL = "any"


@dataclass(frozen=True, slots=True)
class Logistic:
    """Probability 1 / (1 + exp(−(intercept + Σ weight · feature)))."""

    intercept: float
    weights: Mapping[str, float]

    def probability(self, features: Mapping[str, float]) -> float:
        """0–1; ``features`` holds at least every weighted name."""
        score = self.intercept + sum(w * features[name] for name, w in self.weights.items())
        return float(1 / (1 + np.exp(-np.clip(score, -30.0, 30.0))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """How one model's cosines are read. ``search_cosine`` is the cosine from which a pair whose
    hashes differ is looked at by its pixels; ``pixels`` and ``hashes`` give the probability
    with and without previews. ``version`` is 12 hex digits over the entry's content."""

    model: str
    version: str
    search_cosine: float
    pixels: Logistic
    hashes: Logistic

    @classmethod
    def for_model(cls, model: str) -> Calibration:
        """The entry fitted for ``model``, or the one for any model, which gives the cosine no
        weight and rests on hashes and pixels alone."""
        entries = _shipped()["models"]
        name = model if model in entries else ANY_MODEL
        return cls.from_entry(name, entries[name])

    @classmethod
    def of_version(cls, version: str) -> Calibration | None:
        """The entry of that version, also a former one; None where it is not kept."""
        former = ((entry["model"], entry) for entry in _shipped()["former"].values())
        for model, entry in (*_shipped()["models"].items(), *former):
            if entry["version"] == version:
                return cls.from_entry(model, entry)
        return None

    @classmethod
    def from_entry(cls, model: str, entry: Mapping[str, Any]) -> Calibration:
        return cls(
            model=model,
            version=entry_version(entry),
            search_cosine=float(entry["search_cosine"]),
            pixels=Logistic(**entry["pixels"]),
            hashes=Logistic(**entry["hashes"]),
        )


def entry_version(entry: Mapping[str, Any]) -> str:
    """12 hex digits that change when any coefficient does."""
    deciding = {name: entry[name] for name in ("search_cosine", "pixels", "hashes")}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]


@cache
def _shipped() -> dict[str, dict[str, Any]]:
    text = resources.files("ris_jobs.match").joinpath("calibration.json").read_text("utf-8")
    shipped: dict[str, dict[str, Any]] = json.loads(text)
    return shipped
