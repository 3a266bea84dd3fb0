"""How well copies are found, measured as the field does.

Scores: higher is nearer; −inf says that the system never returned the pair. Ties always count
against the system: of pairs with one score, the wrong ones are ranked first.

Measures take weights so that a bootstrap asks for all its draws at once: float64 (clusters,) or
(clusters, draws), how often each cluster of queries was drawn. They answer () or (draws,).
Without weights every query counts once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """All (query, reference) pairs of a system in one order, best first.

    Measures change only where a right pair is met, so wrong pairs are kept as counts between
    the right ones. The counts are apart by the query's cluster: weighing clusters anew needs no
    new order.

    ``scores`` float32 (r,): the right pairs that were found, falling.
    ``cluster`` int64 (r,): of their queries.
    ``wrong`` float64 (r, clusters): wrong pairs between the right pair before and this one.
    ``unfound`` float64 (clusters,): right pairs that were never found.
    """

    scores: Scores
    cluster: Ints
    wrong: Floats
    unfound: Floats


def rank_pairs(scores: Scores, right: Mask, cluster: Ints) -> Ranking:
    """Pools the pairs of all queries: ``scores`` and ``right`` are (queries, references),
    ``cluster`` (queries,) counts from 0. A pair that shall not count, as of a file with itself,
    is a wrong one of −inf. ValueError where a score is no number or no pair is right."""
    if np.isnan(scores).any() or not right.any():
        raise ValueError("scores must be numbers, and at least one pair must be right")
    clusters = int(cluster.max()) + 1
    owner = np.broadcast_to(cluster[:, None], scores.shape)
    found = right & (scores > -np.inf)
    order = np.argsort(-scores[found], kind="stable")
    falling = scores[found][order]
    place = np.searchsorted(-falling, -scores[~right])  # left: a wrong pair goes before its equals
    counts = place < len(falling)  # what is ranked after the last right pair changes nothing
    cells = place[counts] * clusters + owner[~right][counts]
    wrong = np.bincount(cells, minlength=len(falling) * clusters)
    return Ranking(
        falling,
        owner[found][order],
        wrong.reshape(len(falling), clusters).astype(np.float64),
        np.bincount(owner[right & ~found], minlength=clusters).astype(np.float64),
    )


def micro_average_precision(ranking: Ranking, weights: Floats | None = None) -> Floats:
    """µAP, 0–1: average precision over the pairs of all queries in one ranking.

    Queries without a copy lower it by what they score high; right pairs that were never found
    count as missed. The measure of the Image Similarity Challenge (Douze et al.,
    arXiv 2106.09672), after Perronnin, Liu and Renders, "A family of contextual measures of
    similarity between distributions" (CVPR 2009).
    """
    gained, precision, total = _curve(ranking, weights)
    return np.asarray((gained * precision).sum(axis=0) / total)


def recall_at_precision(
    ranking: Ranking, precision: float, weights: Floats | None = None
) -> Floats:
    """The greatest recall, 0–1, of any threshold on the score with at least this precision.

    Reported beside µAP by Douze et al., arXiv 2106.09672. A threshold accepts all pairs of a
    score or none.
    """
    gained, reached, total = _curve(ranking, weights)
    recall = np.cumsum(gained, axis=0) / total
    allowed = ((reached >= precision).T & _last_of_its_score(ranking)).T
    return np.asarray(np.max(recall, axis=0, where=allowed, initial=0.0))


def threshold_at_precision(ranking: Ranking, precision: float) -> float:
    """The score from which on pairs are accepted in ``recall_at_precision``; inf where none is."""
    _, reached, _ = _curve(ranking, None)
    allowed = (reached >= precision) & _last_of_its_score(ranking)
    return float(np.min(ranking.scores, where=allowed, initial=np.inf))


def _curve(ranking: Ranking, weights: Floats | None) -> tuple[Floats, Floats, Floats]:
    """At each right pair: its weight and the precision down to it; and the weight of all."""
    if weights is None:
        weights = np.ones(len(ranking.unfound))
    gained = weights[ranking.cluster]
    right = np.cumsum(gained, axis=0)
    ranked = right + np.cumsum(ranking.wrong @ weights, axis=0)
    precision = np.divide(right, ranked, out=np.zeros_like(right), where=ranked > 0)
    return gained, precision, gained.sum(axis=0) + ranking.unfound @ weights


def _last_of_its_score(ranking: Ranking) -> Mask:
    return np.append(ranking.scores[1:] < ranking.scores[:-1], True)[: len(ranking.scores)]


def ranks(scores: Scores, own: Ints) -> Floats:
    """Where each query's own reference stands in its row, float64 (queries,): 1 is the first
    place, inf says never found. ``scores`` is (queries, references), ``own`` (queries,) holds
    columns."""
    mine = scores[np.arange(len(own)), own]
    place = (scores >= mine[:, None]).sum(axis=1)
    return np.where(mine > -np.inf, place, np.inf)


def candidate_ranks(similarity: Scores, copies: Ints, sources: Ints) -> Floats:
    """The better place of two, float64 (pairs,): the source among the copy's neighbours, or the
    copy among the source's, since a scan compares what either finds. ``similarity`` is
    (files, files); no file is its own neighbour."""
    return np.minimum(
        _neighbour_ranks(similarity, copies, sources),
        _neighbour_ranks(similarity, sources, copies),
    )


def _neighbour_ranks(similarity: Scores, files: Ints, others: Ints) -> Floats:
    rows = similarity[files]
    rows[np.arange(len(files)), files] = -np.inf
    return ranks(rows, others)


def recall_at_k(places: Floats, k: int, cluster: Ints, weights: Floats | None = None) -> Floats:
    """The share, 0–1, of right pairs in the first ``k`` places (Jégou et al., "Product
    quantization for nearest neighbor search", TPAMI 2011). ``places`` and ``cluster`` are
    (pairs,)."""
    counts = np.ones(len(places)) if weights is None else weights[cluster]
    return np.asarray((places <= k) @ counts / counts.sum(axis=0))


def resample(clusters: int, draws: int, seed: int) -> Floats:
    """Weights of a cluster bootstrap, float64 (clusters, 1 + draws): clusters 1… are drawn with
    replacement, cluster 0 is always in, and the first column is the sample itself.

    Copies of one photo succeed and fail together, so photos are drawn, not copies (Davison and
    Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
    """
    photos = clusters - 1
    drawn = np.random.default_rng(seed).multinomial(photos, np.full(photos, 1 / photos), draws)
    weights = np.ones((clusters, 1 + draws))
    weights[1:, 1:] = drawn.T
    return weights
