"""What a model may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.provenance.families import resolve
from ris_jobs.provenance.model import Model, model
from tests.provenance.kin import derives, facts, tied


@given(st.floats(0, 1))
def test_no_source_is_named_that_is_rather_wrong(chance: float) -> None:
    assert chance < model().threshold or 0.5 <= model().confidence(chance) <= 1


@pytest.mark.parametrize("line", [(1.769, -1.577), (-1.0, 2.0), (0.0, 1.0)])
def test_a_model_that_would_name_one_is_refused(line: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="rather wrong"):
        Model(model().weights, 0.55, line, "other")


def test_two_that_are_twice_as_probable_as_not_leave_the_source_open() -> None:
    """A picture without detail and its enlargement, which nothing tells apart: what was made of the
    former is told from it only."""
    pairs = [tied(2, 1), derives(3, 1), tied(3, 2), tied(4, 2), derives(4, 1)]
    (family,) = resolve(pairs, facts(300, 600, 300, 300))
    assert family.members == (1, 2, 3, 4)
    assert (family.verdict.source_id, family.verdict.confidence) == (None, 0)
