"""Weights that are fitted on drawn families, and what is named by them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ris_jobs.provenance.clues import CLUES
from ris_jobs.provenance.model import Model, from_entry
from training.provenance import (
    LEAST,
    SET,
    THRESHOLDS,
    Case,
    apart_from,
    chances,
    confidence,
    fit,
    measured,
    model_entry,
    named,
    threshold,
)

RESOLUTION, CAMERA = CLUES.index("resolution"), CLUES.index("camera")
ENLARGEMENT = CLUES.index("enlargement")


def case(*, decidable: bool = True, told: bool = True, camera: float = 0.0) -> Case:
    """Two images; the first is the source, the second is smaller where that is ``told``."""
    rows = np.zeros((2, 1, len(CLUES)))
    rows[:, 0, RESOLUTION] = (-1.0, 1.0) if told else (0.0, 0.0)
    rows[:, 0, CAMERA] = (-camera, camera)
    truth = np.array([1.0, 0.0] if decidable else [0.5, 0.5])
    return Case("photo", decidable, list(rows), truth, np.array([False, False]))


MIXED = [
    replace(drawn, photo=f"{n:02}")
    for n, drawn in enumerate(
        [case(camera=c) for c in (1, 1, 1, -1)] * 5 + [case(decidable=False, told=False)] * 5
    )
]


def test_what_tells_gets_weight_and_a_camera_little() -> None:
    weights = fit(MIXED)
    assert weights[RESOLUTION] > 3
    assert 0 < weights[CAMERA] <= 1
    assert weights.min() >= 0
    assert weights[CLUES.index("border")] == pytest.approx(0, abs=0.01)
    assert weights[CLUES.index("manifest")] == SET["manifest"]
    assert weights[CLUES.index("faded")] == LEAST["faded"]


def test_equals_share_their_chance_and_the_threshold_is_above_it() -> None:
    weights = fit(MIXED)
    assert named(MIXED[-1], weights) == (0, pytest.approx(0.5))
    assert named(MIXED[0], weights)[1] > 0.9
    said = apart_from(MIXED)
    assert threshold(MIXED, said, confidence(MIXED, said)) == THRESHOLDS[0] == 0.68


def test_the_threshold_leaves_out_what_is_rather_wrong() -> None:
    """Of three sources with a chance of 0.7 one is right, as are all with more."""
    families = [case()] * 200 + [case(decidable=False)] * 20
    said = [(1, 0.7)] * 20 + [(0, 0.7)] * 10 + [(0, 0.95)] * 170 + [(0, 0.5)] * 20
    line = confidence(families, said)
    least = threshold(families, said, line)
    model = Model({}, least, line, "")
    assert 0.7 < least < 0.95
    assert model.confidence(least - 0.01) < 0.5 <= model.confidence(least)


def test_a_family_has_no_say_in_what_is_said_of_it_for_the_threshold() -> None:
    lone = case(camera=0.0, told=True)
    rows = [row * 0 for row in lone.clues]
    rows[0][:, CLUES.index("ghost")], rows[1][:, CLUES.index("ghost")] = -1.0, 1.0
    odd = Case("odd", True, rows, lone.truth, lone.apart)
    assert named(odd, fit([*MIXED, odd]))[1] > 0.6
    assert apart_from([*MIXED, odd])[-1][1] == pytest.approx(0.5)
    twice = apart_from([*MIXED, odd, odd])[-2:]
    assert [chance for _, chance in twice] == [pytest.approx(0.5)] * 2


def test_what_is_apart_from_another_is_never_named() -> None:
    one = case()
    apart = Case(one.photo, True, one.clues, one.truth, np.array([True, False]))
    assert named(apart, fit(MIXED)) == (0, 0.0)


def test_an_enlargement_is_never_named() -> None:
    drawn = case()
    rows = [np.repeat(row, 2, axis=0) for row in drawn.clues]
    rows[0][:, RESOLUTION], rows[0][:, ENLARGEMENT] = (0.0, -1.0), (1.0, 0.0)
    enlarged = Case(drawn.photo, True, rows, drawn.truth, drawn.apart)
    weights = fit(MIXED)
    weights[ENLARGEMENT] = 1.0
    assert chances(enlarged, weights)[0] > 0.9
    assert named(enlarged, weights) == (0, 0.0)


def test_the_entry_is_a_model_that_is_measured() -> None:
    weights = fit(MIXED)
    said = apart_from(MIXED)
    line = confidence(MIXED, said)
    entry = model_entry(weights, threshold(MIXED, said, line), line, len(MIXED))
    model = from_entry(entry)
    assert model.weights["resolution"] == weights[RESOLUTION]
    assert model.version == entry["version"]
    lines = list(measured(MIXED, model))
    assert "  decidable, right: 20" in lines
    assert "  undecidable, undetermined: 5" in lines
    assert 0.9 < model.confidence(0.99) < 1
