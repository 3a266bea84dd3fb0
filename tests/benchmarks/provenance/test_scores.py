"""Counted by hand: a family with a decoy, one without, and one that cannot be decided."""

from __future__ import annotations

import pytest

from benchmarks.provenance.scores import Said, calibration_error, pairs, said_of, score
from benchmarks.provenance.suite import Family, File


def family(kind: str, source: str | None, **roles: str) -> Family:
    return Family(kind, "", source, [File(name, role, (), 0) for name, role in roles.items()])


FAMILIES = [
    family("decoys", "a", a="root", b="copy", c="decoy", d="composite"),
    family("copies", "e", e="root", f="copy", g="copy"),
    family("twins", None, h="root", i="root"),
]


def test_right_open_and_fooled_are_counted_apart() -> None:
    found = score(FAMILIES, [Said("c", 0.9), Said("e", 0.8), Said(None, 0.0)])
    assert (found.decidable, found.right, found.open_decidable) == (2, 0.5, 0)
    assert (found.decoys, found.decoy_chosen) == (1, 1.0)
    assert (found.undecidable, found.open_undecidable) == (1, 1.0)


def test_a_source_named_where_there_is_none_is_not_open() -> None:
    found = score(FAMILIES, [Said(None, 0.0), Said(None, 0.0), Said("h", 0.9)])
    assert (found.right, found.open_decidable, found.open_undecidable) == (0, 1.0, 0)


def test_confidence_is_held_against_the_share_that_is_right() -> None:
    assert calibration_error(FAMILIES, [Said("c", 0.9), Said("e", 0.9), Said(None, 0.0)]) == (
        pytest.approx(0.4)
    )
    assert calibration_error(FAMILIES, [Said(None, 0.0)] * 3) == 0


def test_pairs_in_one_family_are_those_of_its_members() -> None:
    # Two of the five true pairs are found; one of the four found is with a composite, one foreign.
    assert pairs(FAMILIES, {"a": 1, "b": 1, "d": 1, "h": 2, "i": 2}) == (0.5, pytest.approx(2 / 7))


def test_the_family_that_holds_the_source_speaks_else_the_largest() -> None:
    verdicts = {1: Said("b", 0.9), 2: Said("c", 0.8)}
    assert said_of(FAMILIES[0], {"a": 1, "b": 2, "c": 2}, verdicts).source == "b"
    assert said_of(FAMILIES[0], {"b": 2, "c": 2}, verdicts).source is None
    assert said_of(FAMILIES[2], {"h": 2, "i": 2}, verdicts).source == "c"
    assert said_of(FAMILIES[2], {}, verdicts) == Said(None, 0.0)
