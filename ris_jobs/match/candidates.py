"""Which pairs are worth judging: near neighbours in descriptor space, each pair once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ris_jobs.match import Candidate

__all__ = ["pair_up"]

Ids = npt.NDArray[np.int64]


def pair_up(
    query_ids: Ids, neighbour_ids: Ids, cosines: npt.NDArray[Any], *, min_cosine: float
) -> list[Candidate]:
    """Unordered unique pairs at or above ``min_cosine``, sorted by ids, with the best cosine and
    the best rank of each.

    ``query_ids`` is (n,); ``neighbour_ids`` and ``cosines`` are (n, k), a row a query, the
    nearest first; a negative id marks an unused place. An image beside itself is dropped.
    """
    queries = np.broadcast_to(np.asarray(query_ids)[:, None], neighbour_ids.shape)
    low, high = np.minimum(queries, neighbour_ids), np.maximum(queries, neighbour_ids)
    ranks = np.cumsum(low != high, axis=1) - 1
    wanted = (low >= 0) & (low != high) & (cosines >= min_cosine)
    columns = [values[wanted] for values in (low, high, cosines, ranks)]
    order = np.lexsort((-columns[2], columns[1], columns[0]))
    low, high, scores, ranks = (values[order] for values in columns)
    if not len(low):
        return []
    first = np.flatnonzero(np.r_[True, (low[1:] != low[:-1]) | (high[1:] != high[:-1])])
    best = np.minimum.reduceat(ranks, first)
    kept = (values.tolist() for values in (low[first], high[first], scores[first], best))
    return [Candidate(*values) for values in zip(*kept, strict=True)]
