"""The measures against slow plain ones, and against rankings counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from benchmarks.accuracy import metrics

INF = np.inf
Case = tuple[metrics.Scores, metrics.Mask, metrics.Ints, metrics.Floats]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Few distinct scores, so ties abound; some pairs never returned; clusters of any weight."""
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    scores = draw(hnp.arrays(np.float32, shape, elements=st.sampled_from([-INF, -1, 0, 0.5, 2])))
    cluster = draw(hnp.arrays(np.int64, shape[0], elements=st.integers(0, 3)))
    weights = draw(hnp.arrays(np.float64, int(cluster.max()) + 1, elements=st.integers(0, 3)))
    right = draw(hnp.arrays(np.bool_, shape))
    weights[cluster[0]], right[0, 0] = 1, True  # nothing to find is no question
    return scores, right, cluster, weights


# Slow and plain


def plain_average_precision(case: Case) -> float:
    scores, right, cluster, weights = case
    pairs = [
        (-scores[q, r].item(), right[q, r].item(), weights[cluster[q]].item())
        for q, r in np.ndindex(scores.shape)
        if scores[q, r] > -INF
    ]
    hits = ranked = area = 0.0
    for _, good, weight in sorted(pairs, key=lambda pair: pair[:2]):
        ranked += weight
        if good and weight:
            hits += weight
            area += weight * hits / ranked
    return float(area / (right * weights[cluster][:, None]).sum())


def plain_recall(case: Case, precision: float) -> tuple[float, float]:
    """The greatest recall, and the lowest threshold that has the precision."""
    scores, right, cluster, weights = case
    each = np.broadcast_to(weights[cluster][:, None], scores.shape)
    recall, threshold = 0.0, INF
    for score in set(scores[right & (scores > -INF)].tolist()):
        accepted, hits = each[scores >= score].sum(), each[right & (scores >= score)].sum()
        if hits and hits / accepted >= precision:
            recall, threshold = max(recall, hits / each[right].sum()), min(threshold, score)
    return recall, threshold


def plain_rank(row: list[float], own: int, skip: int | None = None) -> float:
    others = [score for column, score in enumerate(row) if column not in (own, skip)]
    return INF if row[own] == -INF else 1 + sum(score >= row[own] for score in others)


@given(cases())
def test_average_precision_is_the_plain_one(case: Case) -> None:
    ranking = metrics.rank_pairs(*case[:3])
    found = metrics.micro_average_precision(ranking, case[3])
    assert found == pytest.approx(plain_average_precision(case))


@given(cases(), st.sampled_from([0.25, 0.5, 0.6, 0.9, 1.0]))
def test_recall_at_precision_is_the_plain_one(case: Case, precision: float) -> None:
    ranking = metrics.rank_pairs(*case[:3])
    recall, _ = plain_recall(case, precision)
    assert metrics.recall_at_precision(ranking, precision, case[3]) == pytest.approx(recall)
    _, threshold = plain_recall((*case[:3], np.ones_like(case[3])), precision)
    assert metrics.threshold_at_precision(ranking, precision) == threshold


@given(cases())
def test_many_draws_are_the_same_as_one_at_a_time(case: Case) -> None:
    ranking = metrics.rank_pairs(*case[:3])
    once, drawn = np.ones_like(case[3]), case[3]
    both = metrics.micro_average_precision(ranking, np.stack([once, drawn], axis=1))
    alone = [float(metrics.micro_average_precision(ranking, w)) for w in (once, drawn)]
    assert both == pytest.approx(alone)
    both = metrics.recall_at_precision(ranking, 0.6, np.stack([once, drawn], axis=1))
    alone = [float(metrics.recall_at_precision(ranking, 0.6, w)) for w in (once, drawn)]
    assert both == pytest.approx(alone)


@given(cases(), st.data())
def test_ranks_are_the_plain_ones(case: Case, data: st.DataObject) -> None:
    scores = case[0]
    columns = st.integers(0, scores.shape[1] - 1)
    own = data.draw(hnp.arrays(np.int64, len(scores), elements=columns))
    plain = [
        plain_rank(row, column) for row, column in zip(scores.tolist(), own.tolist(), strict=True)
    ]
    assert metrics.ranks(scores, own).tolist() == plain


@given(st.integers(2, 6), st.data())
def test_candidate_ranks_are_the_plain_ones(files: int, data: st.DataObject) -> None:
    values = st.sampled_from([-INF, 0, 0.5, 1])
    similarity = data.draw(hnp.arrays(np.float32, (files, files), elements=values))
    copies, sources = np.nonzero(~np.eye(files, dtype=bool))
    rows = similarity.tolist()
    plain = [
        min(plain_rank(rows[a], b, skip=a), plain_rank(rows[b], a, skip=b))
        for a, b in zip(copies.tolist(), sources.tolist(), strict=True)
    ]
    assert metrics.candidate_ranks(similarity, copies, sources).tolist() == plain


