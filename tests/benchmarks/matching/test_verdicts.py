"""Counted by hand: two copies of a source, a stranger, a negative."""

from __future__ import annotations

from typing import Any

from pytest import approx

from benchmarks.accuracy.truth import Row
from benchmarks.matching.verdicts import compare, iou
from benchmarks.reliability import error

ROWS = (
    Row("0", "source", photo="a"),
    Row("1", "copy", "a", 0, "crop_50", relation="crop", box=(0, 0, 0.5, 1), scale=1.0),
    Row("2", "copy", "a", 0, "grey", relation="edited", scale=1.0),
    Row("3", "distractor", photo="b"),
    Row("4", "negative", group="logo"),
    Row("5", "negative", group="logo"),
    Row("6", "negative", photo="c", group="screen"),
    Row("7", "negative", photo="c", group="frame"),
    Row("8", "negative", photo="d", group="frame"),
)
NUMBERS = {row.file: number for number, row in enumerate(ROWS)}


def match(derived: int, source: int, relation: str = "crop", **more: Any) -> dict[str, Any]:
    usual = {"probability": 0.95, "suppressed": None, "box": None, "scale": 1.01}
    usual |= {"evidence": {"direction": "loss"}}
    named = {"derived_uri": str(derived), "source_uri": str(source), "relation": relation}
    return named | usual | more


def test_copies_are_found_with_relation_direction_box_and_scale() -> None:
    made = [match(1, 0, box=[0, 0, 0.52, 1]), match(0, 2, "crop")]
    found = compare(ROWS, made, NUMBERS)
    tally = found.tally(found.copies()[""])
    assert (tally.copies, tally.found, tally.told, tally.relation) == (2, 2, 2, 1)
    assert (tally.directed, tally.reversed) == (1, 1)
    assert (tally.boxes, tally.boxed, tally.scales, tally.scaled) == (1, 1, 1, 1)
    assert found.precision == 1
    assert found.copies("edit") == {"crop_50": [1], "grey": [2]}


def test_wrong_is_what_asks_and_what_may_answer() -> None:
    made = [match(4, 5), match(2, 3), match(1, 2), match(3, 0), match(4, 0, suppressed="template")]
    found = compare(ROWS, [*made, match(1, 0)], NUMBERS)
    assert [(one, two) for _, one, two in found.wrong] == [(4, 5), (2, 3)]
    assert found.precision == approx(1 / 3)


def test_screens_and_frames_are_wrong_together_unless_they_show_one_photo() -> None:
    found = compare(ROWS, [match(6, 7), match(7, 8)], NUMBERS)
    assert [(one, two) for _, one, two in found.wrong] == [(7, 8)]


def test_an_undetermined_direction_is_neither_right_nor_wrong() -> None:
    found = compare(ROWS, [match(0, 1, evidence={"direction": "undetermined"})], NUMBERS)
    tally = found.tally([1, 2])
    assert (tally.found, tally.directed, tally.reversed) == (1, 0, 0)


def test_what_is_said_of_two_copies_is_held_to_what_was_done_to_them() -> None:
    said = [
        match(derived, source, evidence={"direction": reason})
        for reason in ("containment", "pasted", "encoding")
        for derived, source in ((1, 2), (2, 1), (1, 0), (4, 5))
    ]
    found = compare(ROWS, said, NUMBERS)
    assert found.claims == {
        ("containment", True): 1,
        ("containment", False): 1,
        ("pasted", False): 2,
    }


def test_probabilities_are_held_to_the_truth_by_relation() -> None:
    made = [match(1, 0), match(2, 1), match(4, 5), match(3, 2, "edited", probability=0.6)]
    found = compare(ROWS, [*made, match(6, 7), match(4, 0, suppressed="hub")], NUMBERS)
    crops, edited, every = (found.reliability()[name] for name in ("crop", "edited", ""))
    assert [(b.pairs, b.said, b.true) for b in crops] == [(3, approx(0.95), approx(2 / 3))]
    assert [(b.pairs, b.said, b.true) for b in edited] == [(1, 0.6, 0)]
    assert sum(b.pairs for b in every) == 4
    assert error(every) == approx((0.6 + 3 * (0.95 - 2 / 3)) / 4)


def test_intersection_over_union() -> None:
    assert iou((0, 0, 1, 1), (0, 0, 0.5, 1)) == 0.5
    assert iou((0, 0, 0.2, 1), (0.5, 0, 1, 1)) == 0
