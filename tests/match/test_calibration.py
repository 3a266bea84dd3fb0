from __future__ import annotations

import json
import math
from importlib import resources

import pytest

from ris_jobs.fingerprint import descriptor
from ris_jobs.match import Side
from ris_jobs.match.alignment import Alignment
from ris_jobs.match.calibration import ANY_MODEL, Calibration, Logistic, entry_version
from ris_jobs.match.probability import features, probability
from ris_jobs.match.rerank import HashDistance
from tests.store.samples import AT, fingerprint

pytest.importorskip("matplotlib", reason="only training draws: pip install ris-jobs[bench]")
from training.calibrate import fit

ENTRIES = json.loads(resources.files("ris_jobs.match").joinpath("calibration.json").read_text())
NEAR, FAR = HashDistance(1, 2, 3, 20), HashDistance(1, 20, 20, 120)
BY_HASHES = Alignment(1, None, None, True)


def side(*commonness: float) -> Side:
    return Side(1, "0" * 64, fingerprint(), AT, commonness)


PAIR = (side(0.0), side(0.0))


def test_a_logistic_model_is_the_textbook_formula():
    model = Logistic(-1.0, {"a": 2.0, "b": -3.0})
    assert model.probability({"a": 1.5, "b": 0.5, "c": 9}) == pytest.approx(
        1 / (1 + math.exp(-0.5))
    )


def test_extreme_scores_stay_probabilities():
    model = Logistic(0.0, {"a": 1.0})
    assert 0 < model.probability({"a": -1e9}) < model.probability({"a": 1e9}) < 1


@pytest.mark.parametrize("name", ENTRIES["models"])
def test_every_shipped_entry_loads_and_its_version_is_that_of_its_content(name):
    entry = ENTRIES["models"][name]
    calibration = Calibration.for_model(name)
    assert calibration.model == name
    assert calibration.version == entry["version"] == entry_version(entry)
    assert -1 <= calibration.search_cosine <= 1


@pytest.mark.parametrize("version", ENTRIES["former"])
def test_every_former_entry_is_kept_by_its_version(version):
    entry = ENTRIES["former"][version]
    calibration = Calibration.of_version(version)
    assert calibration == Calibration.from_entry(entry["model"], entry)
    assert calibration.version == version == entry["version"]
    assert Calibration.for_model(calibration.model) != calibration


@pytest.mark.parametrize("version", ENTRIES["former"])
def test_what_a_former_entry_weighs_is_still_measured(version):
    """Else `ris replay` must refuse what was judged by it."""
    calibration = Calibration.of_version(version)
    assert calibration.pixels.weights.keys() <= set(fit.PIXELS)
    assert calibration.hashes.weights.keys() <= set(fit.HASHES)


@pytest.mark.parametrize("name", ENTRIES["models"])
def test_a_version_names_the_current_entry_too(name):
    current = Calibration.for_model(name)
    assert Calibration.of_version(current.version) == current


def test_a_version_that_is_not_kept_is_none():
    assert Calibration.of_version("older") is None


def test_an_entry_that_is_replaced_is_kept():
    first, second, third, other = map(_fitted, (0.1, 0.2, 0.3, 0.4))
    shipped = {"former": {}, "models": {"a": first, "b": other}}
    once = fit.renewed(shipped, {"a": second})
    assert once["models"] == {"a": second, "b": other}
    assert once["former"] == {first["version"]: {**first, "model": "a"}}
    twice = fit.renewed(once, {"a": third, "b": third})
    kept = {e["version"]: {**e, "model": "a"} for e in (first, second)}
    kept[other["version"]] = {**other, "model": "b"}
    assert twice == {"former": kept, "models": {"a": third, "b": third}}


def test_a_former_entry_that_is_current_again_is_former_no_more():
    first, second = _fitted(0.1), _fitted(0.2)
    once = fit.renewed({"former": {}, "models": {"a": first}}, {"a": second})
    assert fit.renewed(once, {"a": first})["former"].keys() == {second["version"]}


def test_an_entry_that_comes_out_as_it_was_is_not_kept_twice():
    same = _fitted(0.1)
    shipped = {"former": {}, "models": {"a": same}}
    again = {**same, "made": "on another day"}
    assert fit.renewed(shipped, {"a": again, "b": _fitted(0.2)})["former"] == {}


def _fitted(search_cosine):
    model = {"intercept": 0.0, "weights": {}}
    fitted = {"search_cosine": search_cosine, "pixels": model, "hashes": model}
    return {**fitted, "version": entry_version(fitted)}


@pytest.mark.parametrize("name", ENTRIES["models"])
def test_no_evidence_counts_the_wrong_way(name):
    calibration = Calibration.for_model(name)
    assert {"agreement", "inliers", "complexity"} <= calibration.pixels.weights.keys()
    for model in (calibration.pixels, calibration.hashes):
        for feature, weight in model.weights.items():
            assert weight >= 0 or feature not in fit.FOR
            assert weight <= 0 or feature not in fit.AGAINST


@pytest.mark.parametrize("name", ENTRIES["models"])
def test_an_entry_weighs_what_is_measured(name):
    of_others = fit.OF_THE_MODEL if name == ANY_MODEL else ()
    calibration = Calibration.for_model(name)
    for model, names in (
        (calibration.pixels, fit.PIXELS),
        (calibration.hashes, fit.HASHES),
    ):
        assert model.weights.keys() == set(names) - set(of_others)


@pytest.mark.parametrize("name", ENTRIES["models"])
def test_nearer_hashes_are_likelier_copies(name):
    calibration = Calibration.for_model(name)
    near, far = (
        probability(features(PAIR, (0, 0), 0.8, distance, BY_HASHES), calibration)
        for distance in (NEAR, FAR)
    )
    assert far < near and near > 0.5


def test_a_model_never_calibrated_rests_on_hashes_and_pixels():
    calibration = Calibration.for_model("unheard-of-7")
    assert calibration.model == ANY_MODEL
    high, low = (
        probability(features(PAIR, (0, 0), cosine, NEAR, BY_HASHES), calibration)
        for cosine in (0.9, 0.1)
    )
    assert high == low


def test_what_everybody_has_is_less_likely_a_copy():
    builtin = descriptor.spec("builtin").id
    plain, common = (
        probability(
            features((side(common), side(common)), (0, 0), 0.8, NEAR, BY_HASHES),
            Calibration.for_model(builtin),
        )
        for common in (0.1, 0.7)
    )
    assert common < plain


def test_the_part_that_was_compared_decides_how_common_it_is():
    found = features((side(0.1, 0.5), side(0.3)), (1, 0), 0.8, NEAR, BY_HASHES)
    assert found["common"] == pytest.approx(0.4)


def test_the_version_changes_with_any_coefficient():
    entry = ENTRIES["models"][ANY_MODEL]
    changed = {**entry, "search_cosine": entry["search_cosine"] + 0.01}
    assert entry_version(changed) != entry_version(entry)
    assert entry_version({**entry, "made": "elsewhere"}) == entry_version(entry)