# Counted by hand


def one_query(scores: list[float], right: list[int]) -> metrics.Ranking:
    mask = np.isin(np.arange(len(scores)), right)
    return metrics.rank_pairs(np.array([scores], np.float32), mask[None], np.zeros(1, np.int64))


@pytest.mark.parametrize(
    ("scores", "right", "expected"),
    [
        ([0.9, 0.8, 0.7, 0.6], [0, 3], (1 / 1 + 2 / 4) / 2),
        ([0.5, 0.5, 0.5, 0.5], [0], 1 / 4),  # a tie: the wrong ones first
        ([0.9, 0.9, 0.8, 0.8], [0, 2], (1 / 2 + 2 / 4) / 2),
        ([0.9, -INF, 0.8], [0, 1], (1 / 1 + 0) / 2),  # never found
        ([-INF, 0.9], [0], 0),
    ],
)
def test_average_precision_by_hand(scores: list[float], right: list[int], expected: float) -> None:
    assert metrics.micro_average_precision(one_query(scores, right)) == pytest.approx(expected)


def test_a_query_without_a_copy_lowers_average_precision() -> None:
    """Ranked alone, either copy is first; pooled, the distractor's 0.8 comes before 0.7."""
    scores = np.array([[0.9, 0.1], [0.2, 0.7], [0.8, 0.3]], np.float32)
    right = np.array([[True, False], [False, True], [False, False]])
    without = metrics.rank_pairs(scores[:2], right[:2], np.arange(2))
    pooled = metrics.rank_pairs(scores, right, np.arange(3))
    assert metrics.micro_average_precision(without) == 1
    assert metrics.micro_average_precision(pooled) == pytest.approx((1 / 1 + 2 / 3) / 2)


def test_recall_at_precision_by_hand() -> None:
    """Right, right, wrong, right: precision 1, 1, 2/3, 3/4."""
    ranking = one_query([0.9, 0.8, 0.7, 0.6], [0, 1, 3])
    assert metrics.recall_at_precision(ranking, 0.9) == pytest.approx(2 / 3)
    assert metrics.recall_at_precision(ranking, 0.75) == 1
    assert metrics.threshold_at_precision(ranking, 0.9) == pytest.approx(0.8)


def test_no_threshold_cuts_through_a_tie() -> None:
    ranking = one_query([0.9, 0.9], [0])
    assert metrics.recall_at_precision(ranking, 0.9) == 0
    assert metrics.threshold_at_precision(ranking, 0.9) == INF


def test_a_candidate_is_found_from_either_side() -> None:
    """The copy (0) is nearer to two others than to its source (1), which has no one nearer."""
    rows = [[1, 0.5, 0.8, 0.7], [0.5, 1, 0.1, 0.2], [0.8, 0.1, 1, 0], [0.7, 0.2, 0, 1]]
    similarity = np.array(rows, np.float32)
    found = metrics.candidate_ranks(similarity, np.array([0]), np.array([1]))
    assert metrics.ranks(similarity[:1, 1:], np.array([0])) == 3
    assert found == 1


def test_recall_at_k_counts_clusters_by_weight() -> None:
    places, cluster = np.array([1.0, 10, 11, INF]), np.array([1, 1, 2, 2])
    assert metrics.recall_at_k(places, 10, cluster) == 0.5
    weights = np.array([[1.0, 1], [1, 2], [1, 0]])
    assert metrics.recall_at_k(places, 10, cluster, weights).tolist() == [0.5, 1]


def test_resampling_draws_photos_and_keeps_the_rest() -> None:
    weights = metrics.resample(11, draws=50, seed=3)
    assert weights.shape == (11, 51)
    assert (weights[:, 0] == 1).all() and (weights[0] == 1).all()
    assert (weights[1:].sum(axis=0) == 10).all() and weights[1:, 1:].std() > 0
    assert np.array_equal(weights, metrics.resample(11, draws=50, seed=3))


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Photos found with probability 0.7, five copies each: 95 % intervals miss some 5 % of 200."""
    rng, cluster, missed = np.random.default_rng(0), np.repeat(np.arange(1, 61), 5), 0
    for seed in range(200):
        places = np.where(np.repeat(rng.random(60) < 0.7, 5), 1.0, INF)
        drawn = metrics.recall_at_k(places, 1, cluster, metrics.resample(61, 200, seed))[1:]
        low, high = np.percentile(drawn, [2.5, 97.5])
        missed += not low <= 0.7 <= high
    assert 2 <= missed <= 22


@pytest.mark.parametrize(("score", "right"), [(np.nan, True), (0.5, False)])
def test_a_pooled_ranking_needs_numbers_and_something_to_find(score: float, right: bool) -> None:
    with pytest.raises(ValueError, match="at least one pair"):
        metrics.rank_pairs(
            np.array([[score]], np.float32), np.array([[right]]), np.zeros(1, np.int64)
        )
