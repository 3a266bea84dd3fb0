"""What is unusual about a night: shares and scores, by the nights before it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from ris_jobs.report.anomalies import BINS, anomalies, by_chance, drift, psi
from ris_jobs.report.views import Pairs, StageTime, Summary

counts = st.lists(st.integers(0, 1000), min_size=BINS, max_size=BINS)


def night(images: int = 1000, rejected: int = 10, matched: int = 300, high: float = 0.9) -> Summary:
    """One whose pairs lie mostly in the last bins; ``high`` is their share there."""
    pairs = 2 * matched
    cosines = [0] * (BINS - 2) + [round(pairs * (1 - high)), round(pairs * high)]
    return Summary(
        run_id="1",
        roots=(),
        seen=images,
        new=images,
        changed=0,
        unchanged=0,
        gone=0,
        fingerprinted=images - rejected,
        quarantined={},
        matches={},
        suppressed=0,
        families=0,
        stages=(StageTime("match", 1.0, images - rejected),),
        rejected=rejected,
        matched=matched,
        cosines=tuple(cosines),
    )


@pytest.fixture
def usual() -> list[Summary]:
    """Two weeks, each night a little different."""
    rng = random.Random(3)
    return [
        night(rejected=rng.randint(5, 15), matched=rng.randint(270, 330), high=rng.gauss(0.9, 0.01))
        for _ in range(14)
    ]


def test_a_night_like_the_others_is_usual(usual: list[Summary]) -> None:
    assert anomalies(night(), usual, timedelta(hours=24)) == ()


def test_two_weeks_of_the_same_do_not_make_chance_unusual() -> None:
    assert anomalies(night(images=60, rejected=3, matched=15), [night()] * 14) == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rejected": 120}, "12.0\u00a0% of the images were quarantined (usual: 0"),
        ({"matched": 30}, "3.0\u00a0% of the images matched another (usual: 2"),
        ({"matched": 800}, "of the images matched another"),
        ({"high": 0.3}, "cosines of pairs drifted: stability index 1."),
    ],
)
def test_what_is_out_of_range_is_said(
    usual: list[Summary], changed: dict[str, float], said: str
) -> None:
    (sentence,) = anomalies(night(**changed), usual)  # type: ignore[arg-type]
    assert said in sentence


def test_a_late_night_is_said(usual: list[Summary]) -> None:
    (sentence,) = anomalies(night(), usual, timedelta(hours=50))
    assert sentence == "the scan before ended 50 hours earlier"


def test_pairs_that_could_not_be_judged_are_said() -> None:
    (sentence,) = anomalies(replace(night(), pairs=Pairs(failed=1)), [])
    assert sentence == "1 pair could not be judged: the log names the images"


def test_few_nights_few_images_and_few_pairs_say_nothing(usual: list[Summary]) -> None:
    strange = {"rejected": 500, "matched": 1, "high": 0.1}
    assert anomalies(night(**strange), usual[:4]) == ()  # type: ignore[arg-type]
    assert anomalies(night(images=20, rejected=20, matched=0), usual) == ()
    assert drift(night(matched=20), usual) is None
    old = [replace(n, cosines=()) for n in usual]
    assert drift(night(), old) is None


@given(counts, counts)
def test_the_index_is_0_for_equals_and_the_same_both_ways(one: list[int], two: list[int]) -> None:
    assert psi(one, one) == 0
    assert psi(one, two) == pytest.approx(psi(two, one)) and psi(one, two) >= 0


def test_the_index_of_a_worked_example() -> None:
    # Halves against 3 : 1, of counts so large that the half of one does not matter.
    found = psi([10**9, 10**9], [15 * 10**8, 5 * 10**8])
    assert found == pytest.approx(0.25 * 1.0986122887, rel=1e-6)


@pytest.mark.parametrize("bins", [2, 14, 50])
def test_what_chance_gives_is_the_quantile_of_chi_square(bins: int) -> None:
    wanted = chi2.ppf(0.999, bins - 1) * (1 / 200 + 1 / 5000)
    assert by_chance(200, 5000, bins) == pytest.approx(wanted, rel=0.06)


def test_samples_of_one_population_seldom_exceed_what_chance_gives() -> None:
    rng = random.Random(1)
    weights = range(1, BINS + 1)

    def sample(n: int) -> list[int]:
        drawn = rng.choices(range(BINS), weights, k=n)
        return [drawn.count(bin) for bin in range(BINS)]

    limit = by_chance(400, 4000, BINS)
    assert sum(psi(sample(400), sample(4000)) > limit for _ in range(300)) <= 3
