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
    """Unordered unique pairs at or above ``min_cosine``, the best cosine of each, sorted by ids.

    ``query_ids`` is (n,); ``neighbour_ids`` and ``cosines`` are (n, k), a row a query; a
    negative id marks an unused place. An image beside itself is dropped.
    """
    queries = np.broadcast_to(np.asarray(query_ids)[:, None], neighbour_ids.shape)
    low, high = np.minimum(queries, neighbour_ids), np.maximum(queries, neighbour_ids)
    wanted = (low >= 0) & (low != high) & (cosines >= min_cosine)
    low, high, scores = low[wanted], high[wanted], cosines[wanted]
    order = np.lexsort((-scores, high, low))
    low, high, scores = low[order], high[order], scores[order]
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    kept = zip(low[first].tolist(), high[first].tolist(), scores[first].tolist(), strict=True)
    return [Candidate(image_id, other_id, cosine) for image_id, other_id, cosine in kept]
