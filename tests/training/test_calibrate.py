"""What probabilities are fitted on: further pictures that look alike, and what each pair weighs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.accuracy.negatives import GROUPS, SCENE_VIEWS, SHOWING
from training.calibrate import alike as drawing
from training.calibrate.alike import alike
from training.calibrate.fit import Sample, fit, with_more


def sample(groups: str, weight: float) -> Sample:
    names = {"c": "copies", "o": "others", "v": "views", "l": "logo"}
    found = [names[letter] for letter in groups]
    return Sample(
        [{"of": n} for n in range(len(found))], np.array(found), np.full(len(found), weight)
    )


def test_each_group_weighs_what_it_weighs_in_the_suite() -> None:
    both = with_more(sample("ccovvl", 3.0), sample("vvvlll", 1.0))
    assert len(both.rows) == 12 and both.truth.sum() == 2
    for group, weight in {"copies": 6, "others": 3, "views": 6, "logo": 3}.items():
        assert both.weight[both.groups == group].sum() == pytest.approx(weight)
    # Of one group every pair weighs the same, whichever it is from.
    assert np.ptp(both.weight[both.groups == "views"]) == 0


def test_a_fit_finds_the_model_that_drew_the_pairs() -> None:
    rng = np.random.default_rng(3)
    rows = [{"hashes": x, "complexity": y} for x, y in rng.random((4000, 2)).tolist()]
    chance = expit([1 - 6 * row["hashes"] + 4 * row["complexity"] for row in rows])
    groups = np.where(rng.random(len(rows)) < chance, "copies", "others")
    found = fit(Sample(rows, groups, np.ones(len(rows))), ("hashes", "complexity"), ridge=1e-4)
    assert found["intercept"] == pytest.approx(1, abs=0.4)
    assert found["weights"] == pytest.approx({"hashes": -6, "complexity": 4}, abs=0.6)


def test_what_looks_alike_is_drawn_again_the_same(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "SERIES", 1)
    named = sorted(photos.iterdir())
    rows, files = zip(*alike(named, 5), strict=True)
    assert files == tuple(data for _, data in alike(named, 5))
    assert len(set(files)) == len(files)
    count = Counter(row.group for row in rows)
    drawn = {name: group.series for name, group in {**GROUPS, **SHOWING}.items()}
    assert count == drawn | {SCENE_VIEWS: len(named)}
    # A photo is in a view or in a screen, so that no pair of two groups shows one photo.
    seen = {row.photo for row in rows if row.group == SCENE_VIEWS}
    assert seen.isdisjoint(row.photo for row in rows if row.group in SHOWING)
