"""The built-in model on a small suite: what it finds may not become less.

Of so few files fifty are a tenth, among which nearly everything is found; so parts are measured
among ten. The figures are not those of the full bench.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks.accuracy.described import as_scanned, similarity
from benchmarks.accuracy.evaluate import evaluate
from benchmarks.accuracy.results import Group, Result
from benchmarks.accuracy.suite import build
from benchmarks.accuracy.systems import PDQ, systems

# A few points below what version 2 of the model reaches; the loss of its regions, of the
# background, of the handicap or of the hashes falls below.
FLOORS = {
    "µAP": 0.92,
    "candidates@50": 0.97,
    "candidates@10": 0.955,
    "whole pictures": 0.96,
    "crops": 0.87,
    "pasted": 0.87,
    "collages": 0.90,
    "screenshots": 0.87,
}
PARTS = {
    "crops": {"crop"},
    "pasted": {"pasted"},
    "collages": {"collage"},
    "screenshots": {"phone", "desktop"},
}
MIXED = {"chain"}


@pytest.fixture(scope="module")
def found(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("floor") / "suite"
    suite = build(shared / "photos" / "eval", folder, limit=40, per_variant=3)
    (builtin,) = (s for s in systems(shared / "weights") if s.name == "builtin")
    described = builtin.describe(suite.paths, lambda _: None)
    hashes = PDQ.describe(suite.paths, lambda _: None)
    near = similarity(described, described)
    return evaluate(suite.rows, described, near, as_scanned(described, hashes))


def candidates(groups: Iterable[Group]) -> float:
    """The share of their copies that is found among ten candidates."""
    chosen = list(groups)
    hits = sum(group.copies * group.measures["candidates_10"].value for group in chosen)
    return hits / sum(group.copies for group in chosen)


def measured(found: Result) -> dict[str, float]:
    apart = MIXED.union(*PARTS.values())
    overall = found.overall.measures
    return {
        "µAP": overall["uap"].value,
        "candidates@50": overall["candidates_50"].value,
        "candidates@10": overall["candidates_10"].value,
        "whole pictures": candidates(g for g in found.families if g.name not in apart),
    } | {
        part: candidates(g for g in found.families if g.name in families)
        for part, families in PARTS.items()
    }


@pytest.mark.slow(90)
def test_the_built_in_model_finds_no_less_than_before(found: Result) -> None:
    figures = measured(found)
    fallen = {name: figure for name, figure in figures.items() if figure < FLOORS[name]}
    assert fallen == {}, f"of {figures}"
