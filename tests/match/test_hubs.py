"""A logo inside many different pictures is a hub, a photo inside its own copies is none."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from ris_jobs.match.hubs import hubs

LOGO, LIMIT = 0, 5


def test_more_pictures_than_the_limit_make_a_hub() -> None:
    assert hubs({LOGO: range(1, 7)}, [], LIMIT) == {LOGO}
    assert hubs({LOGO: range(1, 6)}, [], LIMIT) == set()
    assert hubs({}, [], LIMIT) == set()


def test_copies_of_one_picture_count_once() -> None:
    assert hubs({LOGO: range(1, 200)}, combinations(range(1, 200), 2), LIMIT) == set()
    assert hubs({LOGO: range(1, 200)}, pairwise(range(1, 200)), LIMIT) == set()


def test_pictures_with_a_copy_each_count_though_none_is_alone() -> None:
    ties = [(i + 100, i) for i in range(1, 7)]
    pictures = [i for tie in ties for i in tie]
    assert hubs({LOGO: pictures}, ties, LIMIT) == {LOGO}
    assert hubs({LOGO: pictures[2:]}, ties, LIMIT) == set()


def test_pictures_elsewhere_tie_nothing() -> None:
    ties = [(i, 1000) for i in range(1, 7)]
    assert hubs({LOGO: range(1, 7)}, ties, LIMIT) == {LOGO}


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=12),
    st.integers(1, 9),
)
def test_groups_are_those_of_repeated_merging(ties: list[tuple[int, int]], limit: int) -> None:
    group = {i: i for i in range(1, 10)}
    for _ in group:
        for one, two in ties:
            group[one] = group[two] = min(group[one], group[two])
    many = len(set(group.values())) > limit
    assert hubs({LOGO: range(1, 10)}, ties, limit) == ({LOGO} if many else set())
