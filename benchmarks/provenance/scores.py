"""Compares named sources and families with the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmarks.provenance.suite import Family
from benchmarks.reliability import bins, error


@dataclass(frozen=True, slots=True)
class Said:
    """What a system says of one family: the file it names as ``source``, None for undetermined,
    and how sure it is (0–1)."""

    source: str | None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Score:
    """Shares (0–1) but for the counts: of decidable families with the right source, undetermined
    ones; of families with a decoy those where it is chosen; of undecidable ones those left open."""

    decidable: int
    right: float
    open_decidable: float
    decoys: int
    decoy_chosen: float
    undecidable: int
    open_undecidable: float


def score(families: Sequence[Family], said: Sequence[Said]) -> Score:
    both = list(zip(families, said, strict=True))
    decidable = [(f, s) for f, s in both if f.source is not None]
    others = [s for f, s in both if f.source is None]
    decoys = [(f, s) for f, s in both if _decoys(f)]
    return Score(
        len(decidable),
        _share(s.source == f.source for f, s in decidable),
        _share(s.source is None for _, s in decidable),
        len(decoys),
        _share(s.source in _decoys(f) for f, s in decoys),
        len(others),
        _share(s.source is None for s in others),
    )


def calibration_error(families: Sequence[Family], said: Sequence[Said]) -> float:
    """Expected calibration error of the named sources' confidence; 0 where none is named."""
    named = [(f, s) for f, s in zip(families, said, strict=True) if s.source is not None]
    confidence = np.array([s.confidence for _, s in named])
    right = np.array([float(s.source == f.source) for f, s in named])
    return error(bins(confidence, right))


def pairs(families: Sequence[Family], family_of: Mapping[str, int]) -> tuple[float, float]:
    """Precision and recall (0–1) of the pairs of files that are put into one family."""
    true = {pair for f in families for pair in _pairs(file.name for file in f.members)}
    groups: dict[int, list[str]] = {}
    for name, family in family_of.items():
        groups.setdefault(family, []).append(name)
    found = {pair for names in groups.values() for pair in _pairs(names)}
    right = len(true & found)
    return right / max(1, len(found)), right / max(1, len(true))


def said_of(family: Family, family_of: Mapping[str, int], verdicts: Mapping[int, Said]) -> Said:
    """The verdict of the family that holds the source, else of that which holds most of the
    files; undetermined where there is none."""
    holds = Counter(family_of[f.name] for f in family.members if f.name in family_of)
    if family.source is not None:
        return verdicts.get(family_of.get(family.source, 0), Said(None, 0.0))
    return verdicts[max(sorted(holds), key=holds.__getitem__)] if holds else Said(None, 0.0)


def _pairs(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    return combinations(sorted(names), 2)


def _decoys(family: Family) -> set[str]:
    return {file.name for file in family.files if file.role == "decoy"}


def _share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / max(1, len(values))
