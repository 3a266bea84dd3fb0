"""A probability can be re-derived, and one that does not follow is found out."""

from __future__ import annotations

import pytest

from ris_jobs.match.calibration import Calibration, Logistic
from ris_jobs.match.derivation import derivation

CALIBRATION = Calibration(
    "mine",
    "v",
    0.5,
    Logistic(-1.0, {"agreement": 4.0, "cosine": 0.5}),
    Logistic(0.0, {"cosine": 2.0}),
)


def test_terms_add_up_the_largest_first():
    found = derivation({"cosine": 0.8, "agreement": 0.9, "changed": 0.1}, CALIBRATION)
    assert [(t.feature, t.contribution) for t in found.terms] == [
        ("agreement", pytest.approx(3.6)),
        ("cosine", pytest.approx(0.4)),
    ]
    assert found.score == pytest.approx(3.0)
    assert found.probability == pytest.approx(0.952574, abs=1e-6)
    assert found.unweighted == {"changed": 0.1}


def test_without_previews_the_other_coefficients_count():
    found = derivation({"cosine": 0.5}, CALIBRATION)
    assert (found.score, found.probability) == (1.0, pytest.approx(0.731059, abs=1e-6))


def test_only_what_rounding_explains_is_taken_for_the_same():
    found = derivation({"cosine": 0.5}, CALIBRATION)
    assert found.gives(0.73107) and not found.gives(0.7312)


@pytest.mark.parametrize("features", [{}, {"agreement": 0.9}])
def test_features_that_another_version_kept_derive_nothing(features):
    assert derivation(features, CALIBRATION) is None
