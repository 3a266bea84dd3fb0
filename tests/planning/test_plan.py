"""Plans: the cited table comes out, more never costs less, and units fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.indexes import KINDS
from ris_jobs.planning import Ask, constants, plan
from ris_jobs.planning.index_size import FORMULAS, in_memory, on_disk

ASK = Ask(images=100_000_000, per_night=2_000_000)


@pytest.mark.parametrize(
    ("kind", "dim", "gigabytes"),
    [
        ("HNSW", 512, 218), ("HNSW", 768, 320),
        ("HNSW_SQ", 512, 64), ("HNSW_SQ", 768, 90),
        ("IVF_RABITQ", 512, 58), ("IVF_RABITQ", 768, 87),
        ("DISKANN", 512, 46), ("DISKANN", 768, 69),
    ],
)  # fmt: skip
def test_100_million_vectors_take_what_the_documentation_says(
    kind: str, dim: int, gigabytes: int
) -> None:
    """By Milvus' own formulas, with M = 16 and without keys."""
    assert round(100e6 * in_memory(kind, dim, degree=16) / 1e9) == gigabytes


def test_every_kind_has_a_formula() -> None:
    assert FORMULAS.keys() == KINDS.keys()


def test_diskann_fills_whole_sectors() -> None:
    # 4 * 256 + 4 * 57 = 1252 bytes, of which three fit into 4096.
    assert on_disk("DISKANN", 256) == 4096 / 3
    assert on_disk("DISKANN", 2048) == 3 * 4096
    assert on_disk("HNSW", 256) == 0


def test_regions_multiply_vectors() -> None:
    assert plan(replace(ASK, grid=0, boxes=0))["vectors"] == 2 * ASK.images
    assert plan(replace(ASK, grid=5, boxes=0))["vectors"] == 7 * ASK.images
    boxes = constants()["boxes"].value
    assert plan(ASK)["vectors"] == round((7 + boxes) * ASK.images)
    assert plan(replace(ASK, boxes=1))["parts"] == 7


ASKS = st.builds(
    Ask,
    images=st.integers(1, 10**10),
    per_night=st.integers(0, 10**8),
    index=st.sampled_from([*KINDS]),
    dim=st.integers(8, 4096),
    grid=st.integers(0, 5),
    boxes=st.integers(0, 50),
)


@given(ASKS, st.sampled_from(["images", "per_night", "dim", "grid"]))
def test_more_never_costs_less(ask: Ask, what: str) -> None:
    more: Any = {what: getattr(ask, what) * 2 + 1}
    if what == "grid":
        more = {"grid": min(5, ask.grid + 1)}
    less, greater = plan(ask), plan(replace(ask, **more))
    for name in ("vectors", "index memory", "database", "previews", "Milvus' files", "search",
                 "fingerprint", "judge", "query nodes"):  # fmt: skip
        assert less[name] <= greater[name], name


@given(ASKS, st.integers(1, 100))
def test_more_machines_never_take_longer(ask: Ask, nodes: int) -> None:
    few, many = (plan(replace(ask, nodes=n)) for n in (nodes, nodes + 1))
    assert many["hours of jobs"] <= few["hours of jobs"]
    assert (few["job nodes"], many["job nodes"]) == (nodes, nodes + 1)


@given(ASKS)
def test_as_many_machines_as_needed_end_within_the_night(ask: Ask) -> None:
    assert plan(ask)["hours"] <= constants()["night_hours"].value + 1e-6


@given(ASKS)
def test_every_figure_has_a_unit_or_counts_and_every_sum_adds_up(ask: Ask) -> None:
    made = plan(ask)
    assert {f.unit for f in made.figures} <= {"", "an image", "GB", "core hours", "hours"}
    assert made["hours"] == made["hours of search"] + made["hours of jobs"]
    assert made["hours of search"] * made["query nodes"] * 16 == pytest.approx(made["search"])
    assert all(f.value >= 0 for f in made.figures)


def test_a_lever_says_what_a_plan_of_its_own_says() -> None:
    levers = {lever.change: lever for lever in plan(ASK).levers}
    other = plan(replace(ASK, index="HNSW_SQ"))
    memory = other["index memory"] + other["key memory"]
    assert levers["RIS_INDEX=HNSW_SQ"].memory_gb == memory
    assert "RIS_INDEX=HNSW" not in levers


def test_every_constant_is_used_and_says_where_it_comes_from() -> None:
    used = {c.name for kind in KINDS for c in plan(replace(ASK, index=kind)).constants}
    assert used == set(constants())
    for constant in constants().values():
        assert constant.kind in ("measured", "cited", "by design", "assumed")
        assert len(constant.source) > 5 and constant.unit
        # They are printed in the order of the formulas: none can be read by the one before it.
        assert "same" not in constant.source and "these" not in constant.source


def test_formulas_say_what_they_take_that_is_no_constant() -> None:
    formulas = {f.name: f.formula for f in plan(ASK).figures}
    assert formulas["index memory"].endswith("dim = 256, M = 32")
    assert "(index memory + key memory) / (memory_gb × usable)" in formulas["query nodes"]
