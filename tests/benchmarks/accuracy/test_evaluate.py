from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.accuracy.evaluate import evaluate
from benchmarks.accuracy.results import Interval, Result
from tests.benchmarks.accuracy.nine import ROWS, described, near


def test_the_descriptor_track_counts_strangers_negatives_and_unread_files(found: Result) -> None:
    measures = found.overall.measures
    assert measures["uap"].value == pytest.approx((1 / 1 + 2 / 4 + 0) / 3)
    assert measures["recall_p90"].value == pytest.approx(1 / 3)
    assert measures["recall_1"].value == pytest.approx(2 / 3)
    assert found.thresholds == {"recall_p90": pytest.approx(0.9), "recall_p99": pytest.approx(0.9)}


def test_a_negative_does_not_find_itself(found: Result) -> None:
    """The diagonal holds 1, which would come before every copy."""
    assert found.overall.measures["recall_p99"].value > 0


def test_two_negatives_are_one_pair() -> None:
    """In order: copy 5, the negatives, copies 6 and 7."""
    similarity = near(s05=0.9, s34=0.8, s16=0.7, s07=0.6)
    measures = evaluate(ROWS, described(), similarity).overall.measures
    assert measures["uap"].value == pytest.approx((1 / 1 + 2 / 3 + 3 / 4) / 3)


def test_negatives_that_show_one_photo_are_no_pair() -> None:
    """In order: copies 5, 6 and 7; the negatives would come second."""
    similarity = near(s05=0.9, s34=0.8, s16=0.7, s07=0.6)
    groups = {3: "screen", 4: "frame"}
    rows = [
        replace(row, photo="a.jpg", group=groups[n]) if n in groups else row
        for n, row in enumerate(ROWS)
    ]
    assert evaluate(rows, described(), similarity).overall.measures["uap"].value == 1


def test_trained_and_untrained_edits_are_told_apart(found: Result) -> None:
    assert found.trained is not None and found.untrained is not None
    assert (found.overall.copies, found.trained.copies, found.untrained.copies) == (3, 2, 1)
    assert found.trained.measures["uap"].value == pytest.approx((1 / 1 + 2 / 4) / 2)
    assert found.untrained.measures["uap"].value == 0


def test_variants_are_held_to_the_threshold_of_all(found: Result) -> None:
    recall = {group.name: group.measures["recall_p90"].value for group in found.variants}
    assert recall == {"crop_50": 0, "crop_10": 1, "collage_2x2": 0}
    crop = found.families[0]
    assert (crop.name, crop.copies, crop.strength, crop.trained) == ("crop", 2, None, True)
    assert crop.measures["recall_p90"] == Interval(0.5, 0, 1)
    assert crop.measures["recall_1"] == crop.measures["candidates_1"] == Interval(1, 1, 1)


def test_candidates_are_sought_in_the_whole_collection() -> None:
    """Two copies of one photo are nearer to each other than to it, which is nearest to one."""
    similarity = near(s57=0.9, s05=0.8, s07=0.7, s16=0.6)
    measures = evaluate(ROWS, described(), similarity).overall.measures
    assert measures["recall_1"].value == 1
    assert measures["candidates_1"].value == pytest.approx(2 / 3)  # 5 from its source's side
    assert measures["candidates_10"].value == 1


def test_intervals_hold_their_figure_and_repeat(found: Result) -> None:
    for figure in found.overall.measures.values():
        assert 0 <= figure.low <= figure.value <= figure.high <= 1
    assert found.overall.measures["recall_p90"].low < found.overall.measures["recall_p90"].high
