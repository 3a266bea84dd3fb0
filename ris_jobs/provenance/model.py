"""What clues are worth: additive log-odds, fitted on families with a known source."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

__all__ = ["Model", "from_entry", "model"]


@dataclass(frozen=True, slots=True)
class Model:
    """``weights`` are natural log-odds for each unit of a clue. A source is named where its chance
    among the members is ``threshold`` (0–1) or more; ``line``, which rises, is what its confidence
    follows from. ``version`` says which fit it is. ValueError where a source would be named that is
    more probably wrong than right."""

    weights: Mapping[str, float]
    threshold: float
    line: tuple[float, float]
    version: str

    def __post_init__(self) -> None:
        slope, _ = self.line
        if slope <= 0 or self.confidence(self.threshold) < 0.5:
            raise ValueError(f"model {self.version}: names sources that are rather wrong")

    def odds(self, clues: Mapping[str, float]) -> float:
        """Log-odds that an image was made from another; above 0: rather so than not."""
        return math.fsum(self.weights.get(kind, 0.0) * value for kind, value in clues.items())

    def confidence(self, chance: float) -> float:
        """The probability (0–1) that a named source of that ``chance`` is right."""
        slope, intercept = self.line
        bounded = min(max(chance, 1e-6), 1 - 1e-6)
        return 1 / (1 + math.exp(-slope * math.log(bounded / (1 - bounded)) - intercept))


def from_entry(values: Mapping[str, Any]) -> Model:
    """The model that model.json describes."""
    slope, intercept = values["confidence"]
    return Model(values["weights"], values["threshold"], (slope, intercept), values["version"])


@lru_cache(maxsize=1)
def model() -> Model:
    """The model that ships; `python -m training.provenance` writes it."""
    return from_entry(json.loads(files(__package__).joinpath("model.json").read_text("utf-8")))
